// Which of two versions of an object is the newer one, also where they are longer than a number can hold.
import { describe, expect, test } from 'vitest';
import { compareVersions } from '../../src/core/resourceVersion.ts';

describe('compareVersions', () => {
  test('orders decimal versions by value, whatever their length', () => {
    expect(compareVersions('9', '10')).toBeLessThan(0);
    expect(compareVersions('18446744073709551615', '18446744073709551614')).toBeGreaterThan(0);
    expect(compareVersions('42', '42')).toBe(0);
  });

  test('knows only equality of versions that are not decimal', () => {
    expect(compareVersions('a-1', 'a-1')).toBe(0);
    expect(compareVersions('a-1', 'a-2')).toBeUndefined();
    expect(compareVersions('', '7')).toBeUndefined();
  });
});
