// How a request goes out: with the credentials of this moment, over the shared connections, within its time.
// Guarantees: a failure tells whether the request can have reached the server.
import { catchError, defer, mergeMap, type Observable, throwError, timeout } from 'rxjs';
import { fromAbortable } from '../operators/fromAbortable.ts';
import { type CredentialSource, credentialsOf } from './clientCredentials.ts';
import { exchange, type Progress, type Request, type ResponsePart } from './clientExchange.ts';
import { type Asked, brokenRequest, lateRequest } from './clientFailure.ts';
import { answerLines, wholeAnswer } from './clientResponse.ts';
import { transport } from './clientTransport.ts';

export interface ConnectOptions {
  /** How long a request other than a list or a watch may take, waiting for a connection included. */
  readonly requestTimeoutMs: number;
  readonly listTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Most requests under way at once, watches not counted; further ones wait. */
  readonly maxConnections: number;
  /** Larger answers and larger lines of a watch are failures. */
  readonly maxAnswerBytes: number;
  readonly userAgent: string;
}

export const connectDefaults: ConnectOptions = {
  requestTimeoutMs: 15_000,
  listTimeoutMs: 60_000,
  connectTimeoutMs: 10_000,
  maxConnections: 32,
  maxAnswerBytes: 256 * 1024 * 1024,
  userAgent: 'transship',
};

/** A call: what is asked, for messages, and how it is asked. */
export interface Call {
  readonly asked: Asked;
  readonly method: Request['method'];
  readonly path: string;
  readonly contentType?: string;
  readonly body?: unknown;
}

/** The server, as it was chosen in the kubeconfig. */
export interface Target {
  readonly source: CredentialSource;
  /** Base of all paths; it may have a path of its own, behind a gateway. */
  readonly url: URL;
  readonly proxyUrl: string | undefined;
}

/** Makes the two ways to ask: for one answer, and for lines without end. */
export const sender = ({ source, url, proxyUrl }: Target, settings: ConnectOptions) => {
  const { connectTimeoutMs, maxConnections, maxAnswerBytes, userAgent } = settings;
  const connections = transport({ origin: url.origin, proxyUrl, connectTimeoutMs, maxConnections });
  const prefix = url.pathname.replace(/\/$/, '');

  const requestOf = ({ method, path, contentType, body }: Call, credentials: Request['headers']): Request => ({
    origin: url.origin,
    path: prefix + path,
    method,
    headers: {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...credentials,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

  const send = (call: Call, kind: 'requests' | 'watches', progress: Progress): Observable<ResponsePart> =>
    fromAbortable(() => credentialsOf(source)).pipe(
      mergeMap(({ headers, tls }) => exchange(connections.pools(tls)[kind], requestOf(call, headers), progress)),
      catchError((error: unknown) => throwError(() => brokenRequest(call.asked, error, progress.sent))),
    );

  return {
    /** Emits the text of a successful answer, within `timeoutMs` from the subscription. */
    ask: (call: Call, timeoutMs: number): Observable<string> =>
      defer(() => {
        const progress: Progress = { sent: false };
        const late = () => lateRequest(call.asked, timeoutMs, progress.sent);
        return send(call, 'requests', progress).pipe(
          wholeAnswer(call.asked, maxAnswerBytes),
          timeout({ first: timeoutMs, with: () => throwError(late) }),
        );
      }),
    /** Emits lines for as long as the server sends them, after `accepted` as soon as it has agreed to. */
    follow: (call: Call, accepted: string): Observable<string> =>
      defer(() => send(call, 'watches', { sent: false }).pipe(answerLines(call.asked, maxAnswerBytes, accepted))),
    close: connections.close,
  };
};
