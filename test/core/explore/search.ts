// Explores a scope breadth-first to the end of its reachable states or to a bound. States are texts, equal but for
// names; a violation is reported with the shortest path that leads to it.
import { type Brain, brainOf } from './brain.ts';
import { decode, encode, peek } from './codec.ts';
import { copySteps } from './copies.ts';
import { daemonSteps } from './daemon.ts';
import { kubeVirtSteps } from './kubeVirt.ts';
import { peopleSteps } from './people.ts';
import { beginningsOf, type Scope } from './scopes.ts';
import { lawsOfState } from './stateLaws.ts';
import { resetIds, type Step, type Tell } from './step.ts';
import { type Core, realCore } from './testedCore.ts';
import { tidy } from './tidy.ts';
import type { Window } from './windows.ts';
import { type World, worldCodec } from './world.ts';

/** Where an exploration is cut off; what lies beyond is not judged. */
export interface Bounds {
  /** Steps from a beginning. */
  readonly depth: number;
  /** Bounds the memory: a state takes some 400 bytes, with all that is remembered of it. */
  readonly states: number;
  readonly seconds: number;
}

export const unbounded: Bounds = {
  depth: Number.POSITIVE_INFINITY,
  states: Number.POSITIVE_INFINITY,
  seconds: Number.POSITIVE_INFINITY,
};

export interface Violation {
  readonly law: string;
  readonly depth: number;
  /** The steps that lead to it, in words. */
  readonly path: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** What ended it: `end` when every reachable state was visited, else the first violation or a bound. */
  readonly stoppedBy: 'end' | 'violation' | keyof Bounds;
  readonly violation: Violation | undefined;
  /** What KubeVirt does to a guest by itself: name, how often, and the shortest path. */
  readonly windows: ReadonlyMap<Window, { count: number; readonly path: readonly string[] }>;
  readonly graph: Graph;
  readonly brain: Brain;
}

/** What was explored, for liveness: steps that happen sooner or later. */
export interface Graph {
  readonly texts: readonly string[];
  /** For each state where its edges begin in `targets`; one more at the end. */
  readonly offsets: Uint32Array;
  readonly targets: Uint32Array;
  /** States from here on were not expanded. */
  readonly expanded: number;
  readonly pathTo: (state: number) => readonly string[];
}

/** Stands for every state in which KubeVirt has left no whole disk. */
export const lostState = 0xffff_ffff;

/** An array of numbers that grows. */
const growing = () => {
  let values = new Uint32Array(1 << 16);
  let length = 0;
  return {
    push: (value: number): void => {
      if (length === values.length) {
        const larger = new Uint32Array(values.length * 2);
        larger.set(values);
        values = larger;
      }
      values[length] = value;
      length += 1;
    },
    at: (index: number): number => values[index] ?? 0,
    length: () => length,
    done: () => values.subarray(0, length),
  };
};

/** Every step that is possible in a state, and the law that a decision taken in it breaks. */
export const stepsIn = (world: World, scope: Scope, brain: Brain): { steps: readonly Step[]; broken: string } => {
  const steps: Step[] = [];
  const mayFail = world.faults > 0;
  for (const [index, machine] of world.machines.entries()) kubeVirtSteps(machine, index, mayFail, steps);
  copySteps(world, mayFail, steps);
  const broken = daemonSteps(world, brain, scope, steps);
  peopleSteps(world, scope.people, steps);
  const isUrgent = steps.some(({ urgent }) => urgent);
  return { steps: isUrgent ? steps.filter(({ slow }) => !slow) : steps, broken };
};

const watchedKinds = 5;
const podsKind = 3;
const recordKind = 4;

/** How many kinds of object have changed in a way that the daemon has not seen yet. */
const kindsBehind = (behind: readonly boolean[]): number => {
  const kinds = [false, false, false, false, false];
  const ofMachines = behind.length - 2;
  for (const [index, is] of behind.entries()) {
    if (!is) continue;
    kinds[index < ofMachines ? index % watchedKinds : index === ofMachines ? podsKind : recordKind] = true;
  }
  return kinds.filter(Boolean).length;
};

