// What the effects may know: the newest state of the stores, read when a run starts. It is the only thing that the
// reading and the writing half of the daemon share; main.ts joins them.
import type { CopyProgress } from './copyProgress.ts';
import type { MachineFacts } from './facts.ts';
import type { MigrationView } from './migration.ts';

/** Names one machine of one StorageMigration. */
export interface MachineKey {
  readonly namespace: string;
  readonly migration: string;
  readonly machine: string;
}

/** Names one StorageMigration. */
export type MigrationKey = Pick<MachineKey, 'namespace' | 'migration'>;

/** One text for a key, for maps and logs. */
export const keyText = (key: MigrationKey & { readonly machine?: string }): string =>
  key.machine === undefined ? `${key.namespace}/${key.migration}` : `${key.namespace}/${key.migration}/${key.machine}`;

/** The kinds of object that we write and whose stores must catch up with what we wrote (law 9). */
export type WrittenKind = 'virtualMachines' | 'storageMigrations' | 'pods' | 'claims';

/** What was heard of a copy pod beyond what the watch tells; for people alone. */
export interface CopyNews {
  readonly progress: CopyProgress | undefined;
  /** Why it does not start, in the kubelet's words; empty when nothing was said. */
  readonly words: string;
}

export interface Reading {
  /** Every kind was listed; before that nothing may be decided. */
  synced(): boolean;
  /** Clock reading, in ms, when the newest event of any kind arrived; undefined before the first. */
  lastEventMs(): number | undefined;
  /** Undefined when the migration is gone or no longer has the machine. */
  machine(key: MachineKey): MachineFacts | undefined;
  /** Undefined when the migration is gone. */
  migration(key: MigrationKey): MigrationView | undefined;
  /** The newest about a copy pod, by its uid; undefined while nothing was heard. */
  news(podUid: string): CopyNews | undefined;
  /** The resourceVersion up to which the store of a kind has seen everything in a namespace. */
  seenVersion(kind: WrittenKind, namespace: string): string;
}
