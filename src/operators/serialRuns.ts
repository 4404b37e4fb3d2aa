// The write boundary: one run at a time, the newest wake-up waits, and a run can ask to be repeated after a while.
// Guarantees: a run under way is never cut off; after the last wake-up a run starts that began later than it; a
// repetition is dropped when another run came first, which then says for itself when to look again.
import {
  concat,
  defer,
  EMPTY,
  ignoreElements,
  merge,
  mergeMap,
  type Observable,
  type OperatorFunction,
  of,
  Subject,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { exhaustMapLatest } from './exhaustMapLatest.ts';

/**
 * `run` emits one result; `againMs` reads from it after how long to run again with the newest wake-up, if at all.
 *
 *     wakes   --a-----------b--------|     each run takes 2 frames; a's result asks for 5 more
 *     runs      a      a    b
 *     out     ----A------A----B------|
 */
export const serialRuns =
  <T, R>(run: (wake: T) => Observable<R>, againMs: (result: R) => number | undefined): OperatorFunction<T, R> =>
  (wakes) =>
    defer(() => {
      const again$ = new Subject<T>();
      /** A run began, or no wake-up will come any more: what was to be repeated is not. */
      const obsolete$ = new Subject<void>();
      let newest: { readonly wake: T } | undefined;
      let ended = false;
      const repeatAfter = (ms: number): Observable<never> =>
        timer(ms).pipe(
          tap(() => {
            if (newest !== undefined) again$.next(newest.wake);
          }),
          ignoreElements(),
          takeUntil(obsolete$),
        );
      const heard = wakes.pipe(
        tap({
          next: (wake) => {
            newest = { wake };
          },
          complete: () => {
            ended = true;
            obsolete$.next();
            again$.complete();
          },
        }),
      );
      return merge(heard, again$).pipe(
        exhaustMapLatest((wake) => {
          obsolete$.next();
          return run(wake);
        }),
        mergeMap((result) => {
          const ms = ended ? undefined : againMs(result);
          return concat(of(result), ms === undefined ? EMPTY : repeatAfter(ms));
        }),
      );
    });
