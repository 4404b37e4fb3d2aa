// Makes a stream that never errors of one that does: each error becomes a value that says so, and the source is
// subscribed again after a wait that doubles (style: trouble is a value, retry sits below the store).
// Guarantees: never two subscriptions to the source at once, and never two closer together than half of `initialMs`.
import { Observable, type OperatorFunction, timer } from 'rxjs';
import { listen } from './listen.ts';

export interface RetryForeverOptions<T> {
  /** The first wait, before jitter; it doubles with every further attempt. */
  readonly initialMs: number;
  /** No wait is longer than this. */
  readonly maxMs: number;
  /** After the source has run this long without an error, the next wait is the first again. */
  readonly resetAfterMs: number;
  /** Numbers in [0, 1). The wait is between half and all of what the attempt gives: 0 is half. */
  readonly jitter: () => number;
  /** The value to emit for an error. `attempt` is 1 for the first after quiet. */
  readonly onTrouble: (error: unknown, attempt: number, delayMs: number) => T;
  /** The shortest wait that an error itself asks for (a server's Retry-After), in ms; `maxMs` bounds it as well. */
  readonly atLeastMs?: (error: unknown) => number;
  /** Makes an error of a completion, for a source that should not end. Absent: completion passes through. */
  readonly onCompletion?: () => unknown;
}

/**
 * Turns every error into a value and subscribes again after exponential back-off with jitter.
 *
 *     1st     -a-#                     waits of 2 and 4 frames
 *     2nd          -a-#
 *     3rd                 -a---
 *     out     -a-T--a-T----a---        T: trouble
 *
 * A value of the source proves nothing: a source that emits and then breaks, again and again, is waited for longer and
 * longer. Only `resetAfterMs` of running without an error does away with the back-off.
 */
export const retryForever =
  <S, T>({
    initialMs,
    maxMs,
    resetAfterMs,
    jitter,
    onTrouble,
    atLeastMs = () => 0,
    onCompletion,
  }: RetryForeverOptions<T>): OperatorFunction<S, S | T> =>
  (source) =>
    new Observable<S | T>((subscriber) => {
      let attempt = 0;

      const run = (): void => {
        const quiet = listen(timer(resetAfterMs), subscriber, {
          next: () => {
            attempt = 0;
          },
        });
        const trouble = (error: unknown): void => {
          quiet.unsubscribe();
          attempt += 1;
          const delayMs = waitMs(attempt, error);
          subscriber.next(onTrouble(error, attempt, delayMs));
          listen(timer(delayMs), subscriber, { next: run });
        };
        listen(source, subscriber, {
          next: (value) => subscriber.next(value),
          error: trouble,
          complete: () => (onCompletion === undefined ? subscriber.complete() : trouble(onCompletion())),
        });
      };

      const waitMs = (attemptNumber: number, error: unknown): number => {
        const doubled = Math.min(maxMs, initialMs * 2 ** Math.min(attemptNumber - 1, 60));
        const jittered = doubled / 2 + (doubled / 2) * jitter();
        return Math.min(maxMs, Math.max(jittered, atLeastMs(error)));
      };

      run();
    });
