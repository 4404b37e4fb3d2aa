// Runs one inner stream at a time and never forgets the newest wish: the operator of the write boundary, where a run
// must not be cut off and a wake-up must not be lost (design §4, Effects).
// Guarantees: at most one inner stream is subscribed at any moment; after the last value a run starts that has it.
import { Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { listen } from './listen.ts';

/**
 * Like `exhaustMap`, but the newest value that came during a run is run next; older waiting ones are dropped.
 *
 *     source  --a--b--c-----------|    each run takes 7 frames; b is dropped
 *     a         -------|
 *     c                -------|
 *     out     ---------A------C---|
 *
 * Completes when the source has completed and the running and the waiting value are done. An error of the source, of
 * an inner stream or thrown by `project` ends everything: whoever wants to go on catches inside `project`.
 * Inner streams that complete synchronously are run in a loop, not by recursion.
 */
export const exhaustMapLatest =
  <T, R>(project: (value: T) => ObservableInput<R>): OperatorFunction<T, R> =>
  (source) =>
    new Observable<R>((subscriber) => {
      let waiting: { readonly value: T } | undefined;
      let running = false;
      let looping = false;
      let sourceEnded = false;

      const runWaiting = (): void => {
        // A run that ends synchronously comes back here while the loop below is still on the stack: the loop goes on.
        if (looping) return;
        looping = true;
        while (waiting !== undefined && !running && !subscriber.closed) {
          const { value } = waiting;
          waiting = undefined;
          running = true;
          listen(project(value), subscriber, {
            next: (result) => subscriber.next(result),
            complete: () => {
              running = false;
              runWaiting();
            },
          });
        }
        looping = false;
        if (sourceEnded && !running) subscriber.complete();
      };

      listen(source, subscriber, {
        next: (value) => {
          waiting = { value };
          runWaiting();
        },
        complete: () => {
          sourceEnded = true;
          runWaiting();
        },
      });
    });
