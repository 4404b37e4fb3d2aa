// What is read from the tail of a client's log: the newest progress that can be understood, and nothing made up.
import { describe, expect, test } from 'vitest';
import { copyProgressIn } from '../../src/core/copyProgress.ts';

const line = (fields: object): string =>
  JSON.stringify({
    t: 'progress',
    bytes: 300,
    total: 1000,
    percent: 30,
    bytesPerSecond: 50,
    secondsLeft: 14,
    ...fields,
  });
const thirty = { bytes: 300, total: 1000, percent: 30, bytesPerSecond: 50, secondsLeft: 14 };

describe('copyProgressIn', () => {
  test('the last progress line counts, whatever else was written', () => {
    const log = [line({ percent: 10 }), line({}), '{"t":"log","from":"rsync","message":"hello"}', ''].join('\n');
    expect(copyProgressIn(log)).toStrictEqual(thirty);
  });

  test('a tail that begins in the middle of a line is read from the next one', () => {
    expect(copyProgressIn(`tes":7,"total":1000}\n${line({})}`)).toStrictEqual(thirty);
  });

  test.each([
    ['nothing', ''],
    ['text', 'rsync: connection refused'],
    ['another record', '{"t":"end","bytes":1,"total":2,"percent":3}'],
    ['a negative position', line({ bytes: -1 })],
    ['numbers as text', line({ total: '1000' })],
    ['no percent', line({ percent: null })],
  ])('no progress is read from %s', (_, log) => {
    expect(copyProgressIn(log)).toBeUndefined();
  });

  test('what rsync cannot tell is left out, and more than everything is everything', () => {
    expect(copyProgressIn(line({ secondsLeft: null, percent: 104.7 }))).toStrictEqual({
      ...thirty,
      percent: 100,
      secondsLeft: undefined,
    });
  });
});
