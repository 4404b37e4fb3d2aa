// Whether something may be started for a machine now (law 9): the start-up hold is over, the stores are synced, the
// mode has settled, and they have seen what we wrote. Asked at the moment of acting, never remembered.
import type { Clearance } from '../core/decision.ts';
import type { Mode } from '../core/mode.ts';
import { modeOf } from '../core/mode.ts';
import { keyText, type MachineKey, type Reading } from '../core/reading.ts';
import type { OwnWrites } from './ownWrites.ts';

export interface ClearanceDeps {
  readonly reading: Reading;
  readonly ownWrites: OwnWrites;
  readonly now: () => number;
  /** Clock reading, in ms, until which nothing is started: a dead predecessor may have writes under way. */
  readonly holdUntilMs: number;
}

const waitFor = (what: string): Clearance => ({ kind: 'wait', for: what });

/** `settled` is the mode the machine has settled in; `facts` are those of the stores, unless others are given. */
export const clearanceFor = (
  deps: ClearanceDeps,
  key: MachineKey,
  settled: Mode,
  facts = deps.reading.machine(key),
): Clearance => {
  if (!deps.reading.synced()) return waitFor('every kind of object to be listed');
  const heldMs = deps.holdUntilMs - deps.now();
  if (heldMs > 0) return { kind: 'wait', for: 'the start-up hold to be over', checkAgainMs: heldMs };
  if (facts === undefined) return waitFor('the machine to be seen');
  if (modeOf(facts) !== settled) return waitFor('the machine to settle');
  return deps.ownWrites.clearanceOf(
    [keyText(key), keyText({ namespace: key.namespace, migration: key.migration })],
    deps.reading,
  );
};
