// The random schedules of one test file: plays its share of the seeds, shrinks one that fails, and says how to play it
// again. TRANSSHIP_SEEDS says how many there are over all files, TRANSSHIP_FIRST_SEED with which they begin; with
// TRANSSHIP_SEED a single one is played, and with TRANSSHIP_KEEP only the named parts of it.
import { describe, expect, test } from 'vitest';
import { machineActs, migrationActs } from '../../src/sim/scenario/fleet.ts';
import { playing, shrunkFailure } from './failure.ts';
import { faultNames, outOfOrder } from './plannedFaults.ts';
import { endKinds, keeping, planSchedule } from './schedule.ts';
import { count, emptyTally, type SeedsTally } from './seedsReporter.ts';

const { TRANSSHIP_SEEDS, TRANSSHIP_SEED, TRANSSHIP_KEEP, TRANSSHIP_FIRST_SEED } = process.env;
const defaultSeeds = 300;
/** Seeds in one test. */
const batch = 50;
/** With so many seeds everything that can be drawn has happened. */
const enough = 150;

/** All that can happen in a schedule, by the names under which it is told. */
const everything = [
  ...machineActs,
  ...migrationActs,
  ...faultNames,
  outOfOrder,
  ...endKinds.map((kind) => `daemon: ${kind}`),
];

const add = (tally: SeedsTally, seed: number, told: (name: string) => void): void => {
  const schedule = planSchedule(seed);
  const found = playing(schedule, { told });
  if (found.kind === 'failed') expect.fail(shrunkFailure(schedule, found.failure).message);
  const { result, asked } = found.played;
  tally.seeds += 1;
  tally.machines += result.machines;
  tally.done += result.done;
  tally.cancelled += result.cancelled;
  for (const reason of asked) count(tally.asked, reason);
  for (const reason of result.attention) count(tally.left, reason);
};

/** Plays one seed again, or the parts of it that are to be kept. */
const playOne = (seed: number, parts: string | undefined): void => {
  const schedule = planSchedule(seed);
  test(`seed ${seed}${parts === undefined ? '' : `, only ${parts}`}`, () => {
    if (parts === undefined) return add(emptyTally(), seed, () => undefined);
    const found = playing(keeping(schedule, new Set(parts.split(','))));
    if (found.kind === 'failed') expect.fail(found.failure.report);
  });
};

/** Declares the tests of one share of the seeds: share 0 of 2 is the first half. */
export const seeds = (share: number, shares: number): void => {
  describe('random schedules break no law and come to their end', () => {
    if (TRANSSHIP_SEED !== undefined) {
      if (share === 0) playOne(Number(TRANSSHIP_SEED), TRANSSHIP_KEEP);
      else test.skip('a single seed is played by the first share', () => undefined);
      return;
    }
    const all = Number(TRANSSHIP_SEEDS ?? defaultSeeds);
    const first = Number(TRANSSHIP_FIRST_SEED ?? 1);
    const [from, to] = [share, share + 1].map((part) => first + Math.floor((all * part) / shares)) as [number, number];
    const happened: Record<string, number> = {};
    for (let next = from; next < to; next += batch) {
      const last = Math.min(next + batch, to) - 1;
      test(`seeds ${next} to ${last}`, ({ task }) => {
        const tally = emptyTally();
        task.meta.seeds = tally;
        for (let seed = next; seed <= last; seed += 1) add(tally, seed, (name) => count(happened, name));
      });
    }
    test.skipIf(to - from < enough)('and everything that people do and that goes wrong has happened in them', () => {
      expect(everything.filter((name) => happened[name] === undefined)).toEqual([]);
    });
  });
};
