// A StorageMigration that is deleted in the middle (design §6), on the simulated cluster: at any moment of every row, and
// while its machines are started and stopped.
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/sim/apiServer/seededRandom.ts';
import type { Act, Fleet, PlannedMachine } from '../../src/sim/scenario/fleet.ts';
import { rows } from '../../src/sim/scenario/rows.ts';
import { performFleet } from './playedFleet.ts';
import { machine, namespace } from './scene.ts';

/** The machines of a row and their StorageMigration, which people delete `atMs` after it was made. */
const deletedFleet = (row: (typeof rows)[number], atMs: number, more: readonly Act[] = []): Fleet => ({
  machines: row.machines.map(
    ({ name, on }): PlannedMachine => ({
      ...machine(name),
      runStrategy: on ? 'Always' : 'Halted',
      started: false,
      diskKinds: ['claim'],
      targetsExist: true,
      liveCopyMs: 2000,
      offlineCopyMs: 3000,
      failures: 0,
    }),
  ),
  migrations: [
    {
      name: 'move',
      namespace,
      machines: row.machines.map(({ name }) => name),
      server: 'Shared',
      retention: 'KeepSource',
      createdAtMs: 0,
    },
  ],
  acts: [...more, { atMs, kind: 'migration' as const, migration: 0, what: 'delete' as const }].toSorted(
    (a, b) => a.atMs - b.atMs,
  ),
  quietAtMs: atMs + 5000,
});

describe('deleting it in the middle cancels what is not finished and leaves every VM on the claim in authority', () => {
  for (const row of rows) {
    test(`the machines of row ${row.number}, at any moment`, () => {
      for (let atMs = 0; atMs < 12_000; atMs += 397) {
        const { result, stage } = performFleet({ fleet: deletedFleet(row, atMs), random: seededRandom(atMs + 1) });
        if (result.faults.length > 0)
          expect.fail([`deleted at ${atMs}`, ...result.faults, ...stage.watch.recent(40)].join('\n'));
        expect(result.cancelled).toBe(row.machines.length);
      }
    });
    test(`the machines of row ${row.number}, as they are started and stopped`, () => {
      for (let atMs = 3000; atMs < 9000; atMs += 613) {
        for (const beforeMs of [-60, -3, 0, 3, 60, 700]) {
          const acts = row.changed.map((name): Act => {
            const index = row.machines.findIndex((each) => each.name === name);
            return {
              atMs: atMs - beforeMs,
              kind: 'machine',
              machine: index,
              what: row.machines[index]?.on ? 'stop' : 'start',
            };
          });
          const { result, stage } = performFleet({ fleet: deletedFleet(row, atMs, acts), random: seededRandom(atMs) });
          if (result.faults.length > 0)
            expect.fail([`deleted at ${atMs}, ${beforeMs}`, ...result.faults, ...stage.watch.recent(40)].join('\n'));
        }
      }
    });
  }
});
