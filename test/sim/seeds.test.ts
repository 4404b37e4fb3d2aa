// Random schedules: fleets, people and faults from a seed. No law is broken while things go wrong, and in the quiet
// after it everything comes to its end. TRANSSHIP_SEEDS says how many are played (default 300), TRANSSHIP_SEED plays
// just one again, TRANSSHIP_FIRST_SEED says with which to begin.
import { describe, expect, test } from 'vitest';
import { playedFleet } from './playedFleet.ts';

const { TRANSSHIP_SEEDS, TRANSSHIP_SEED, TRANSSHIP_FIRST_SEED } = process.env;
const first = Number(TRANSSHIP_SEED ?? TRANSSHIP_FIRST_SEED ?? 1);
const count = TRANSSHIP_SEED === undefined ? Number(TRANSSHIP_SEEDS ?? 300) : 1;
const batch = 50;

const passes = (seed: number): void => {
  const replay = `replay with TRANSSHIP_SEED=${seed} npx vitest run test/sim/seeds.test.ts`;
  try {
    const { result, stage } = playedFleet(seed);
    if (result.faults.length === 0) return;
    expect.fail([...result.faults, ...stage.watch.recent(60)].join('\n'));
  } catch (error) {
    if (error instanceof Error) error.message = `seed ${seed}, ${replay}\n${error.message}`;
    throw error;
  }
};

describe('random schedules break no law and come to their end', () => {
  for (let from = first; from < first + count; from += batch) {
    const to = Math.min(from + batch, first + count) - 1;
    test(`seeds ${from} to ${to}`, () => {
      for (let seed = from; seed <= to; seed += 1) passes(seed);
    });
  }
});
