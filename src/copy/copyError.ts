// How a step of the client says that the copy cannot go on: thrown where it is found, caught once, where the end record
// is written. It carries the one name for it that the daemon knows (core/copyEndRecord.ts).
import type { CopyProblem } from '../core/copyEndRecord.ts';

export class CopyError extends Error {
  readonly problem: CopyProblem;
  /** Exit code of rsync, if it was rsync that failed. */
  readonly rc: number;

  constructor(problem: CopyProblem, explanation: string, rc = 0) {
    super(explanation);
    this.name = 'CopyError';
    this.problem = problem;
    this.rc = rc;
  }
}

/** The errno name of a system error, such as ENOENT. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
