// Breaks off a stream that has fallen silent: a watch whose connection died without a word looks exactly like a quiet
// cluster, and only bookmarks that fail to come tell them apart.
// Guarantees: never more than `ms` between subscribing, values and the end.
import { type MonoTypeOperatorFunction, throwError, timeout } from 'rxjs';

/**
 * Errors with what `error` makes when the source says nothing for `ms`, before the first value as well as after.
 *
 *     source  --a--b-------c--         5 frames
 *     out     --a--b----#
 *
 * The source is unsubscribed. Whether it had changed something by then is not known.
 */
export const idleTimeout = <T>(ms: number, error: () => unknown): MonoTypeOperatorFunction<T> =>
  timeout({ each: ms, with: () => throwError(error) });
