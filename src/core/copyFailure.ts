// Why a copy is not whole, in words that conditions and events can carry: whether another attempt may succeed, and what
// a person can do when none will. Pure; made by copyResult.ts, kept in the record, told by status.ts.
import type { CopyProblem } from './copyEndRecord.ts';

/** What the client said, or what became of its pod or of its server's. CamelCase, as the API conventions ask. */
export type CopyFailureReason = CopyProblem | 'CopyPodFailed' | 'CopyServerFailed' | 'NoEndRecord' | 'NotVerified';

interface Meaning {
  /** Whether the same copy may succeed when it is tried again with nothing changed by a person. */
  readonly heals: boolean;
  readonly advice: string;
}

const again: Meaning = { heals: true, advice: 'It is tried again.' };

const meanings: Readonly<Record<CopyFailureReason, Meaning>> = {
  BadArguments: { heals: false, advice: 'Run the daemon and the copy pods from images of the same version.' },
  BadSecrets: again,
  SourceMissing: {
    heals: false,
    advice: 'Look whether the source claim holds the disk, and whether user 107 may read it.',
  },
  SourceFormat: { heals: false, advice: 'Convert the image to raw, or name a target with volumeMode Filesystem.' },
  SourceEmpty: { heals: false, advice: 'Take the disk out of the StorageMigration: there is nothing to copy.' },
  TargetTooSmall: { heals: false, advice: 'Make the target claim larger, or name another one.' },
  TargetMissing: { heals: false, advice: 'Look whether the target claim can be written, or name another one.' },
  TargetFull: { heals: false, advice: 'Make room on the storage of the target claim, or name another one.' },
  ServerUnreachable: again,
  AccessRefused: again,
  Busy: again,
  PeerSilent: again,
  Cancelled: again,
  RsyncFailed: again,
  NotFlushed: again,
  NotWhole: again,
  DigestDiffers: again,
  NotVerified: again,
  NoEndRecord: again,
  CopyPodFailed: again,
  CopyServerFailed: again,
};

/** Why one copy failed. `message` is for people: what was found. */
export interface CopyFailure {
  readonly reason: CopyFailureReason;
  readonly message: string;
}

const longest = 600;

/** A failure with a message that is fit for a status: one line, not too long, never empty. */
export const copyFailure = (reason: CopyFailureReason, message: string): CopyFailure => {
  const line = message.replace(/\s+/g, ' ').trim() || 'the pod did not say why';
  return { reason, message: line.length > longest ? `${line.slice(0, longest)}…` : line };
};

/** Whether another attempt may succeed. What an older record says in words of its own may. */
export const canHeal = (reason: string): boolean => meanings[reason as CopyFailureReason]?.heals ?? true;

/** What a person can do; a whole sentence. */
export const adviceOn = (reason: string): string => meanings[reason as CopyFailureReason]?.advice ?? again.advice;
