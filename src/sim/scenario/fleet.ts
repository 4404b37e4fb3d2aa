// Random fleets for seeded tests: machines with disks, the StorageMigrations that move them, and what people will do
// to both and when. Pure: the same numbers give the same plan, and a plan is data that can be printed.
import type { Cast } from './milestones.ts';
import type { DiskKind } from './variation.ts';

export interface PlannedMachine extends Cast {
  readonly runStrategy: 'Always' | 'Halted' | 'Manual' | 'RerunOnFailure' | 'Once' | 'running' | 'stopped';
  /** Started when it is made, where the strategy leaves that to people. */
  readonly started: boolean;
  readonly diskKinds: readonly DiskKind[];
  /** People made the target claims; else they are for the daemon to make. */
  readonly targetsExist: boolean;
  readonly liveCopyMs: number;
  readonly offlineCopyMs: number;
  /** The first so many live copies, and so many copies of a disk, fail. */
  readonly failures: number;
}

export interface PlannedMigration {
  readonly name: string;
  readonly namespace: string;
  readonly machines: readonly string[];
  readonly server: 'Shared' | 'PerVirtualMachine';
  readonly retention: 'KeepSource' | 'DeleteSource';
  readonly createdAtMs: number;
}

export const machineActs = [
  'start',
  'stop',
  'stop at once',
  'guest shutdown',
  'guest crash',
  'delete the VMI',
  'restart',
  'pause the guest',
  'unpause the guest',
  'migrate',
  'cancel a migration',
  'set Always',
  'set Halted',
  'set Manual',
  'set RerunOnFailure',
  'label the VM',
  'edit the CPU',
  'delete a copy client',
  'delete a copy server',
  'lose a copy pod',
  'delete a virt-launcher',
  'delete the VM',
] as const;

export const migrationActs = [
  'pause',
  'resume',
  'edit',
  'one server for each',
  'delete the sources',
  'drop a machine',
  'name all machines',
  'delete',
  'make again',
] as const;

export type Act =
  | {
      readonly atMs: number;
      readonly kind: 'machine';
      readonly machine: number;
      readonly what: (typeof machineActs)[number];
    }
  | {
      readonly atMs: number;
      readonly kind: 'migration';
      readonly migration: number;
      readonly what: (typeof migrationActs)[number];
    };

export interface Fleet {
  readonly machines: readonly PlannedMachine[];
  readonly migrations: readonly PlannedMigration[];
  /** In order of time; `atMs` counts from when the machines are as they begin. */
  readonly acts: readonly Act[];
  /** After this time nobody does anything any more. */
  readonly quietAtMs: number;
}

/** Most fleets are small. */
const mostMachines = 20;

/** Draws from a list; earlier entries are no likelier than later ones, so write a likely one twice. */
export const oneOf = <T>(random: () => number, values: readonly [T, ...(readonly T[])]): T =>
  values[Math.floor(random() * values.length)] ?? values[0];

export const between = (random: () => number, least: number, most: number): number =>
  Math.floor(least + random() * (most - least + 1));

const strategies = [
  'Always',
  'Always',
  'Halted',
  'Halted',
  'Manual',
  'RerunOnFailure',
  'Once',
  'running',
  'stopped',
] as const;
const kinds = ['claim', 'claim', 'claim', 'dataVolume', 'template', 'hotplug'] as const;

const planMachine = (random: () => number, namespace: string, name: string): PlannedMachine => {
  const disks = random() < 0.6 ? 1 : between(random, 2, 4);
  return {
    name,
    namespace,
    disks: Array.from({ length: disks }, (_, index) => ({
      volume: `disk${index}`,
      source: `${name}-disk${index}-old`,
      target: `${name}-disk${index}-new`,
    })),
    runStrategy: oneOf(random, strategies),
    started: random() < 0.6,
    diskKinds: Array.from({ length: disks }, () => oneOf(random, kinds)),
    targetsExist: random() < 0.6,
    liveCopyMs: between(random, 200, 6000),
    offlineCopyMs: between(random, 200, 5000),
    failures: random() < 0.1 ? between(random, 1, 2) : 0,
  };
};

const planMigrations = (random: () => number, machines: readonly PlannedMachine[]): readonly PlannedMigration[] => {
  const groups = new Map<string, PlannedMachine[]>();
  const split = oneOf(random, [1, 1, 2, 3]);
  for (const machine of machines) {
    const name = `${machine.namespace}-${between(random, 1, split)}`;
    groups.set(name, [...(groups.get(name) ?? []), machine]);
  }
  return [...groups].map(([name, members]) => ({
    name,
    namespace: members[0]?.namespace ?? '',
    machines: members.map((machine) => machine.name),
    server: random() < 0.75 ? 'Shared' : 'PerVirtualMachine',
    retention: random() < 0.75 ? 'KeepSource' : 'DeleteSource',
    createdAtMs: between(random, 0, 3000),
  }));
};

/** The rest, and twice what finds nothing to be done to most of the time. */
const unusual = [
  ...machineActs,
  'cancel a migration',
  'delete a copy client',
  'delete a copy client',
  'delete a copy server',
  'lose a copy pod',
  'lose a copy pod',
] as const;

const planActs = (random: () => number, machines: number, migrations: number, untilMs: number): readonly Act[] => {
  const usual = [
    'start',
    'start',
    'start',
    'stop',
    'stop',
    'stop',
    'guest shutdown',
    'guest crash',
    'delete the VMI',
  ] as const;
  const each = between(random, 0, machines === 1 ? 7 : 4);
  const ofMachines = Array.from({ length: machines * each }).flatMap((): readonly Act[] => {
    const what = random() < 0.65 ? oneOf(random, usual) : oneOf(random, unusual);
    const atMs = between(random, 0, untilMs);
    const act = { atMs, kind: 'machine', machine: between(random, 0, machines - 1), what } as const;
    if (what !== 'pause the guest') return [act];
    return [act, { ...act, atMs: between(random, atMs, untilMs), what: 'unpause the guest' }];
  });
  const count = random() < 0.5 ? 0 : between(random, 1, 4);
  const ofMigrations = Array.from({ length: count }, (): Act => {
    const what = oneOf(random, migrationActs);
    return {
      atMs: between(random, 0, untilMs),
      kind: 'migration',
      migration: between(random, 0, migrations - 1),
      what,
    };
  });
  return [...ofMachines, ...ofMigrations].toSorted((a, b) => a.atMs - b.atMs);
};

/** Plans a fleet from random numbers between 0 and 1. */
export const planFleet = (random: () => number): Fleet => {
  const count = 1 + Math.floor((mostMachines - 0.001) * random() ** 8);
  const machines = Array.from({ length: count }, (_, index) =>
    planMachine(random, count > 1 && random() < 0.2 ? 'lab' : 'shop', `vm${index}`),
  );
  const migrations = planMigrations(random, machines);
  const quietAtMs = between(random, 4000, 25_000);
  return { machines, migrations, quietAtMs, acts: planActs(random, count, migrations.length, quietAtMs) };
};
