// Makes a cold, abortable stream of a function that returns a promise: the border between the real client, which
// speaks promises, and everything else, which must not.
// Guarantees: nothing is started before somebody subscribes, each subscription starts anew, and after an unsubscribe
// nothing more is heard: no late value, no unhandled rejection.
import { Observable } from 'rxjs';

/**
 * Calls `start` when subscribed, emits what its promise resolves to, and aborts the signal when unsubscribed.
 *
 *     start's promise   ---r          ---x          ---r
 *     unsubscribed                                  -!
 *     out               ---(r|)       ---#          --
 *     signal                                        -aborted
 *
 * The signal is aborted only while the promise is pending: what it resolved to (a response with a body to read, say)
 * is the subscriber's. Whether an aborted request took effect on the other side is not known.
 */
export const fromAbortable = <T>(start: (signal: AbortSignal) => PromiseLike<T>): Observable<T> =>
  new Observable<T>((subscriber) => {
    const controller = new AbortController();
    let pending = true;
    // Not a chain: a throw of the subscriber must not come back as a rejection of the request.
    start(controller.signal).then(
      (value) => {
        pending = false;
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        pending = false;
        // Being aborted is a rejection too; after an unsubscribe it is nobody's news.
        if (!subscriber.closed) subscriber.error(error);
      },
    );
    return () => {
      if (pending) controller.abort();
    };
  });
