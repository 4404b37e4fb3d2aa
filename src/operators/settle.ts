// Lets a value through only when it has come to rest, and some values at once: a virtual machine that flaps must not
// start a transfer with every flap, and whatever ends one must not wait (design §4, Per-VM mode stream; law 9).
// Guarantees: an urgent value leaves in the moment it comes, and whatever waited then never leaves after it.
import { Observable, type OperatorFunction, Subscription, timer } from 'rxjs';
import { listen } from './listen.ts';

export interface SettleOptions<T> {
  /** Passes at once and takes the place of a waiting value. */
  readonly isUrgent: (value: T) => boolean;
  /** Any other value passes when no different one has come for this long. */
  readonly quietMs: number;
  /** At the latest this long after the first value that had to wait, the newest passes although it is not quiet. */
  readonly maxWaitMs: number;
  /** What counts as the same value; absent: `Object.is`. */
  readonly equals?: (a: T, b: T) => boolean;
  /**
   * Said at once when a value begins to wait while a settled one is in force: what was in force is left at once, even
   * if the source goes straight from one settled value to another. Has to be urgent itself. Absent: the old value
   * stays in force until the new one has settled.
   */
  readonly meanwhile?: (next: T) => T;
}

/**
 * Urgent values pass at once, others when they have been quiet for `quietMs`; equal neighbours pass once.
 *
 *     source  -l--h--l-o-l-----h--       h is urgent; quiet 4 frames
 *     out     ----h----------l-h--       (the first l was still waiting when h came)
 *
 * The maximum bounds unrest among values that wait. An urgent value ends the unrest: after it, everything has to settle
 * from the beginning, so an urgent value in every quiet period keeps the others out for good, and shall.
 * When the source completes, a waiting value passes first.
 */
export const settle =
  <T>({ isUrgent, quietMs, maxWaitMs, equals = Object.is, meanwhile }: SettleOptions<T>): OperatorFunction<T, T> =>
  (source) =>
    new Observable<T>((subscriber) => {
      let inForce: { readonly value: T } | undefined;
      let waiting: { readonly value: T } | undefined;
      let quiet = Subscription.EMPTY;
      let maximum = Subscription.EMPTY;

      const same = (held: { readonly value: T } | undefined, value: T): boolean =>
        held !== undefined && equals(held.value, value);

      const pass = (value: T): void => {
        quiet.unsubscribe();
        maximum.unsubscribe();
        waiting = undefined;
        if (same(inForce, value)) return;
        inForce = { value };
        subscriber.next(value);
      };
      const passWaiting = (): void => {
        if (waiting !== undefined) pass(waiting.value);
      };
      const passAfter = (ms: number): Subscription => listen(timer(ms), subscriber, { next: passWaiting });

      const wait = (value: T): void => {
        // Nothing moves: the value in force is said again, or the waiting one.
        if (same(waiting ?? inForce, value)) return;
        const left = inForce !== undefined && !isUrgent(inForce.value);
        if (waiting === undefined) maximum = passAfter(maxWaitMs);
        waiting = { value };
        quiet.unsubscribe();
        quiet = passAfter(quietMs);
        if (left && meanwhile !== undefined) {
          inForce = { value: meanwhile(value) };
          subscriber.next(inForce.value);
        }
      };

      listen(source, subscriber, {
        next: (value) => (isUrgent(value) ? pass(value) : wait(value)),
        complete: () => {
          passWaiting();
          subscriber.complete();
        },
      });
    });
