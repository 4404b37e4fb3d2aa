// Plays for the little world: machines, what happens to them and when, run until nothing moves any more, and judged.
import { expect } from 'vitest';
import type { RunStrategy, StorageMigration } from '../../src/core/objects.ts';
import type { MigrationRecord, StorageMigrationSpec } from '../../src/core/storageMigration.ts';
import { claimOn, launcher, record, startMs, stoppedVm, storageMigration, vm, vmi, wanted } from './builders.ts';
import { daemonTurn, emptyWorld, factsFor, say, type World } from './world.ts';
import { act, move } from './worldMoves.ts';

export type Action = keyof typeof act | 'pause' | 'resume' | 'delete';

export interface Play {
  readonly machines: readonly { readonly is: 'on' | 'off'; readonly strategy: RunStrategy }[];
  readonly disks?: readonly string[];
  readonly spec?: Partial<StorageMigrationSpec>;
  /** What happens, before which step, and to which machine where it is about one. */
  readonly changes: readonly { readonly step: number; readonly action: Action; readonly machine: number }[];
  /** How many small steps the world takes between two looks of the daemon; 1 everywhere if absent. */
  readonly pace?: readonly number[];
}

export const nameOf = (index: number): string => `web-${index + 1}`;

const begin = ({ machines, spec = {}, disks = ['root'] }: Play): World => {
  const names = machines.map((_, index) => nameOf(index));
  const records = Object.fromEntries(
    names.map((name): [string, MigrationRecord] => [name, record({ machine: name, diskNames: disks })]),
  );
  const migration = storageMigration({
    records,
    spec: { virtualMachines: names.map((name) => wanted(name, disks)), ...spec },
  });
  const world = emptyWorld(migration, startMs);
  machines.forEach(({ is, strategy }, index) => {
    const name = nameOf(index);
    for (const disk of disks) world.content.set(claimOn('source', name, disk), 1);
    world.newest.set(name, 1);
    if (is === 'off') {
      const runStrategy = strategy === 'Always' ? 'Halted' : strategy;
      world.vms.set(name, stoppedVm({ name, disks, runStrategy, actedRunStrategy: runStrategy }));
      return;
    }
    const noStart = strategy === 'Always' ? {} : { offSince: '90', offSinceMs: startMs };
    world.vms.set(name, vm({ name, disks, runStrategy: strategy, actedRunStrategy: strategy, ...noStart }));
    world.vmis.set(name, vmi({ name, disks }));
    const pod = launcher('source', { machine: name, disks: [...disks] });
    world.pods.set(pod.name, pod);
  });
  return world;
};

const edit = (world: World, what: string, change: Partial<StorageMigration>): void => {
  say(world, what);
  world.migration = { ...world.migration, generation: world.migration.generation + 1, ...change };
};

const carryOut = (world: World, action: Action, machine: number): void => {
  const { spec } = world.migration;
  if (action === 'pause') edit(world, 'paused', { spec: { ...spec, paused: true } });
  else if (action === 'resume') edit(world, 'resumed', { spec: { ...spec, paused: false } });
  else if (action === 'delete') edit(world, 'the migration is deleted', { deleting: true });
  else act[action](world, nameOf(machine));
};

/** Runs a play to the end: until nothing moves and nobody wants to look again. */
const run = (play: Play): World => {
  const world = begin(play);
  const last = Math.max(0, ...play.changes.map(({ step }) => step));
  for (let step = 0; step < 500; step += 1) {
    for (const change of play.changes) if (change.step === step) carryOut(world, change.action, change.machine);
    const { acted, checkAgainMs } = daemonTurn(world);
    let moved = false;
    const pace = play.pace?.[step % play.pace.length] ?? 1;
    for (let index = 0; index < pace; index += 1) moved = move(world) || moved;
    world.now += 1000;
    if (!acted && !moved && checkAgainMs === undefined && step > last) return world;
  }
  world.faults.add('it never ends');
  return world;
};

/**
 * Runs a play and fails with its story unless every law held, no write was lost, and every machine ended up moved or,
 * when the migration was deleted, at least with nothing left to undo.
 */
export const judge = (play: Play): World => {
  const world = run(play);
  for (const [index] of play.machines.entries()) {
    const name = nameOf(index);
    const { record: found, spec } = factsFor(world, name);
    const isMoved = found?.completed !== undefined && spec === 'target';
    const isUndone = world.migration.deleting && found?.live === undefined && spec === 'source';
    if (!isMoved && !isUndone) world.faults.add(`${name} is not moved`);
    for (const disk of found?.disks ?? []) {
      const claim = spec === 'target' ? disk.target : disk.source;
      if (world.content.get(claim) !== world.newest.get(name)) world.faults.add('2: a write is lost');
    }
  }
  if (world.migration.deleting && [...world.pods.values()].some((pod) => pod.migrationUid !== '')) {
    world.faults.add('a copy pod is left');
  }
  if (world.faults.size > 0) {
    expect.fail(`${[...world.faults].join('; ')}\n${JSON.stringify(play)}\n${world.log.join('\n')}`);
  }
  return world;
};
