// The HTTP server beside the daemon: metrics for Prometheus, health and readiness for the kubelet. It only reads.
// Guarantees: GET and HEAD alone are served, slow or silent callers are cut off, and a page that cannot be made is
// answered 500 and logged, never the end of the process.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Log } from '../core/log.ts';

export interface HttpOptions {
  /** Absent: all addresses of the machine. */
  readonly host?: string;
  /** 0: any free port, told by the result. */
  readonly port: number;
  readonly exposition: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Why the daemon is not ready, one sentence each; none: ready. */
  readonly notReady: () => readonly string[];
  readonly log: Log;
}

export interface HttpServer {
  readonly port: number;
  /** Stops listening and gives running answers a second to be finished. Resolves when every connection is gone. */
  close(): Promise<void>;
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const requestTimeoutMs = 10_000;
const headersTimeoutMs = 5_000;
const closeGraceMs = 1_000;
const mostConnections = 128;

const text = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Page => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${body}\n`,
  headers,
});

/** A reason may hold a server's answer; line breaks in it would look like further reasons. */
const oneLineEach = (reasons: readonly string[]) =>
  reasons.map((reason) => reason.replaceAll(/\s*[\r\n]+\s*/g, ' ')).join('\n');

const readiness = (reasons: readonly string[]): Page =>
  reasons.length === 0 ? text(200, 'ready') : text(503, oneLineEach(reasons));

async function pageFor(request: IncomingMessage, options: HttpOptions): Promise<Page> {
  const path = (request.url ?? '/').split('?', 1)[0];
  if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') {
    return text(404, 'not found; there are /metrics, /healthz and /readyz');
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return text(405, 'only GET and HEAD are answered here', { allow: 'GET, HEAD' });
  }
  switch (path) {
    case '/metrics':
      return { status: 200, ...(await options.exposition()) };
    case '/healthz':
      // A bug ends the process by itself: who can answer need not be restarted.
      return text(200, 'ok');
    case '/readyz':
      return readiness(options.notReady());
  }
}

function send(page: Page, request: IncomingMessage, response: ServerResponse, closing: boolean): void {
  const body = Buffer.from(page.body);
  // A connection kept alive would hold up the end of the process.
  response.shouldKeepAlive &&= !closing;
  response.writeHead(page.status, {
    ...page.headers,
    'content-type': page.contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function answer(server: Server, request: IncomingMessage, response: ServerResponse, options: HttpOptions): void {
  pageFor(request, options)
    .catch((error: unknown) => {
      options.log.error('a page could not be made', { path: request.url, err: error });
      return text(500, 'this page could not be made; the log says why');
    })
    .then((page) => send(page, request, response, !server.listening))
    .catch((error: unknown) => {
      options.log.error('an answer could not be sent', { path: request.url, err: error });
      response.destroy();
    });
}

/** What a person can do about an address that cannot be listened on. */
function listenError(error: NodeJS.ErrnoException, options: HttpOptions): Error {
  const address = `${options.host ?? '*'}:${options.port}`;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is in use; stop the process that has it or choose another port',
    EACCES: 'not permitted; choose a port above 1023',
    EADDRNOTAVAIL: 'this machine has no such address; leave the host out to listen on all of them',
    ENOTFOUND: 'the host name is not known; give an IP address',
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new Error(`cannot listen on ${address} for metrics and probes: ${reason}`, { cause: error });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cutOff = setTimeout(() => server.closeAllConnections(), closeGraceMs);
    server.close(() => {
      clearTimeout(cutOff);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Listens; resolves with the port that was bound, rejects with an Error that says what to do about the address. */
export function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const server: Server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: headersTimeoutMs,
      keepAliveTimeout: headersTimeoutMs,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    },
    (request, response) => answer(server, request, response, options),
  );
  server.maxConnections = mostConnections;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options)));
    server.listen({ port: options.port, ...(options.host === undefined ? {} : { host: options.host }) }, () => {
      const address = server.address();
      server.on('error', (error) => options.log.error('the HTTP server failed', { err: error }));
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : options.port,
        close: () => close(server),
      });
    });
  });
}
