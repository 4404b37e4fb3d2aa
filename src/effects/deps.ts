// What every effect is given: the port, what may be read, the clock, and the bounds of Config. Passed in by main.ts,
// so that tests pass in the simulated cluster and virtual time.
import type { CopyRefusal } from '../core/copyTrouble.ts';
import type { Limits } from '../core/decision.ts';
import type { Mode } from '../core/mode.ts';
import type { MachineKey, Reading } from '../core/reading.ts';
import type { WriteRefusal } from '../core/writeTrouble.ts';
import type { KubeApi } from '../kube/api.ts';
import type { OwnWrites } from './ownWrites.ts';

/** Bounds of the effects themselves; all are values of Config. */
export interface EffectLimits {
  /** Wait after a write that was not done; doubles up to the maximum. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
  /** Least time between two patches that begin a move of the same machine. */
  readonly moveGapMs: number;
  /** Status for people is written at most this often; records are written at once. */
  readonly statusMs: number;
  /** Pods of one migration that are made at the same time. */
  readonly concurrentCreates: number;
}

export interface EffectDeps {
  readonly api: KubeApi;
  readonly reading: Reading;
  readonly ownWrites: OwnWrites;
  /** Clock reading in ms since the epoch. */
  readonly now: () => number;
  /** Clock reading, in ms, until which nothing is started (law 9). */
  readonly holdUntilMs: number;
  readonly limits: Limits & EffectLimits;
  readonly copyImage: string;
  /** So many random bytes, as hexadecimal digits. */
  readonly randomHex: (bytes: number) => string;
  /** Machines for which the API server will not have a copy pod, by their key; kept by groupLoop.ts, for people alone. */
  readonly copyRefusals: Map<string, CopyRefusal>;
  /** Writes about machines that it will not take, by the key of the machine; kept by machineLoop.ts, for people alone. */
  readonly writeRefusals: Map<string, WriteRefusal>;
  /** The mode a machine has settled in; `hold` for one that is not known. */
  readonly settledMode: (key: MachineKey) => Mode;
}
