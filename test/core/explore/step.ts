// One step of the explored world, and what all steps share: fresh ids, writes of the VM, and what a guest writes.
import { folded } from './objects.ts';
import type { Window } from './windows.ts';
import type { Machine, Side, Vm, World } from './world.ts';

/** What a step tells beside its effect. */
export interface Tell {
  /** A law of design §3 is broken. */
  readonly broken: (law: string) => void;
  /** KubeVirt itself does harm in a moment that nobody can close from outside. */
  readonly window: (name: Window) => void;
  /** The same, and no whole disk is left, or none that can be told: nothing is asked of what follows. */
  readonly lost: (name: Window) => void;
}

export interface Step {
  readonly name: string;
  /** It happens sooner or later when people keep quiet and nothing goes wrong. */
  readonly fair: boolean;
  /** It takes seconds: nothing urgent is left undone meanwhile. */
  readonly slow: boolean;
  /** The daemon ends, undoes or writes something down: it takes milliseconds. */
  readonly urgent: boolean;
  readonly apply: (world: World, tell: Tell) => void;
}

/** How a step is that happens sooner or later, soon or late. */
export const swift = { fair: true, slow: false, urgent: false } as const;

const firstFresh = 128;
let next = firstFresh;

/** Ids of a draft are far below the fresh ones; called before each step. */
export const resetIds = (): void => {
  next = firstFresh;
};

export const freshId = (): number => {
  next += 1;
  return next;
};

/** Writes the VM: a new version and, with a change of spec, a new generation. */
export const writeVm = (machine: Machine, change: Partial<Vm>, part: 'spec' | 'status'): void => {
  const before = machine.vm.real;
  const after: Vm = { ...before, ...change, version: freshId(), offSince: 0 };
  if (part === 'spec') after.generation = freshId();
  after.offSince = folded(before, after);
  machine.vm.real = after;
};

/** Why KubeVirt would start the machine by itself. */
export const isToRun = ({ vm: { real } }: Machine): boolean =>
  real.exists && (real.strategy === 'Always' || real.request === 'Start');

/** The claims under the running guest. */
export const guestSide = (machine: Machine): Side | undefined =>
  machine.guest === '' ? undefined : machine.pods.real[machine.guest]?.side;

export const isWhole = ({ b }: Machine): boolean => b.every((content) => content === 'current');

/** A running guest writes all the time: no other claim holds its newest writes any more. */
export const guestWrites = (machine: Machine): void => {
  const side = guestSide(machine);
  if (side === 'A') {
    machine.torn = machine.pods.real.clients.map((client) => client?.phase === 'Running');
    if (machine.a === 'current') {
      machine.b = machine.b.map((content) => (content === 'current' ? 'old' : content));
    }
  }
  if (side === 'B' && isWhole(machine)) machine.a = 'old';
};

/** The guest is gone and its VMI final. A migration of it has failed; nobody writes the end into the VMI (contract §4.1). */
export const guestEnds = (machine: Machine, phase: 'Succeeded' | 'Failed'): void => {
  const { real } = machine.vmi;
  if (real.now === undefined) return;
  machine.guest = '';
  const attempt = real.now.attempt;
  real.now.phase = phase;
  for (const vmim of machine.vmims.real) {
    if (vmim.phase !== 'Pending' && vmim.phase !== 'Running') continue;
    vmim.phase = 'Failed';
    vmim.ready = attempt?.vmim === vmim.uid && attempt.ready;
  }
};
