// A watch over HTTP: one JSON document per line, until the server or the client ends it.
import type { ServerResponse } from 'node:http';
import type { KubeObject, WatchEvent } from '../../kube/api.ts';
import type { ApiServer, Json, KindOptions } from '../cluster.ts';
import { statusBody } from './statusBody.ts';
import { type TableOptions, tableOf } from './table.ts';

/** Half an hour, the shortest that a real server gives a watch that does not say. */
const defaultTimeoutSeconds = 1800;

const apiVersionOf = ({ resource }: KindOptions): string =>
  resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;

/** Turns events into the objects of the stream; undefined for those that the client did not ask for. */
const lineOf = (server: ApiServer, kind: KindOptions, withBookmarks: boolean, table: TableOptions | undefined) => {
  const make = table === undefined ? undefined : tableOf(kind, table);
  let header = true;
  const shown = (object: KubeObject): Json | KubeObject => {
    if (make === undefined) return object;
    const made = make([object], server.now(), { resourceVersion: object.metadata.resourceVersion }, header);
    header = false;
    return made;
  };
  return (event: WatchEvent): Json | undefined => {
    switch (event.type) {
      case 'bookmark': {
        if (!withBookmarks) return undefined;
        const metadata = { resourceVersion: event.resourceVersion, creationTimestamp: null };
        const object = make?.([], server.now(), metadata, false) ?? {
          kind: kind.resource.kind,
          apiVersion: apiVersionOf(kind),
          metadata,
        };
        return { type: 'BOOKMARK', object };
      }
      case 'error':
        return { type: 'ERROR', object: statusBody(event.failure, undefined) };
      case 'added':
      case 'modified':
      case 'deleted':
        return { type: event.type.toUpperCase(), object: shown(event.object) };
    }
  };
};

/** Answers a watch request; throws before anything is sent when the selectors or the version cannot be read. */
export const answerWatch = (
  server: ApiServer,
  kind: KindOptions,
  namespace: string | undefined,
  selectors: { readonly labelSelector?: string; readonly fieldSelector?: string },
  query: URLSearchParams,
  table: TableOptions | undefined,
  response: ServerResponse,
): void => {
  const line = lineOf(server, kind, query.get('allowWatchBookmarks') === 'true', table);
  const options = {
    ...selectors,
    ...(namespace === undefined ? {} : { namespace }),
    resourceVersion: query.get('resourceVersion') ?? '',
    timeoutSeconds: Number(query.get('timeoutSeconds') ?? '') || defaultTimeoutSeconds,
  };
  // Refused with a status code while that is still possible.
  server.list(kind.resource, { ...selectors, limit: 1 });
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
  response.flushHeaders();
  const subscription = server.watch(kind.resource, options).subscribe({
    next: (event) => {
      const made = line(event);
      if (made !== undefined) response.write(`${JSON.stringify(made)}\n`);
    },
    error: () => response.destroy(),
    complete: () => response.end(),
  });
  response.on('close', () => subscription.unsubscribe());
};
