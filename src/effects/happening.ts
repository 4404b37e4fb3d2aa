// What the effects tell the rest of the daemon: main.ts turns happenings into log lines, metrics and Kubernetes
// Events. Nothing is ever decided from them.
import type { CancelCause, Command, RecordReason } from '../core/decision.ts';
import type { GroupCommand } from '../core/groups.ts';
import type { Mode } from '../core/mode.ts';
import type { MachineKey, MigrationKey } from '../core/reading.ts';
import type { Outcome } from './outcome.ts';

export type CommandKind =
  | Command['kind']
  | GroupCommand['kind']
  | 'addFinalizer'
  | 'removeFinalizer'
  | 'status'
  | 'createKeys'
  | 'event';

export type Happening =
  /** A write was made; `machine` is absent where it concerns a whole migration. */
  | {
      readonly kind: 'command';
      readonly key: MigrationKey & { readonly machine?: string };
      readonly command: CommandKind;
      readonly outcome: Outcome['kind'];
      /** The server's words where it was not done, else what it was about. */
      readonly detail: string;
      readonly cause: CancelCause | undefined;
      readonly record: RecordReason | undefined;
    }
  /** Something was ended or undone this long after the newest event had arrived. */
  | { readonly kind: 'reacted'; readonly key: MigrationKey; readonly ms: number }
  /** A machine's settled mode has changed. */
  | { readonly kind: 'switched'; readonly key: MachineKey; readonly from: Mode; readonly to: Mode };
