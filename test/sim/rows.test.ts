// The nine rows of design §2 on the simulated cluster, each with everything the table leaves open, in virtual time and
// under the laws: run strategies, ways to stop, kinds and numbers of disks, pods Pending or Running, the change at any
// moment of the migration, people who change their minds, and one server for all or for each.
import { describe, expect, test } from 'vitest';
import { rowAs } from '../../src/sim/scenario/restarts.ts';
import { type Row, rows } from '../../src/sim/scenario/rows.ts';
import { usualVariation, type Variation } from '../../src/sim/scenario/variation.ts';
import { playedRow } from './playedRow.ts';

const passes = (row: Row, variation: Partial<Variation>): void => {
  const full = { ...usualVariation, ...variation };
  const { result, stage } = playedRow(rowAs(row, full), variation);
  if (result.faults.length === 0) return;
  const seen = result.milestones.map(({ atMs, what }) => `${atMs} ${what}`);
  expect.fail([...result.faults, ...seen, ...stage.watch.recent(40)].join('\n'));
};

const turnsOff = ({ machines, changed }: Row): boolean => machines.some(({ name, on }) => on && changed.includes(name));
const beginsOff = ({ machines }: Row): boolean => machines.some(({ on }) => !on);

const strategiesOn = ['Always', 'Manual', 'RerunOnFailure', 'running'] as const;
const strategiesOff = ['Halted', 'Manual', 'RerunOnFailure', 'stopped'] as const;
const stops = ['api', 'guest shutdown', 'guest crash', 'deleting the VMI'] as const;

/** Every combination of run strategies and ways to stop that means something for the row. */
const runs = (row: Row): readonly Partial<Variation>[] => {
  const on = row.machines.some((machine) => machine.on) ? strategiesOn : (['Always'] as const);
  const off = beginsOff(row) ? strategiesOff : (['Halted'] as const);
  const by = turnsOff(row) ? stops : (['api'] as const);
  return on
    .flatMap((strategyOn, index) =>
      by.map((stopBy) => ({ strategyOn, stopBy, strategyOff: off[index % off.length] ?? 'Halted' })),
    )
    .concat(
      on.length === 1
        ? off.map((strategyOff) => ({ strategyOn: 'Always' as const, stopBy: 'api' as const, strategyOff }))
        : [],
    );
};

const disks: readonly Partial<Variation>[] = [
  { disksEach: 3 },
  { disksEach: 2, diskKinds: ['template', 'claim'] },
  { disksEach: 2, diskKinds: ['dataVolume', 'hotplug'] },
  { disksEach: 3, diskKinds: ['hotplug', 'template', 'claim'], strategyOn: 'Manual', strategyOff: 'Manual' },
  { disksEach: 2, diskKinds: ['template', 'hotplug'], stopBy: 'guest shutdown' },
];

const pods: readonly Partial<Variation>[] = [
  { copyPods: 'pending' },
  { copyPods: 'running' },
  { copyPods: 'running', disksEach: 2 },
];

/** The change anywhere in a migration, from before it is accepted until it is over. */
const moments = (stepMs: number, lastMs: number): readonly number[] =>
  Array.from({ length: Math.floor(lastMs / stepMs) + 1 }, (_, index) => index * stepMs);

const tellOf = (variation: Partial<Variation>): string =>
  Object.entries(variation)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ');

for (const row of rows) {
  describe(`row ${row.number}, ${row.title}: ${row.expected}`, () => {
    for (const variation of runs(row)) test(tellOf(variation), () => passes(row, variation));
    for (const variation of disks) test(tellOf(variation), () => passes(row, variation));
    if (beginsOff(row)) for (const variation of pods) test(tellOf(variation), () => passes(row, variation));
    test('some time after the moment of the row', () => {
      for (const delayMs of [1, 10, 50, 150, 300, 550, 700, 900, 1500, 2500]) passes(row, { delayMs });
    });
    test('a server for each machine', () => {
      passes(
        { ...row, chains: row.chains.filter((chain) => !chain.join().includes('server')), never: [] },
        { server: 'PerVirtualMachine' },
      );
      for (const delayMs of moments(1300, 9000)) passes(row, { server: 'PerVirtualMachine', moment: 'any', delayMs });
    });
    test('the change at any moment of the migration', () => {
      for (const delayMs of moments(283, 12_000)) passes(row, { moment: 'any', delayMs });
    });
    if (turnsOff(row)) {
      test.each(stops.slice(1))('at any moment: %s', (stopBy) => {
        for (const delayMs of moments(457, 9000)) passes(row, { moment: 'any', delayMs, stopBy });
        for (const delayMs of moments(1213, 9000))
          passes(row, { moment: 'any', delayMs, stopBy, strategyOn: 'Manual' });
        for (const delayMs of moments(1187, 9000))
          passes(row, { moment: 'any', delayMs, stopBy, strategyOn: 'RerunOnFailure' });
      });
    }
    test('people who change their minds', () => {
      for (const times of [1, 2, 3])
        for (const gapMs of [5, 90, 400, 950, 1700, 3100]) passes(row, { flaps: { times, gapMs } });
      for (const delayMs of moments(1500, 9000))
        passes(row, { moment: 'any', delayMs, flaps: { times: 2, gapMs: 300 } });
    });
  });
}
