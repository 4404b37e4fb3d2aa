// A cluster for the tests of the watch: answers each list and each watch with the next stream it was given, and keeps
// what it was asked. Asking for more than was given is an error of the test.
import { defer, type Observable, of } from 'rxjs';
import type { Kept } from '../../../src/core/objects.ts';
import type { Projection } from '../../../src/core/projection.ts';
import type { KubeApi, KubeObject, ListOptions, ListPage, WatchEvent, WatchOptions } from '../../../src/kube/api.ts';

export interface Asked {
  readonly lists: ListOptions[];
  readonly watches: WatchOptions[];
}

const neverAsked = (): never => {
  throw new Error('A watch only lists and watches.');
};

/** Answers requests in the order in which they are subscribed. */
export const scriptedApi = (
  lists: readonly Observable<ListPage>[],
  watches: readonly Observable<WatchEvent>[],
): { readonly api: KubeApi; readonly asked: Asked } => {
  const asked: Asked = { lists: [], watches: [] };
  const next = <T>(script: readonly Observable<T>[], index: number, what: string): Observable<T> => {
    const answer = script[index];
    if (answer === undefined) throw new Error(`Nothing was prepared for ${what} ${index + 1}.`);
    return answer;
  };
  const api: KubeApi = {
    list: (_resource, options) => defer(() => next(lists, asked.lists.push(options) - 1, 'list')),
    watch: (_resource, options) => defer(() => next(watches, asked.watches.push(options) - 1, 'watch')),
    get: neverAsked,
    create: neverAsked,
    patch: neverAsked,
    remove: neverAsked,
    log: neverAsked,
  };
  return { api, asked };
};

/** An object as it travels. What stands in `note` decides what the projection below makes of it. */
export const raw = (name: string, resourceVersion: string, note = ''): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion },
  note,
});

export const page = (resourceVersion: string, items: readonly KubeObject[], token?: string): Observable<ListPage> =>
  of({ resourceVersion, items, ...(token === undefined ? {} : { continue: token }) });

export interface Thing extends Kept {
  readonly note: string;
}

export const thing = (name: string, resourceVersion: string, note = '', uid = `uid-${name}`): Thing => ({
  namespace: 'shop',
  name,
  uid,
  resourceVersion,
  deleting: false,
  note,
});

export const malformedThing = (name: string, resourceVersion: string) => ({
  namespace: 'shop',
  name,
  uid: `uid-${name}`,
  resourceVersion,
  deleting: false,
  generation: 0,
  finalizers: [],
  part: 'spec' as const,
  field: 'note',
  message: `Thing shop/${name}: note is not readable`,
});

/** Keeps things, but for those whose note says otherwise. */
export const projectThing = ({ metadata, ...rest }: KubeObject): Projection<Thing> => {
  const note = String(rest['note']);
  const { name, resourceVersion = '' } = metadata;
  switch (note) {
    case 'bad':
      return { kind: 'malformed', malformed: malformedThing(name, resourceVersion) };
    case 'dull':
      return { kind: 'ignored' };
    default:
      return { kind: 'kept', object: thing(name, resourceVersion, note) };
  }
};
