// Which of several names somebody most likely meant, or that none of them comes near.
import { describe, expect, test } from 'vitest';
import { nearest } from '../../src/core/nearest.ts';

describe('nearest', () => {
  test.each([
    ['settel', 'settle'],
    ['namespaces', 'namespace'],
    ['log-leve', 'log-level'],
    ['settle', 'settle'],
  ])('takes %s for %s', (word, meant) => {
    expect(nearest(word, ['settle', 'namespace', 'log-level'])).toBe(meant);
  });

  test('finds none that is far away, and none among none', () => {
    expect(nearest('colour', ['settle', 'namespace'])).toBeUndefined();
    expect(nearest('settle', [])).toBeUndefined();
  });
});
