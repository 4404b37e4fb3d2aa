// Plays that nobody would think of: one to three machines, up to eight things that happen to them at any moment.
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { type Action, judge, type Play } from './play.ts';

const lastStep = 40;
const actions: readonly Action[] = ['start', 'stop', 'shutDown', 'crash', 'deleteInstance'];

const plays = (deleted: boolean): fc.Arbitrary<Play> =>
  fc
    .record({
      machines: fc.array(
        fc.record({
          is: fc.constantFrom('on' as const, 'off' as const),
          strategy: fc.constantFrom('Always' as const, 'Manual' as const, 'RerunOnFailure' as const),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      disks: fc.constantFrom(['root'], ['root', 'data']),
      server: fc.constantFrom('Shared' as const, 'PerVirtualMachine' as const),
      retention: fc.constantFrom('KeepSource' as const, 'DeleteSource' as const),
      happenings: fc.array(
        fc.record({
          step: fc.nat({ max: lastStep }),
          action: fc.oneof(
            { weight: 5, arbitrary: fc.constantFrom(...actions) },
            { weight: 1, arbitrary: fc.constantFrom<Action>('pause', 'resume') },
          ),
          machine: fc.nat({ max: 2 }),
        }),
        { maxLength: 8 },
      ),
      deletedAt: fc.nat({ max: lastStep }),
      pace: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 5 }),
    })
    .map(({ machines, disks, server, retention, happenings, deletedAt, pace }) => ({
      machines,
      disks,
      spec: { transfer: { server, verify: false }, retention },
      changes: [
        ...happenings.map((each) => ({ ...each, machine: each.machine % machines.length })),
        // In the end nothing is paused.
        { step: lastStep, action: 'resume' as const, machine: 0 },
        ...(deleted ? [{ step: deletedAt, action: 'delete' as const, machine: 0 }] : []),
      ],
      pace,
    }));

const check = (deleted: boolean): void => {
  fc.assert(
    fc.property(plays(deleted), (play) => {
      judge(play);
    }),
    { numRuns: 600 },
  );
};

describe('whatever happens', () => {
  test('every machine is moved in the end, and no write is lost', { timeout: 60_000 }, () => check(false));

  test(
    'a migration that is deleted at any moment leaves each machine on the claim in authority',
    { timeout: 60_000 },
    () => check(true),
  );
});