/** Explores one scope. */
export const explore = (scope: Scope, bounds: Bounds, core: Core = realCore): Exploration => {
  const brain = brainOf(core, scope, scope.limits);
  const known = new Map<string, number>();
  const texts: string[] = [];
  const behinds = growing();
  const parents = growing();
  const ordinals = growing();
  const offsets = growing();
  const targets = growing();
  const windows = new Map<Window, { count: number; path: readonly string[] }>();
  let violation: Violation | undefined;
  let transitions = 0;

  const visit = (text: string, behind: number, parent: number, ordinal: number): number => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const index = texts.push(text) - 1;
    known.set(text, index);
    behinds.push(behind);
    parents.push(parent);
    ordinals.push(ordinal);
    return index;
  };
  const pathTo = (state: number): readonly string[] => {
    const parent = parents.at(state) - 1;
    if (parent < 0) return [];
    const { steps } = stepsIn(peek(worldCodec, texts[parent] ?? ''), scope, brain);
    return [...pathTo(parent), steps[ordinals.at(state)]?.name ?? '?'];
  };
  const violated = (law: string, path: readonly string[]): void => {
    violation ??= { law, depth: path.length, path };
  };

  for (const beginning of beginningsOf(scope)) visit(encode(worldCodec, beginning).text, 0, 0, 0);
  const endsAt = Date.now() + bounds.seconds * 1000;
  let depth = 0;
  let levelEnds = texts.length;
  let state = 0;
  const stop = (): Exploration['stoppedBy'] | undefined => {
    if (violation !== undefined) return 'violation';
    if (state === texts.length) return 'end';
    if (depth >= bounds.depth) return 'depth';
    if (texts.length >= bounds.states) return 'states';
    return state % 1000 === 0 && Date.now() > endsAt ? 'seconds' : undefined;
  };
  let stoppedBy = stop();
  for (; stoppedBy === undefined; stoppedBy = stop()) {
    const text = texts[state] ?? '';
    const world = peek(worldCodec, text);
    // When everything is seen any change is possible, also one of more kinds at once.
    const behindNow = behinds.at(state);
    const mostBehind = behindNow === 0 ? watchedKinds : Math.max(scope.behind, behindNow - 1);
    const { steps, broken } = stepsIn(world, scope, brain);
    if (broken !== '') violated(broken, pathTo(state));
    offsets.push(targets.length());
    for (const [ordinal, step] of steps.entries()) {
      const draft = decode(worldCodec, text);
      let isLost = false;
      const window = (name: Window): void => {
        const seen = windows.get(name);
        if (seen === undefined) windows.set(name, { count: 1, path: [...pathTo(state), step.name] });
        else seen.count += 1;
      };
      const tell: Tell = {
        broken: (law) => violated(law, [...pathTo(state), step.name]),
        window,
        lost: (name) => {
          isLost = true;
          window(name);
        },
      };
      resetIds();
      step.apply(draft, tell);
      tidy(draft);
      const encoded = encode(worldCodec, draft);
      const behind = kindsBehind(encoded.behind);
      if (behind > mostBehind) continue;
      transitions += 1;
      if (isLost) {
        if (step.fair) targets.push(lostState);
        continue;
      }
      lawsOfState(draft, tell);
      const target = visit(encoded.text, behind, state + 1, ordinal);
      if (step.fair) targets.push(target);
    }
    state += 1;
    if (state === levelEnds && state < texts.length) {
      depth += 1;
      levelEnds = texts.length;
    }
  }
  const expanded = state;
  offsets.push(targets.length());
  return {
    states: texts.length,
    transitions,
    depth,
    stoppedBy,
    violation,
    windows,
    graph: { texts, offsets: offsets.done(), targets: targets.done(), expanded, pathTo },
    brain,
  };
};
