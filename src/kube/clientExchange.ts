// One HTTP exchange over undici as an Observable: head, then data as it comes. Below everything that knows Kubernetes.
// Guarantees: nothing is sent before somebody subscribes; unsubscribing aborts, and a request that still waited for a
// connection then is never sent; it is known whether a failed request can have reached the server.
import { Observable } from 'rxjs';
import type { Dispatcher } from 'undici';

export interface Request {
  readonly origin: string;
  readonly path: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export type ResponsePart =
  | { readonly kind: 'head'; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly kind: 'data'; readonly chunk: Uint8Array };

/** Whether the server may have got the request; written by the exchange, read when it fails. */
export interface Progress {
  sent: boolean;
}

/** Emits the head and the data of the response, completes at its end, and errors with what undici reports. */
export const exchange = (dispatcher: Dispatcher, request: Request, progress: Progress): Observable<ResponsePart> =>
  new Observable((subscriber) => {
    let controller: Dispatcher.DispatchController | undefined;
    const handler: Dispatcher.DispatchHandler = {
      // Called when a connection is there and the request is about to be written to it.
      onRequestStart: (started) => {
        controller = started;
        if (subscriber.closed) started.abort(new Error('aborted'));
        else progress.sent = true;
      },
      onResponseStart: (_controller, status, headers) => {
        const retryAfter = headers['retry-after'];
        subscriber.next({ kind: 'head', status, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined });
      },
      onResponseData: (_controller, chunk) => subscriber.next({ kind: 'data', chunk }),
      onResponseEnd: () => subscriber.complete(),
      onResponseError: (_controller, error) => subscriber.error(error),
    };
    const { origin, path, method, headers, body } = request;
    dispatcher.dispatch({ origin, path, method, headers: { ...headers }, body: body ?? null }, handler);
    return () => {
      // After the end this does nothing.
      controller?.abort(new Error('aborted'));
    };
  });
