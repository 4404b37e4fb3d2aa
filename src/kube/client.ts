// The real cluster behind the port: kubeconfig and authentication of @kubernetes/client-node, requests over our own
// kept-alive connections. Only this file and clientConfig.ts import the client library.
// Guarantees: cold and abortable as the port demands; every failure is a KubeFailure that says whether the request can
// have had an effect; the server stops working on a write no later than we stop waiting for it.
import { KubeConfig } from '@kubernetes/client-node';
import { map, mergeMap } from 'rxjs';
import type { KubeApi, Patch } from './api.ts';
import { readEvent, readObject, readPage } from './clientAnswer.ts';
import type { Asked } from './clientFailure.ts';
import { pathOf } from './clientPath.ts';
import { type Call, type ConnectOptions, connectDefaults, sender, type Target } from './clientSend.ts';
import { fieldManager } from './names.ts';
import { resources } from './resources.ts';

export interface Connection extends KubeApi {
  /** Scheme, host and port of the API server, for messages. */
  readonly server: string;
  /** Lets requests under way finish and closes the connections. Unsubscribe watches before. */
  close(): Promise<void>;
}

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

const patchBody = (patch: Patch): unknown => (patch.type === 'json' ? patch.operations : patch.body);

/**
 * A server that agrees to a watch says nothing before something happens. That it agreed is as good as a bookmark of
 * the version asked for, and is the first sign after a break that all is well again.
 */
const acceptance = (resourceVersion: string): string =>
  resourceVersion === '' ? '' : JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion } } });

/**
 * The library refuses plain HTTP unless told not to verify, and leaves out the certificate authority of a context
 * without a user; neither is wanted.
 */
const targetOf = (given: KubeConfig): Target => {
  const cluster = given.getCurrentCluster();
  if (cluster === null) throw new Error('The kubeconfig has no current cluster: load it with loadKubeConfig.');
  const source = new KubeConfig();
  const skipTLSVerify = cluster.skipTLSVerify || cluster.server.startsWith('http:');
  source.loadFromClusterAndUser({ ...cluster, skipTLSVerify }, given.getCurrentUser() ?? { name: 'nobody' });
  return { source, url: new URL(cluster.server), proxyUrl: cluster.proxyUrl };
};

/** Connects to the current cluster of a kubeconfig. Nothing is sent before the first request. */
export const connect = (kubeConfig: KubeConfig, options: Partial<ConnectOptions> = {}): Connection => {
  const settings = { ...connectDefaults, ...options };
  const { requestTimeoutMs, listTimeoutMs } = settings;
  const target = targetOf(kubeConfig);
  const server = target.url.origin;
  const { ask, follow, close } = sender(target, settings);
  const read = (asked: Asked, path: string, timeoutMs: number) => ask({ asked, method: 'GET', path }, timeoutMs);
  // The server counts from when the request reaches it, so it is given less time than we take.
  const write = { timeout: `${Math.max(1, Math.floor(requestTimeoutMs * 0.9))}ms` };

  return {
    server,
    close,
    list: (resource, { namespace, labelSelector, fieldSelector, limit, continue: token }) => {
      const asked: Asked = { verb: 'list', resource, namespace, server };
      const path = pathOf(resource, { namespace, query: { labelSelector, fieldSelector, limit, continue: token } });
      return read(asked, path, listTimeoutMs).pipe(map((text) => readPage(asked, text)));
    },
    watch: (resource, { namespace, labelSelector, resourceVersion, timeoutSeconds }) => {
      const asked: Asked = { verb: 'watch', resource, namespace, server };
      const query = { watch: true, allowWatchBookmarks: true, labelSelector, resourceVersion, timeoutSeconds };
      const path = pathOf(resource, { namespace, query });
      const accepted = acceptance(resourceVersion);
      return follow({ asked, method: 'GET', path }, accepted).pipe(mergeMap((line) => readEvent(asked, line)));
    },
    get: (resource, ref) => {
      const asked: Asked = { verb: 'get', resource, ref, server };
      return read(asked, pathOf(resource, ref), requestTimeoutMs).pipe(map((text) => readObject(asked, text)));
    },
    create: (resource, object) => {
      const { namespace, name } = object.metadata;
      const ref = namespace === undefined ? { name } : { namespace, name };
      const asked: Asked = { verb: 'create', resource, ref, server };
      const path = pathOf(resource, { namespace, query: { ...write, fieldManager } });
      const call: Call = { asked, method: 'POST', path, contentType: 'application/json', body: object };
      return ask(call, requestTimeoutMs).pipe(map((text) => readObject(asked, text)));
    },
    patch: (resource, ref, patch, { subresource } = {}) => {
      const asked: Asked = { verb: 'patch', resource, ref, subresource, server };
      const manager =
        patch.type === 'apply' ? { fieldManager: patch.fieldManager, force: patch.force } : { fieldManager };
      const path = pathOf(resource, { ...ref, subresource, query: { ...write, ...manager } });
      const call: Call = { asked, method: 'PATCH', path, contentType: patchTypes[patch.type], body: patchBody(patch) };
      return ask(call, requestTimeoutMs).pipe(map((text) => readObject(asked, text)));
    },
    remove: (resource, ref, { uid, gracePeriodSeconds }) => {
      const asked: Asked = { verb: 'delete', resource, ref, server };
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid },
        propagationPolicy: 'Background',
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      };
      const path = pathOf(resource, { ...ref, query: write });
      const call: Call = { asked, method: 'DELETE', path, contentType: 'application/json', body };
      return ask(call, requestTimeoutMs).pipe(map(() => undefined));
    },
    log: (ref, { tailLines, limitBytes }) => {
      const subresource = 'log';
      const asked: Asked = { verb: 'get', resource: resources.pods, ref, subresource, server };
      const path = pathOf(resources.pods, { ...ref, subresource, query: { tailLines, limitBytes } });
      return read(asked, path, requestTimeoutMs);
    },
  };
};
