// That random schedules have in them what they are for: every size of fleet, everything people do, and every fault; and
// that a schedule is the same whenever it is drawn, and can be drawn with fewer parts.
import { describe, expect, test } from 'vitest';
import { machineActs, migrationActs } from '../../src/sim/scenario/fleet.ts';
import { faultName, faultNames } from './plannedFaults.ts';
import { endKinds, isContested, keeping, partsOf, planSchedule } from './schedule.ts';
import { scheduleText } from './scheduleText.ts';

const schedules = Array.from({ length: 1000 }, (_, index) => planSchedule(index + 1));
const fleets = schedules.map(({ fleet }) => fleet);
const distinct = <T>(values: readonly T[]): ReadonlySet<T> => new Set(values);
const upTo = (most: number): readonly number[] => Array.from({ length: most }, (_, index) => index + 1);

describe('among a thousand random schedules', () => {
  test('there are fleets of 1 to 20 machines with 1 to 4 disks', () => {
    expect([...distinct(fleets.map(({ machines }) => machines.length))].toSorted((a, b) => a - b)).toEqual(upTo(20));
    const disks = fleets.flatMap(({ machines }) => machines.map((machine) => machine.disks.length));
    expect([...distinct(disks)].toSorted()).toEqual(upTo(4));
  });

  test('one in five has several StorageMigrations, one in ten several namespaces', () => {
    const several = fleets.filter(({ migrations }) => migrations.length > 1);
    const spread = fleets.filter(({ machines }) => distinct(machines.map(({ namespace }) => namespace)).size > 1);
    expect(several.length).toBeGreaterThan(200);
    expect(spread.length).toBeGreaterThan(100);
  });

  test('people do everything that they can', () => {
    const acts = distinct(fleets.flatMap((fleet) => fleet.acts.map(({ what }) => what)));
    expect([...machineActs, ...migrationActs].filter((what) => !acts.has(what))).toEqual([]);
  });

  test('everything goes wrong that can, and in some nothing does', () => {
    const faults = distinct(schedules.flatMap(({ faults: each }) => each.map(faultName)));
    expect(faultNames.filter((name) => !faults.has(name))).toEqual([]);
    const calm = schedules.filter(({ faults: each }) => each.length === 0);
    expect(calm.length).toBeGreaterThan(100);
  });

  test('daemons crash, are restarted, and are there twice, for a moment and for longer', () => {
    const ends = schedules.flatMap((schedule) => schedule.ends);
    expect([...distinct(ends.map(({ kind }) => kind))].toSorted()).toEqual(endKinds.toSorted());
    expect([...distinct(ends.map(isContested))].toSorted()).toEqual([false, true]);
  });
});

describe('a schedule', () => {
  test('is the same whenever it is drawn', () => {
    for (const schedule of schedules.slice(0, 50)) expect(planSchedule(schedule.seed)).toEqual(schedule);
  });

  test('is the whole of its parts, and each is told in a line of its own', () => {
    for (const schedule of schedules.slice(0, 50)) {
      const parts = partsOf(schedule);
      expect(keeping(schedule, new Set(parts))).toEqual(schedule);
      // Besides the parts: the StorageMigrations, when the daemon starts, and the quiet.
      expect(scheduleText(schedule)).toHaveLength(parts.length + schedule.fleet.migrations.length + 2);
    }
  });

  test('without a machine has nothing left that is about it', () => {
    for (const schedule of schedules.slice(0, 50)) {
      const [first, ...rest] = schedule.fleet.machines.map(({ name }) => name);
      const without = keeping(schedule, new Set(partsOf(schedule).filter((name) => name !== first)));
      expect(without.fleet.machines.map(({ name }) => name)).toEqual(rest);
      expect(scheduleText(without).filter((line) => line.includes(`${first}:`))).toEqual([]);
      expect(without.fleet.migrations.flatMap(({ machines }) => machines)).not.toContain(first);
    }
  });
});
