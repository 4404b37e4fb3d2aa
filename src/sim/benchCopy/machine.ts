// What the machine is that figures were taken on, without which they say little.
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg, totalmem } from 'node:os';
import { run } from './programs.ts';

export interface Machine {
  readonly cores: number;
  readonly memoryGiB: number;
  readonly linux: string;
  /** The first line of `rsync --version`. */
  readonly rsync: string;
  /** Processes that want to run, on average of a minute. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

/** The load of the last minute. */
export const load = (): number => loadavg()[0] ?? Number.NaN;

export const describeMachine = async (): Promise<Omit<Machine, 'loadBefore' | 'loadAfter'>> => ({
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  linux: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
  rsync: /version (\S+)/.exec((await run('rsync', ['--version'])).text)?.[1] ?? 'unknown',
});
