// Whether a migration ends when people keep quiet, nothing goes wrong any more, and everything that may happen happens
// sooner or later. Under such fairness a run comes to rest in a part of the graph that no step leads out of; each
// such part must be an end: done, or left to a person for a reason that is there.

import type { Brain } from './brain.ts';
import { decode } from './codec.ts';
import type { Scope } from './scopes.ts';
import { type Graph, lostState } from './search.ts';
import { machineSightOf } from './sight.ts';
import type { Machine, World } from './world.ts';
import { worldCodec } from './world.ts';

export interface Stuck {
  readonly reason: string;
  readonly state: number;
  /** How many states the run goes round in; 1: nothing happens any more. */
  readonly size: number;
}

export interface Liveness {
  /** Ends, by what they are. */
  readonly ends: ReadonlyMap<string, number>;
  readonly stuck: readonly Stuck[];
}

/** What is seen of a machine justifies leaving it to a person for this reason; empty if it does. */
const unjustified = (reason: string, machine: Machine, world: World, scope: Scope): string => {
  const guestOnB = machine.pods.real.source?.side === 'B';
  const { now, last } = machine.vmi.seen;
  const live = machine.rec.seen?.live?.vmi;
  const words = [now, last].find((vmi) => vmi?.uid === live);
  switch (reason) {
    case 'SwitchOverUnknown':
      // Its store remembers one VMI, and of that one it is not told where a target stood that has gone.
      return world.restarted || words === undefined || (words.attempt?.ready && words.side === 'A')
        ? ''
        : 'the end of the VMI was watched';
    case 'BootedOnIncompleteTarget':
      return guestOnB ? '' : 'the guest does not run on the target';
    case 'BootedOnStaleSource':
      return machine.namedBy === 'lateRevert' || machine.booted === 'lateRevert' ? '' : 'no revert came too late';
    case 'MovedBackToSource':
      return machine.vm.real.side === 'B' && !guestOnB ? '' : 'the guest runs on what the VM names';
    case 'VirtualMachineGone':
      return machine.vm.real.exists ? 'the VM exists' : '';
    case 'LiveMigrationFailing':
      return machine.failures >= scope.limits.maxFailedMigrations ? '' : 'too few migrations failed';
    case 'PeerSilent':
      return machine.failures >= scope.limits.maxCopyFailures ? '' : 'too few copies failed';
    case 'MigratesToItself':
      return machine.vmi.real.now?.migrated === true ? '' : 'KubeVirt moves nothing';
    default:
      return 'nobody did anything of the kind';
  }
};

/** What kind of end a state is for one machine; undefined if it is none. */
const endOf = (
  machine: Machine,
  index: number,
  world: World,
  scope: Scope,
  brain: Brain,
): { readonly end?: string; readonly wrong?: string } => {
  const hasPods = machine.pods.real.clients.some((client) => client !== undefined) || world.server.real !== undefined;
  if (world.migration.real.gone) return hasPods ? { wrong: 'gone, with pods left behind' } : { end: 'undone' };
  const { attention, acts } = brain.machine(machineSightOf(world, machine, index, scope), index);
  if (attention !== '') {
    const why = unjustified(attention, machine, world, scope);
    return why === '' ? { end: attention } : { wrong: `${attention}, but ${why}` };
  }
  const rec = machine.rec.real;
  if (rec === undefined && !machine.vm.real.exists) return { end: 'refused' };
  if (rec === undefined || rec.completed === '') return { wrong: 'not finished, and nobody is asked' };
  if (hasPods) return { wrong: 'done, with pods left behind' };
  if (acts.length > 0) return { wrong: 'done, and something is written again and again' };
  const whole = machine.b.every((content) => content === 'current');
  if (machine.vm.real.exists && (machine.vm.real.side !== 'B' || !whole)) {
    if (machine.namedBy === 'lateRevert' || machine.booted === 'lateRevert') return { end: 'after a lost race' };
    return { wrong: 'done, and the VM is not on a whole target' };
  }
  return { end: `done by ${rec.completed}` };
};

/** Finds every part of the graph that no step leads out of, and judges it. */
export const livenessOf = (graph: Graph, scope: Scope, brain: Brain): Liveness => {
  const { offsets, targets, expanded, texts } = graph;
  const count = texts.length;
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const done = new Uint8Array(count);
  const stack: number[] = [];
  const ends = new Map<string, number>();
  const stuck: Stuck[] = [];
  let next = 0;

  const judge = (members: readonly number[]): void => {
    const names = new Set<string>();
    for (const state of members) {
      const world = decode(worldCodec, texts[state] ?? '');
      const found = world.machines.map((machine, index) => endOf(machine, index, world, scope, brain));
      const wrong = found.find((each) => each.wrong !== undefined)?.wrong;
      if (wrong !== undefined) {
        stuck.push({ reason: wrong, state, size: members.length });
        return;
      }
      names.add(found.map((each) => each.end ?? '').join(', '));
    }
    const name = [...names].toSorted().join(' and ');
    ends.set(name, (ends.get(name) ?? 0) + 1);
  };

  const close = (root: number): void => {
    const members: number[] = [];
    for (;;) {
      const member = stack.pop();
      if (member === undefined) break;
      done[member] = 1;
      members.push(member);
      if (member === root) break;
    }
    const inside = new Set(members);
    const leaves = members.some((member) => {
      if (member >= expanded) return true;
      for (let edge = offsets[member] ?? 0; edge < (offsets[member + 1] ?? 0); edge++) {
        if (!inside.has(targets[edge] ?? 0)) return true;
      }
      return false;
    });
    if (!leaves) judge(members);
  };

  // Tarjan's algorithm, without recursion: paths are long.
  const calls: { state: number; edge: number }[] = [];
  const enter = (state: number): void => {
    order[state] = next;
    low[state] = next;
    next += 1;
    stack.push(state);
    calls.push({ state, edge: state < expanded ? (offsets[state] ?? 0) : 0 });
  };
  for (let start = 0; start < count; start++) {
    if (order[start] !== -1) continue;
    enter(start);
    for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
      const { state } = call;
      const end = state < expanded ? (offsets[state + 1] ?? 0) : 0;
      if (call.edge < end) {
        const target = targets[call.edge] ?? 0;
        call.edge += 1;
        if (target === lostState) continue;
        if (order[target] === -1) enter(target);
        else if (done[target] === 0) low[state] = Math.min(low[state] ?? 0, order[target] ?? 0);
        continue;
      }
      calls.pop();
      const caller = calls.at(-1);
      if (caller !== undefined) low[caller.state] = Math.min(low[caller.state] ?? 0, low[state] ?? 0);
      if (low[state] === order[state]) close(state);
    }
  }
  return { ends, stuck };
};
