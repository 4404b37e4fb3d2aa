// The words in which the core speaks to the effects: commands, and a decision that says what is waited for.
import type { MigrationRecord, RecordedDisk, VirtualMachineSpec } from './storageMigration.ts';

/** Something to be done about one machine. Every command is safe to repeat and guarded against having come too late. */
export type Command =
  /** Writes the machine's record to our status: what must survive a restart, before the act it is about (law 8). */
  | { readonly kind: 'record'; readonly why: RecordReason; readonly record: MigrationRecord }
  /** Patches a running machine's volumes to B: KubeVirt then copies them under the guest. */
  | { readonly kind: 'startLive' }
  /** Patches the volumes back to A: cancels a live migration. */
  | { readonly kind: 'revert'; readonly cause: CancelCause }
  /** Patches the volumes to B, where the guest runs: a cancel lost against the switch-over (law 4) or against a restart. */
  | {
      readonly kind: 'repair';
      /** Present: the guest was booted on B as it was, and KubeVirt, which was told A meanwhile, must not copy B over it. */
      readonly strategy?: 'Migration';
    }
  /** Patches a stopped machine's volumes to B after a whole offline copy. */
  | { readonly kind: 'cutOver' }
  /** Makes a target claim that does not exist. */
  | {
      readonly kind: 'createClaim';
      readonly disk: RecordedDisk;
      readonly target: VirtualMachineSpec['volumes'][number]['target'];
    }
  /** Deletes a source claim as `retention: DeleteSource` asks (law 10). */
  | { readonly kind: 'deleteSource'; readonly disk: RecordedDisk };

export type RecordReason =
  | 'liveBegins'
  | 'liveFollowed'
  | 'liveEnded'
  | 'endSeen'
  | 'switchedOver'
  | 'movedBack'
  | 'copyBegins'
  | 'copyEnded'
  | 'copyFailed'
  | 'copyVoid'
  | 'cutOverBegins'
  | 'completed'
  | 'seenOnTarget'
  | 'gaveUp'
  | 'triedAgain'
  | 'sourcesDeleted';

/** Why something was cancelled; bounded, for metrics and events. */
export type CancelCause = 'stopped' | 'started' | 'deleted' | 'restarted' | 'failing' | 'edited' | 'finished';

/** Where a machine stands, for people. */
export type Phase =
  | 'Pending'
  | 'Waiting'
  | 'CopyingLive'
  | 'SwitchedOver'
  | 'Reverting'
  | 'CopyingOffline'
  | 'CuttingOver'
  | 'Moved'
  | 'Cancelled'
  | 'Failed'
  | 'NeedsAttention';

/** Something that only a person can settle (law 7): what was seen, and what can be done. */
export interface Attention {
  /** CamelCase, for conditions and events. */
  readonly reason: string;
  readonly message: string;
}

export interface Decision {
  readonly phase: Phase;
  readonly commands: readonly Command[];
  /** The commands begin something. Those that end, undo or write down are never held back and never queue behind these. */
  readonly begins: boolean;
  /** The fact that must change before the next step, as a clause; empty when there is nothing to wait for. */
  readonly waitingFor: string;
  /** Look again after this many ms even if nothing changes. */
  readonly checkAgainMs: number | undefined;
  readonly attention: Attention | undefined;
}

/**
 * Whether something may be started now (law 9): the mode is settled, the stores have seen our last write, and the
 * start-up hold is over. `wait` says which of these is missing.
 */
export type Clearance =
  | { readonly kind: 'clear' }
  | {
      readonly kind: 'wait';
      readonly for: string;
      /** When to ask again although no event may come of it. */
      readonly checkAgainMs?: number;
    };

/** Bounds the core decides by; all are values of Config. */
export interface Limits {
  /** No start or stop must have been seen for this long before a cut-over (contract §4.6). */
  readonly cutOverQuietMs: number;
  /** Live migrations begun on one VMI before it is given up. */
  readonly maxLiveAttempts: number;
  /** VMIMs that may fail within one live migration; KubeVirt itself retries for ever. */
  readonly maxFailedMigrations: number;
  /** Copies of one disk that may fail before the machine is given up. */
  readonly maxCopyFailures: number;
  /** Wait after the first failed copy of a disk; doubles with each further one. */
  readonly copyRetryMs: number;
  /** How long a copy server waits for machines that are still stopping, to serve them all at once. */
  readonly gatherMs: number;
}

/** What every branch of a decision is given besides the facts. */
export interface Circumstances {
  readonly clearance: Clearance;
  readonly limits: Limits;
  /** Clock reading in ms since the epoch. */
  readonly now: number;
}

const none = { commands: [], begins: false, waitingFor: '', checkAgainMs: undefined, attention: undefined } as const;

/** Nothing to do until a fact changes. */
export const wait = (phase: Phase, waitingFor: string, checkAgainMs?: number): Decision => ({
  ...none,
  phase,
  waitingFor,
  checkAgainMs,
});

/** Do this now: it ends, undoes or writes down something, so nothing holds it back. */
export const act = (phase: Phase, ...commands: readonly Command[]): Decision => ({ ...none, phase, commands });

/** Do this once there is clearance: it begins something. */
export const begin = (phase: Phase, clearance: Clearance, ...commands: readonly Command[]): Decision =>
  clearance.kind === 'clear'
    ? { ...act(phase, ...commands), begins: true }
    : wait(phase, clearance.for, clearance.checkAgainMs);

/** Leave it to a person. */
export const needsAttention = (reason: string, message: string): Decision => ({
  ...none,
  phase: 'NeedsAttention',
  waitingFor: 'a person to decide',
  attention: { reason, message },
});
