// Runs rsync once and tells how it went: its code, its statistics, its last words; progress as it comes. A copy that is
// not wanted any more is ended with SIGTERM, so that what was written is of use to the next one.
import { startChild } from './child.ts';
import { passOn, printProgress } from './output.ts';
import { progressReader } from './progressLines.ts';
import { type Statistics, statisticsOf } from './statistics.ts';

export interface RsyncEnd {
  readonly code: number;
  readonly statistics: Statistics;
  readonly said: readonly string[];
}

/** Often enough for people to see that it goes on. */
const progressMs = 2000;

/** `onProgress` prints at most every two seconds, and at once when the copy begins. */
export const runRsync = async (command: readonly string[], total: number, stop: AbortSignal): Promise<RsyncEnd> => {
  const child = startChild('rsync', command, ['ignore', 'pipe', 'pipe']);
  const { stdout, stderr } = child.process;
  if (stdout === null || stderr === null) throw new Error('rsync was started without pipes');
  const { last } = passOn('rsync', stderr);
  const reader = progressReader();
  let nextMs = 0;
  stdout.setEncoding('utf8').on('data', (piece: string) => {
    const progress = reader.take(piece);
    if (progress === undefined || performance.now() < nextMs) return;
    nextMs = performance.now() + progressMs;
    printProgress(progress, total);
  });
  const end = () => void child.stop();
  stop.addEventListener('abort', end, { once: true });
  if (stop.aborted) end();
  const code = await child.ended;
  stop.removeEventListener('abort', end);
  return { code, statistics: statisticsOf(reader.rest()), said: last };
};
