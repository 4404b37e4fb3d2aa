// The nine rows (design §2) in the little world, each change at every moment, under every run strategy: the laws hold
// at each step, no guest ever runs on less than it has written, and every machine ends up moved.
import { describe, expect, test } from 'vitest';
import type { RunStrategy } from '../../src/core/objects.ts';
import { type Action, judge as judgePlay, type Play } from './play.ts';
import type { World } from './world.ts';

interface Row {
  /** The machines at the start. */
  readonly machines: readonly ('on' | 'off')[];
  readonly strategy: RunStrategy;
  readonly server?: 'Shared' | 'PerVirtualMachine';
  readonly disks?: readonly string[];
  readonly changes: readonly (readonly [step: number, action: Action, machine: number])[];
}

const judge = ({ machines, strategy, server = 'Shared', disks = ['root'], changes }: Row): World =>
  judgePlay({
    machines: machines.map((is) => ({ is, strategy })),
    disks,
    spec: { transfer: { server, verify: false } },
    changes: changes.map(([step, action, machine]): Play['changes'][number] => ({ step, action, machine })),
  });

const strategies: readonly RunStrategy[] = ['Always', 'Manual', 'RerunOnFailure'];
const stops: readonly Action[] = ['stop', 'shutDown', 'crash', 'deleteInstance'];
const steps = Array.from({ length: 26 }, (_, step) => step);

const rows: readonly (readonly [string, Row['machines'], (step: number, stop: Action) => Row['changes']])[] = [
  ['1: one off, started', ['off'], (step) => [[step, 'start', 0]]],
  ['2 and 3: one on, stopped', ['on'], (step, stop) => [[step, stop, 0]]],
  ['4: two off, one started', ['off', 'off'], (step) => [[step, 'start', 0]]],
  [
    '5: two off, both started',
    ['off', 'off'],
    (step) => [
      [step, 'start', 0],
      [step + (step % 3), 'start', 1],
    ],
  ],
  ['6: two on, one stopped', ['on', 'on'], (step, stop) => [[step, stop, 0]]],
  [
    '7: two on, both stopped',
    ['on', 'on'],
    (step, stop) => [
      [step, stop, 0],
      [step + (step % 4), stop, 1],
    ],
  ],
  ['8: one on, one off, the second started', ['on', 'off'], (step) => [[step, 'start', 1]]],
  ['9: one on, one off, the first stopped', ['on', 'off'], (step, stop) => [[step, stop, 0]]],
  [
    'flapping: off, started, stopped, started',
    ['off'],
    (step, stop) => [
      [step, 'start', 0],
      [step + 2, stop, 0],
      [step + 5, 'start', 0],
    ],
  ],
  [
    'flapping: on, stopped, started, stopped',
    ['on'],
    (step, stop) => [
      [step, stop, 0],
      [step + 3, 'start', 0],
      [step + 6, stop, 0],
    ],
  ],
  [
    'three at once, each another way',
    ['on', 'off', 'on'],
    (step, stop) => [
      [step, stop, 0],
      [step + 1, 'start', 1],
      [step + 4, stop, 2],
    ],
  ],
];

describe.each(rows)('row %s', (_, machines, changesAt) => {
  test.each(strategies)('%s: at every moment, by every kind of stop', (strategy) => {
    for (const stop of stops) for (const step of steps) judge({ machines, strategy, changes: changesAt(step, stop) });
  });

  test('PerVirtualMachine, two disks each', () => {
    for (const step of steps) {
      judge({
        machines,
        strategy: 'Always',
        server: 'PerVirtualMachine',
        disks: ['root', 'data'],
        changes: changesAt(step, 'stop'),
      });
    }
  });
});

describe('the other machine goes on undisturbed', () => {
  const timesIn = (world: World, words: string): number => world.log.filter((line) => line.endsWith(words)).length;

  test.each(strategies)('rows 4 and 9, %s: its one client copies to the end', (strategy) => {
    for (const step of steps) {
      const row4 = judge({ machines: ['off', 'off'], strategy, changes: [[step, 'start', 0]] });
      const row9 = judge({ machines: ['on', 'off'], strategy, changes: [[step, 'stop', 0]] });
      expect([timesIn(row4, 'createClient web-2'), timesIn(row9, 'createClient web-2')]).toStrictEqual([1, 1]);
    }
  });

  test.each(strategies)('rows 6 and 8, %s: its one live migration runs to the end', (strategy) => {
    for (const step of steps) {
      const row6 = judge({ machines: ['on', 'on'], strategy, changes: [[step, 'stop', 0]] });
      const row8 = judge({ machines: ['off', 'on'], strategy, changes: [[step, 'start', 0]] });
      for (const world of [row6, row8]) {
        expect([timesIn(world, 'web-2: startLive'), timesIn(world, 'web-2: revert')]).toStrictEqual([1, 0]);
      }
    }
  });
});

test('with no change everything is moved, in whatever state it is', () => {
  for (const strategy of strategies) judge({ machines: ['on', 'off', 'on', 'off'], strategy, changes: [] });
});
