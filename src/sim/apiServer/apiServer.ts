// The simulated API server, inside: every write of everybody goes through here, is validated, versioned and recorded,
// and is then told to those who watch. In memory and synchronous; the only time in it is that of rxjs timers.
import { asyncScheduler, Subject } from 'rxjs';
import type { KubeObject, Resource } from '../../kube/api.ts';
import type { ApiServer, Change, KindOptions } from '../cluster.ts';
import { collectGarbage } from './collectGarbage.ts';
import { coreKinds, namespaces } from './coreKinds.ts';
import { customResources } from './customResources.ts';
import { failures } from './failures.ts';
import { type KindStore, kindStore } from './kindStore.ts';
import { lists } from './lists.ts';
import { mirrorEvents } from './mirrorEvents.ts';
import { objects } from './objects.ts';
import { podLogs } from './podLogs.ts';
import { port } from './port.ts';
import { seededRandom } from './seededRandom.ts';
import type { Ownership } from './serverSideApply.ts';
import { subresources } from './subresources.ts';
import { terminateNamespaces } from './terminateNamespaces.ts';
import { watches } from './watches.ts';
import { writes } from './writes.ts';

export interface ApiServerOptions {
  /** For names and uids; the same sequence each time by default. */
  readonly random?: () => number;
  /** Changes kept per kind, at least: a watch from before them is answered 410. Default 10,000. */
  readonly historyLimit?: number;
  /** How long the pages of a list can be asked for after the first, in ms. Default five minutes. */
  readonly continueMs?: number;
  /** How often a watch is sent a bookmark, in ms. Default one minute. */
  readonly bookmarkMs?: number;
  /** How long after an owner is gone its objects are deleted, in ms. Default 10. */
  readonly garbageMs?: number;
  /** Namespaces that exist from the start. Default: those every cluster has. */
  readonly namespaces?: readonly string[];
}

/** The parts of the server that its files share. */
export interface Inside {
  readonly random: () => number;
  readonly stores: ReadonlyMap<string, KindStore>;
  now(): number;
  /** The store of a kind; 404 when it is not served. */
  store(resource: Resource): KindStore;
  /** The resourceVersion of the last write. */
  version(): number;
  /** What each manager applied to each object, by uid. */
  readonly ownerships: Map<string, Ownership>;
  /** Records a change under the version after the last, tells everybody, and gives the object with its version. */
  commit(store: KindStore, change: Omit<Change, 'resource'>): KubeObject;
}

const defaultNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Delivers in order even when someone who is told of a change writes at once. */
const delivery = (deliver: (store: KindStore, version: number, change: Change) => void) => {
  const waiting: (readonly [KindStore, number, Change])[] = [];
  let delivering = false;
  return (store: KindStore, version: number, change: Change): void => {
    waiting.push([store, version, change]);
    if (delivering) return;
    delivering = true;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) deliver(...next);
    } finally {
      delivering = false;
    }
  };
};

const kindStores = (historyLimit: number) => {
  const stores = new Map<string, KindStore>();
  const keyOf = ({ group, plural }: Resource): string => `${plural}.${group}`;
  return {
    stores,
    store: (resource: Resource): KindStore => {
      const store = stores.get(keyOf(resource));
      if (store === undefined || store.kind.resource.version !== resource.version) throw failures.noSuchKind();
      return store;
    },
    register: (kind: KindOptions): void => {
      const store = stores.get(keyOf(kind.resource));
      if (store === undefined) stores.set(keyOf(kind.resource), kindStore(kind, historyLimit));
      else store.kind = kind;
    },
    unregister: (resource: Resource): void => {
      const store = stores.get(keyOf(resource));
      stores.delete(keyOf(resource));
      for (const listener of store?.listeners ?? []) listener.end();
    },
  };
};

/** A server with the core kinds and namespaces; two servers share nothing. */
export const apiServer = (options: ApiServerOptions = {}): ApiServer => {
  const { stores, store, register, unregister } = kindStores(options.historyLimit ?? 10_000);
  const changes$ = new Subject<Change>();
  const followers: ((change: Change) => void)[] = [];
  let version = 0;
  const deliver = delivery((changed, at, change) => {
    for (const follow of followers) follow(change);
    for (const listener of [...changed.listeners]) listener.next({ version: at, change });
    changes$.next(change);
  });
  const inside: Inside = {
    random: options.random ?? seededRandom(1),
    stores,
    now: () => asyncScheduler.now(),
    store,
    version: () => version,
    ownerships: new Map(),
    commit: (changed, given) => {
      version += 1;
      const object = objects.withMetadata(given.object, { resourceVersion: String(version) });
      const change = { ...given, object, resource: changed.kind.resource };
      if (change.type === 'deleted') inside.ownerships.delete(object.metadata.uid ?? '');
      changed.record({ version, change });
      deliver(changed, version, change);
      return object;
    },
  };
  const server: ApiServer = {
    ...writes(inside),
    ...lists(inside, options.continueMs ?? 300_000),
    ...watches(inside, options.bookmarkMs ?? 60_000),
    ...subresources(),
    ...podLogs(inside),
    changes$: changes$.asObservable(),
    now: inside.now,
    register,
    admit: (resource, check) => store(resource).admissions.push(check),
    kinds: () => [...stores.values()].map(({ kind }) => kind),
    port: (portOptions) => port(server, portOptions),
  };
  for (const kind of coreKinds) register(kind);
  followers.push(
    customResources(server, ({ resource }) => unregister(resource)),
    collectGarbage(server, options.garbageMs ?? 10),
    terminateNamespaces(server, options.garbageMs ?? 10),
    mirrorEvents(server),
  );
  for (const name of options.namespaces ?? defaultNamespaces) {
    server.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'kube-apiserver');
  }
  return server;
};
