// The per-machine mode streams: one group per machine for as long as it is in a migration, its mode derived from its
// facts and settled. Leaving a mode passes at once; entering live or offline waits for quiet (design §4, law 9).
import {
  combineLatest,
  concat,
  endWith,
  ignoreElements,
  interval,
  map,
  type OperatorFunction,
  of,
  share,
  startWith,
  switchMap,
  takeUntil,
  takeWhile,
} from 'rxjs';
import type { MachineFacts } from '../core/facts.ts';
import { type Mode, modeOf } from '../core/mode.ts';
import { keyText, type MachineKey } from '../core/reading.ts';
import { groupWhile } from '../operators/groupWhile.ts';
import { settle } from '../operators/settle.ts';
import type { MachineChange } from './machines.ts';

/** A machine's newest facts and the mode it has settled in; a wake-up for the effects. */
export interface Situation {
  readonly key: MachineKey;
  /** Undefined: the machine is gone; the last that is heard of it. */
  readonly facts: MachineFacts | undefined;
  readonly settled: Mode;
}

export interface ModesOptions {
  /** How long a machine must keep still before `live` or `offline` is entered. */
  readonly settleMs: number;
  /** However restless it is, at the latest after this time. */
  readonly settleMaxMs: number;
  /** Everything is looked at again this often, with no event at all: a missed event costs time, not correctness. */
  readonly resyncMs: number;
}

const isUrgent = (mode: Mode): boolean => mode === 'hold' || mode === 'done';

/**
 * Every change of a machine and every change of its settled mode, as situations. What is watched beside the events,
 * here the slow tick, is switched with the mode.
 *
 *     facts    l------h---o-----------     settling takes 4 frames
 *     mode     h---l--h-------o-------     h: hold
 */
export const modesOf = ({
  settleMs,
  settleMaxMs,
  resyncMs,
}: ModesOptions): OperatorFunction<MachineChange, Situation> =>
  groupWhile({
    key: (change: MachineChange) => keyText(change.key),
    until: (change) => change.facts === undefined,
    project: (group$) => {
      const change$ = group$.pipe(share());
      const mode$ = change$.pipe(
        map(({ facts }): Mode => (facts === undefined ? 'hold' : modeOf(facts))),
        settle<Mode>({ isUrgent, quietMs: settleMs, maxWaitMs: settleMaxMs, meanwhile: () => 'hold' }),
        // A machine that is first seen has not settled in anything, but what must end may end at once.
        startWith<Mode>('hold'),
        switchMap((mode) => concat(of(mode), interval(resyncMs).pipe(map(() => mode)))),
      );
      return combineLatest([change$, mode$]).pipe(
        map(([change, settled]): Situation => ({ key: change.key, facts: change.facts, settled })),
        // The slow tick has no end of its own.
        takeUntil(change$.pipe(ignoreElements(), endWith('gone'))),
        // Nor is there a mode to be told of a machine that is gone.
        takeWhile(({ facts }) => facts !== undefined, true),
      );
    },
  });
