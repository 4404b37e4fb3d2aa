// Since when a write about a machine is refused: from the first time in a row, and only as long as it is that write.
import { describe, expect, test } from 'vitest';
import type { Command } from '../../../src/core/decision.ts';
import { keyText } from '../../../src/core/reading.ts';
import type { WriteRefusal } from '../../../src/core/writeTrouble.ts';
import { noteWriteRefusal } from '../../../src/effects/noteWriteRefusal.ts';
import type { Outcome } from '../../../src/effects/outcome.ts';
import { record } from '../../core/builders.ts';
import { limits } from '../../core/circumstances.ts';
import { keyOf } from './effectStage.ts';

const start: Command = { kind: 'startLive' };
const revert: Command = { kind: 'revert', cause: 'stopped' };
const written: Command = { kind: 'record', why: 'liveBegins', record: record() };
const refused: Outcome = { kind: 'refused', message: 'no' };
const conflict: Outcome = { kind: 'conflict', message: 'denied' };
const done: Outcome = { kind: 'done', value: undefined };
const unknown: Outcome = { kind: 'unknown', message: 'reset' };

/** What is kept after these commands, each with its outcome and the second in which it was carried out. */
const keptAfter = (...steps: readonly (readonly [Command, Outcome, number])[]): WriteRefusal | undefined => {
  const writeRefusals = new Map<string, WriteRefusal>();
  const key = keyOf('web-1');
  for (const [command, outcome, second] of steps) {
    const bounds = { ...limits, retryMs: 1000, retryMaxMs: 30_000, moveGapMs: 5000, statusMs: 0, concurrentCreates: 1 };
    noteWriteRefusal(command, outcome, key, { writeRefusals, limits: bounds, now: () => second * 1000 });
  }
  return writeRefusals.get(keyText(key));
};

describe('a write that is refused', () => {
  test('is kept from the first time in a row, with the last words', () => {
    expect(keptAfter([start, refused, 1], [start, conflict, 20])).toEqual({
      write: 'startLive',
      message: 'denied',
      sinceMs: 1000,
      lastMs: 20_000,
    });
  });

  test('is forgotten when it is taken, and not when another is or nobody knows', () => {
    expect(keptAfter([start, refused, 1], [start, done, 2])).toBeUndefined();
    expect(keptAfter([start, refused, 1], [written, done, 2], [start, unknown, 3])?.sinceMs).toBe(1000);
  });

  test('counts anew after a pause, and where it is another write', () => {
    expect(keptAfter([start, refused, 1], [start, refused, 100])?.sinceMs).toBe(100_000);
    expect(keptAfter([start, refused, 1], [revert, refused, 2])).toMatchObject({ write: 'revert', sinceMs: 2000 });
  });

  test('is not told of where it is a record, which is written again at once', () => {
    expect(keptAfter([written, conflict, 1])).toBeUndefined();
  });
});
