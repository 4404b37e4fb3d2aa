// The queue every simulated controller works from: a key that is woken runs once after the controller's reaction time,
// however often it was woken; a run that meets a conflict or a missing object is repeated a little later.
import { asyncScheduler, type Subscription } from 'rxjs';
import { KubeFailure } from '../../kube/api.ts';

export interface WorkQueue {
  /** Runs the key after the reaction time, or when an earlier wake-up is due. */
  wake(key: string): void;
  /** Runs the key after this time; an earlier wake-up that is already waiting stays and counts for both. */
  wakeAfter(key: string, ms: number): void;
  unsubscribe(): void;
}

export interface WorkQueueOptions {
  readonly reaction: () => number;
  readonly reconcile: (key: string) => void;
  /** How long a run takes: the next of the same key comes no sooner. Default 0. */
  readonly runMs?: number;
}

const firstRetryMs = 5;
const mostRetries = 10;

/** Makes a work queue; errors that are not an answer of the API server are bugs and are thrown. */
export const workQueue = ({ reaction, reconcile, runMs = 0 }: WorkQueueOptions): WorkQueue => {
  const waiting = new Map<string, { readonly due: number; readonly timer: Subscription }>();
  const retries = new Map<string, number>();
  const busyUntil = new Map<string, number>();

  const run = (key: string): void => {
    waiting.delete(key);
    if (runMs > 0) busyUntil.set(key, asyncScheduler.now() + runMs);
    try {
      reconcile(key);
      retries.delete(key);
    } catch (failure) {
      if (!(failure instanceof KubeFailure)) throw failure;
      const retry = Math.min((retries.get(key) ?? 0) + 1, mostRetries);
      retries.set(key, retry);
      wakeAfter(key, firstRetryMs * 2 ** retry);
    }
  };

  const wakeAfter = (key: string, ms: number): void => {
    const now = asyncScheduler.now();
    const due = Math.max(now + ms, busyUntil.get(key) ?? 0);
    const already = waiting.get(key);
    if (already !== undefined && already.due <= due) return;
    already?.timer.unsubscribe();
    waiting.set(key, { due, timer: asyncScheduler.schedule(() => run(key), due - now) });
  };

  return {
    wake: (key) => wakeAfter(key, reaction()),
    wakeAfter,
    unsubscribe: () => {
      for (const { timer } of waiting.values()) timer.unsubscribe();
      waiting.clear();
    },
  };
};
