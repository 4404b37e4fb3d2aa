// The simulated API server over HTTP, so that kubectl and client libraries work against it: discovery, resources,
// watches, tables, and Status bodies for refusals. On the loopback interface only. This is the edge: here time is real.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { KubeFailure, type Resource } from '../../kube/api.ts';
import { failures } from '../apiServer/failures.ts';
import type { ApiServer } from '../cluster.ts';
import { answerResource } from './answerResource.ts';
import { discovery } from './discovery.ts';
import { openApi } from './openApi.ts';
import { type Route, route } from './route.ts';
import { type About, statusBody } from './statusBody.ts';

/** Verbs as a role names them. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export interface HttpOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The bearer token that every request must carry; without it none is needed. */
  readonly token?: string;
  /** Whether the caller lacks the right to do this (answered 403). */
  readonly forbid?: (resource: Resource, verb: Verb, namespace: string | undefined) => boolean;
  /** Names the caller in changes, from its User-Agent. Default: `user` for all. */
  readonly actor?: (userAgent: string) => string;
}

export interface HttpServer {
  readonly url: string;
  /** Ends open watches, too. */
  close(): Promise<void>;
}

const verbOf = (method: string | undefined, { name }: Route, query: URLSearchParams): Verb => {
  switch (method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete';
    default:
      if (query.get('watch') === 'true' || query.get('watch') === '1') return 'watch';
      return name === undefined ? 'list' : 'get';
  }
};

const authorize = (options: HttpOptions, found: Route, verb: Verb): void => {
  const { kind, namespace, name } = found;
  if (kind === undefined || options.forbid?.(kind.resource, verb, namespace) !== true) return;
  const { group, plural } = kind.resource;
  const place = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const who = 'User "system:serviceaccount:transship:transship"';
  const why = `${who} cannot ${verb} resource "${plural}" in API group "${group}" ${place}`;
  const subject = `${plural}${group === '' ? '' : `.${group}`}${name === undefined ? '' : ` "${name}"`}`;
  throw failures.status(403, 'Forbidden', `${subject} is forbidden: ${why}`);
};

const authenticate = (options: HttpOptions, request: IncomingMessage): void => {
  if (options.token === undefined || request.headers.authorization === `Bearer ${options.token}`) return;
  throw failures.status(401, 'Unauthorized', 'Unauthorized');
};

const send = (response: ServerResponse, code: number, body: unknown, contentType = 'application/json'): void => {
  if (response.headersSent || response.destroyed) return;
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(code, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
  response.end(text);
};

const answer = async (
  server: ApiServer,
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  let about: About | undefined;
  try {
    authenticate(options, request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const path = pathname.length > 1 ? pathname.replace(/\/$/, '') : pathname;
    if (['/healthz', '/livez', '/readyz'].includes(path)) return send(response, 200, 'ok', 'text/plain');
    const described = openApi(path, request.headers.accept ?? '');
    if (described !== undefined) return send(response, 200, described.body, described.contentType);
    const discovered = request.method === 'GET' ? discovery(server, path) : undefined;
    if (discovered !== undefined) return send(response, 200, discovered);
    const found = route(server, path);
    about = { group: found.group, plural: found.plural, name: found.name ?? '' };
    authorize(options, found, verbOf(request.method, found, searchParams));
    const actor = options.actor?.(request.headers['user-agent'] ?? '') ?? 'user';
    const made = await answerResource({ server, request, response, route: found, query: searchParams, actor });
    if (made !== undefined) send(response, made.code, made.body);
  } catch (error) {
    const failure =
      error instanceof KubeFailure
        ? error
        : failures.status(
            500,
            'InternalError',
            `Internal error occurred: ${error instanceof Error ? error.stack : error}`,
          );
    if (failure.retryAfterSeconds !== undefined) response.setHeader('retry-after', failure.retryAfterSeconds);
    send(response, failure.code, statusBody(failure, about));
  }
};

/** Serves until closed; rejects when the port cannot be had. */
export const serveHttp = (server: ApiServer, options: HttpOptions = {}): Promise<HttpServer> => {
  const http = createServer((request, response) => void answer(server, options, request, response));
  // Watches stay silent for longer than any idle time-out.
  http.requestTimeout = 0;
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port ?? 0, '127.0.0.1', () => {
      http.off('error', reject);
      const address = http.address();
      if (address === null || typeof address === 'string') throw new Error('expected to listen on a port');
      const close = (): Promise<void> =>
        new Promise((closed) => {
          http.close(() => closed());
          http.closeAllConnections();
        });
      resolve({ url: `http://127.0.0.1:${address.port}`, close });
    });
  });
};
