// The scopes that are explored: how many machines and disks, what people may do and what may go wrong in them, and the
// worlds they begin with.
import type { Limits } from '../../../src/core/decision.ts';
import { limits } from '../circumstances.ts';
import type { Shape } from './judgement.ts';
import { folded } from './objects.ts';
import type { PeopleAct } from './people.ts';
import type { Machine, Vm, World } from './world.ts';

export interface Scope extends Shape {
  readonly name: string;
  /** Run strategies to begin with, each running or off as it can be. */
  readonly strategies: readonly Vm['strategy'][];
  readonly people: readonly PeopleAct[];
  /** How often people act, and how often something goes wrong, on one path. */
  readonly acts: number;
  readonly faults: number;
  readonly limits: Limits;
  /** How many kinds may be behind at the same time, each by however much: 5 is all of them. */
  readonly behind: number;
}

const vmId = 1;
const vmiId = 2;
const launcherId = 3;
const idsPerMachine = 4;

const machineOf = (strategy: Vm['strategy'], runs: boolean, disks: number, index: number): Machine => {
  const base = index * idsPerMachine;
  const vm: Vm = {
    exists: true,
    strategy,
    request: '',
    side: 'A',
    update: '',
    generation: base + vmId,
    version: base + vmId,
    created: runs,
    offSince: 0,
  };
  vm.offSince = folded(undefined, vm);
  const vmi = {
    uid: base + vmiId,
    phase: 'Running',
    deleting: false,
    side: 'A',
    migrated: false,
    change: '',
    node: 1,
    attempt: undefined,
  } as const;
  const launcher = { uid: base + launcherId, owner: base + vmiId, side: 'A', node: 1, ending: false } as const;
  const twice = <T>(make: () => T) => ({ real: make(), seen: make() });
  return {
    vm: twice(() => ({ ...vm })),
    vmi: twice(() => ({ now: runs ? { ...vmi } : undefined, last: undefined })),
    vmims: twice(() => []),
    pods: twice(() => ({
      source: runs ? { ...launcher } : undefined,
      target: undefined,
      clients: Array.from({ length: disks }, () => undefined),
    })),
    rec: twice(() => undefined),
    guest: runs ? 'source' : '',
    a: 'current',
    b: Array.from({ length: disks }, () => 'partial' as const),
    torn: Array.from({ length: disks }, () => false),
    namedBy: 'person',
    booted: 'person',
    cached: '',
    cachedNamedBy: 'person',
    unannounced: false,
    quiet: false,
    unseenVm: false,
    unseenRec: false,
    unseenPods: false,
    landed: '',
    failures: 0,
  };
};

const begunAs = ({ strategies }: Scope): readonly { strategy: Vm['strategy']; runs: boolean }[] =>
  strategies.flatMap((strategy): { strategy: Vm['strategy']; runs: boolean }[] => {
    if (strategy === 'Always') return [{ strategy, runs: true }];
    return strategy === 'Halted' ? [{ strategy, runs: false }] : [true, false].map((runs) => ({ strategy, runs }));
  });

/** The worlds that a scope begins with; two machines in either order are the same. */
export const beginningsOf = (scope: Scope): readonly World[] => {
  const kinds = begunAs(scope);
  const rows =
    scope.machines === 1
      ? kinds.map((kind) => [kind])
      : kinds.flatMap((one, index) => kinds.slice(index).map((other) => [one, other]));
  return rows.map((row) => ({
    machines: row.map(({ strategy, runs }, index) => machineOf(strategy, runs, scope.disks, index)),
    server: { real: undefined, seen: undefined },
    migration: {
      real: { finalizer: false, deleting: false, gone: false },
      seen: { finalizer: false, deleting: false, gone: false },
    },
    unseenServer: false,
    late: undefined,
    acts: scope.acts,
    faults: scope.faults,
    restarted: false,
  }));
};

const plain = { machines: 1, disks: 1, people: [], acts: 1, faults: 0, behind: 1, limits } as const;
const onOrOff = ['Always', 'Halted'] as const;
const everything: readonly PeopleAct[] = ['shutDown', 'crash', 'deleteVmi', 'deleteVm', 'deleteMigration'];

/** Scopes that a test explores to their end. */
export const smallScopes: readonly Scope[] = [
  { ...plain, name: 'flapping', strategies: onOrOff, acts: 2 },
  { ...plain, name: 'late views', strategies: onOrOff, people: ['deleteVmi'], behind: 2 },
  { ...plain, name: 'manual', strategies: ['Manual'], people: ['shutDown'] },
  { ...plain, name: 'rerun on failure', strategies: ['RerunOnFailure'], people: ['shutDown', 'crash'] },
  { ...plain, name: 'faults', strategies: onOrOff, people: ['deleteVmi'], faults: 1 },
  { ...plain, name: 'copies that fail', strategies: ['Halted'], acts: 0, faults: 2, behind: 3 },
  { ...plain, name: 'deletions', strategies: onOrOff, people: ['deleteVm', 'deleteMigration'] },
  { ...plain, name: 'moves', strategies: ['Always'], people: ['move', 'shutDown'] },
  { ...plain, name: 'two disks', disks: 2, strategies: onOrOff },
  { ...plain, name: 'group', machines: 2, strategies: onOrOff },
];

/** Larger ones, for `npm run explore`. */
export const largeScopes: readonly Scope[] = [
  { ...plain, name: 'ends and flapping', strategies: onOrOff, people: ['shutDown', 'deleteVmi'], acts: 2 },
  { ...plain, name: 'later views', strategies: onOrOff, people: ['shutDown', 'deleteVmi'], behind: 3 },
  { ...plain, name: 'manual twice', strategies: ['Manual'], people: ['shutDown'], acts: 2 },
  { ...plain, name: 'rerun twice', strategies: ['RerunOnFailure'], people: ['shutDown', 'crash'], acts: 2 },
  { ...plain, name: 'faults, late views', strategies: ['Always'], people: ['deleteVmi'], faults: 1, behind: 2 },
  { ...plain, name: 'faults twice', strategies: onOrOff, people: ['deleteVmi'], faults: 2 },
  {
    ...plain,
    name: 'deletions, faults, late views',
    strategies: ['Always'],
    people: ['shutDown', 'deleteMigration'],
    acts: 2,
    faults: 1,
    behind: 2,
  },
  { ...plain, name: 'deletions twice', strategies: onOrOff, people: ['deleteVm', 'deleteMigration'], acts: 2 },
  { ...plain, name: 'moves twice', strategies: ['Always'], people: ['move', 'shutDown'], acts: 2 },
  { ...plain, name: 'two disks, faults', disks: 2, strategies: onOrOff, people: ['shutDown'], faults: 1 },
  { ...plain, name: 'group, twice', machines: 2, strategies: onOrOff, acts: 2 },
  { ...plain, name: 'group, faults', machines: 2, strategies: onOrOff, faults: 1 },
  { ...plain, name: 'everything', strategies: onOrOff, people: everything, acts: 2, faults: 1, behind: 2 },
];
