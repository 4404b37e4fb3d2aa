// How the operators of this folder listen to a source, an inner stream or a timer. The only `subscribe` outside the
// edges of the program, and safe because it hangs on a subscription that somebody further down has made.
// Guarantees: let go together with the subscriber, even in the middle of a synchronous burst; what a handler throws
// becomes an error of the operator.
import { from, type ObservableInput, Subscriber, type Subscription } from 'rxjs';

export interface Handlers<T> {
  next(value: T): void;
  /** Absent: the error passes to the operator's subscriber. */
  error?(error: unknown): void;
  /** Absent: the end of what is listened to changes nothing. */
  complete?(): void;
}

/**
 * Listens on behalf of `subscriber` until either side ends, or the returned subscription is let go.
 * The link is made before the first value: `subscribe({ … })` would run a synchronous source to its end although
 * nobody is left to hear it, and would report what a handler throws to nobody.
 */
export const listen = <T>(
  source: ObservableInput<T>,
  subscriber: Subscriber<never>,
  handlers: Handlers<T>,
): Subscription => {
  const guarded = (handle: () => void): void => {
    try {
      handle();
    } catch (thrown) {
      subscriber.error(thrown);
    }
  };
  const link = new Subscriber<T>({
    next: (value) => guarded(() => handlers.next(value)),
    error: (error: unknown) => (handlers.error ? guarded(() => handlers.error?.(error)) : subscriber.error(error)),
    complete: () => guarded(() => handlers.complete?.()),
  });
  subscriber.add(link);
  if (!link.closed) from(source).subscribe(link);
  return link;
};
