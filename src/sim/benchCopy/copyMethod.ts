// One way to copy a disk, as the benchmark sees all of them alike: what has to run is started first, then one copy is
// made under the clock, then all of it ends.
import type { TargetDisk } from './targetDisk.ts';

export interface Task {
  /** The image that is copied. */
  readonly source: string;
  readonly target: TargetDisk;
  /** A folder of this copy's own, for configuration and keys. */
  readonly folder: string;
  /** An address of this machine that nobody else has. */
  readonly address: string;
}

export interface Ready {
  /** Copies; when it resolves the target is on stable storage. Throws what was said when it did not work. */
  copy(): Promise<void>;
  close(): Promise<void>;
}

export interface CopyMethod {
  /** In a few words; no two for the same kind of target are the same. */
  readonly name: string;
  readonly target: 'file' | 'block';
  /** What the copy pods do, to which all others are compared. */
  readonly isOurs: boolean;
  /** Least ratio of its time to ours that is wanted; undefined: none. */
  readonly wanted: number | undefined;
  /** What is missing on this machine, as the name of a Debian package. */
  readonly lacking: string | undefined;
  /** Starts what the copy needs, such as a server, and waits until it can be reached. */
  prepare(task: Task): Promise<Ready>;
}
