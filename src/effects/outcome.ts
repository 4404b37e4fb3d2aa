// What became of one write, as a value: operating errors are not exceptions (style §4). Everything else that a
// request throws is a bug and goes on as one.
import { catchError, map, type Observable, of } from 'rxjs';
import { KubeFailure, type KubeObject } from '../kube/api.ts';

/**
 * - `done`: the server has carried it out; `value` is its answer.
 * - `conflict`: somebody was faster, or what was decided upon has changed. Nothing was done; read again.
 * - `refused`: the server will not do it. Nothing was done; `message` is in its words.
 * - `unknown`: no answer. It may still be carried out; read again, and start nothing until it cannot any more.
 */
export type Outcome<T = unknown> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'conflict'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unknown'; readonly message: string };

const notFound = 404;
const conflict = 409;
const unprocessable = 422;

const outcomeOfFailure = (failure: KubeFailure): Outcome<never> => {
  const { message } = failure;
  if (failure.kind === 'unknown') return { kind: 'unknown', message };
  if (failure.kind === 'unreachable') return { kind: 'refused', message };
  // A JSON patch whose test does not hold is answered 422, a stale version elsewhere 409 (contract §4.6).
  if ([notFound, conflict, unprocessable].includes(failure.code)) return { kind: 'conflict', message };
  // A server that gave up on the request may have carried it out all the same.
  if (failure.code >= 500 && failure.code !== 503) return { kind: 'unknown', message };
  return { kind: 'refused', message };
};

/** Turns a request into its outcome; only a bug still errors. */
export const outcomeOf = <T>(request: Observable<T>): Observable<Outcome<T>> =>
  request.pipe(
    map((value): Outcome<T> => ({ kind: 'done', value })),
    catchError((error: unknown) => {
      if (error instanceof KubeFailure) return of(outcomeOfFailure(error));
      throw error;
    }),
  );

/** Reads one object from the server; an object that does not exist is `done` with undefined. */
export const readOf = (request: Observable<KubeObject>): Observable<Outcome<KubeObject | undefined>> =>
  outcomeOf(
    request.pipe(
      catchError((error: unknown) => {
        if (error instanceof KubeFailure && error.code === notFound) return of(undefined);
        throw error;
      }),
    ),
  ).pipe(
    // Nothing was written, so a read that was not answered leaves nothing uncertain.
    map((outcome) => (outcome.kind === 'unknown' ? { kind: 'refused', message: outcome.message } : outcome)),
  );
