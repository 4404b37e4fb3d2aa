// Thins out a stream of which only the newest value counts: snapshots are decided upon at once while the cluster is
// quiet, and at a bounded rate while it is not.
// Guarantees: never two values within `ms` (but for the last, when the source completes); the last value always passes.
import { type MonoTypeOperatorFunction, Observable, timer } from 'rxjs';
import { listen } from './listen.ts';

/**
 * Passes the first value after a pause synchronously, then at most one per `ms`: the newest.
 *
 *     source  -a---------bcd-------e--      4 frames
 *     out     -a---------b---d-----e--
 *
 * Unlike `throttle` with leading and trailing edge, the pause begins before the value is passed: a value that its own
 * delivery brings about (we write, the store hears of it) waits, instead of being passed from inside.
 * When the source completes, a waiting value passes first.
 */
export const auditLeading =
  <T>(ms: number): MonoTypeOperatorFunction<T> =>
  (source) =>
    new Observable<T>((subscriber) => {
      let waiting: { readonly value: T } | undefined;
      let pausing = false;

      const pass = (value: T): void => {
        pausing = true;
        listen(timer(ms), subscriber, { next: passWaiting });
        subscriber.next(value);
      };
      const passWaiting = (): void => {
        pausing = false;
        if (waiting === undefined) return;
        const { value } = waiting;
        waiting = undefined;
        pass(value);
      };

      listen(source, subscriber, {
        next: (value) => {
          if (pausing) waiting = { value };
          else pass(value);
        },
        complete: () => {
          passWaiting();
          subscriber.complete();
        },
      });
    });
