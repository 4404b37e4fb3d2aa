// One copy under the clock: onto a target that is as new, everything that it needs already running; then compared with
// its source byte for byte, which no clock sees.
import { rmSync } from 'node:fs';
import { errorMessage } from '../../core/errorMessage.ts';
import type { CopyMethod } from './copyMethod.ts';
import { childrenSeconds } from './processorTime.ts';
import { run } from './programs.ts';
import type { TargetDisk } from './targetDisk.ts';

export interface Copied {
  readonly seconds: number;
  /** Of both sides, with the start and end of servers. */
  readonly processorSeconds: number;
  /** What `cmp` found. */
  readonly identical: boolean;
  readonly allocatedMiB: number;
  /** Why there is no copy, or what differs; empty when all is well. */
  readonly fault: string;
}

export interface Place {
  readonly source: string;
  readonly target: TargetDisk;
  /** Does not exist before and after. */
  readonly folder: string;
  readonly address: string;
}

/** Never throws: whatever goes wrong is a fault. */
export const measureCopy = async (method: CopyMethod, place: Place): Promise<Copied> => {
  const { source, target, folder } = place;
  let seconds = Number.NaN;
  let processorSeconds = Number.NaN;
  try {
    await target.renew();
    const beforeSeconds = childrenSeconds();
    const ready = await method.prepare(place);
    try {
      const startMs = performance.now();
      await ready.copy();
      seconds = (performance.now() - startMs) / 1000;
    } finally {
      await ready.close();
    }
    processorSeconds = childrenSeconds() - beforeSeconds;
    const { code, text } = await run('cmp', [source, target.path]);
    const fault = code === 0 ? '' : `the copy is not its source: ${text.trim()}`;
    return { seconds, processorSeconds, identical: code === 0, allocatedMiB: target.allocated() / 2 ** 20, fault };
  } catch (error) {
    return { seconds, processorSeconds, identical: false, allocatedMiB: Number.NaN, fault: errorMessage(error) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
