// All objects of one kind, what happened to them lately, and who watches. History is bounded: a watch that asks for
// more than is kept is told so. Lists are cut from a sorted snapshot that stays the same while pages of it are read.
import type { KubeObject, ObjectRef } from '../../kube/api.ts';
import type { Admission, Change, KindOptions } from '../cluster.ts';

/** A change with its resourceVersion as a number. */
export interface Recorded {
  readonly version: number;
  readonly change: Change;
}

/** Someone who is told of every change of a kind, in order, until the kind is no longer served. */
export interface Listener {
  next(recorded: Recorded): void;
  end(): void;
}

export interface KindStore {
  kind: KindOptions;
  readonly admissions: Admission[];
  readonly listeners: Set<Listener>;
  read(ref: ObjectRef): KubeObject | undefined;
  all(namespace: string | undefined): readonly KubeObject[];
  /** By namespace and name, as a list gives them. */
  sorted(): readonly KubeObject[];
  /** Stores, or with type `deleted` drops, the object of the change and keeps the change in the history. */
  record(recorded: Recorded): void;
  /** What happened after this version; undefined when the history does not go back that far. */
  since(version: number): readonly Recorded[] | undefined;
}

const order = (left: KubeObject, right: KubeObject): number => {
  const [a, b] = [left.metadata, right.metadata];
  if (a.namespace !== b.namespace) return (a.namespace ?? '') < (b.namespace ?? '') ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
};

/** The first place in the history whose version is above the given one. */
const placeAfter = (history: readonly Recorded[], version: number): number => {
  let low = 0;
  let high = history.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((history[middle]?.version ?? 0) > version) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** An empty store that keeps at least the last `historyLimit` changes. */
export const kindStore = (kind: KindOptions, historyLimit: number): KindStore => {
  const namespaces = new Map<string, Map<string, KubeObject>>();
  const listed = new Map<string | undefined, readonly KubeObject[]>();
  let history: Recorded[] = [];
  let forgotten = 0;
  let snapshot: readonly KubeObject[] | undefined;

  const gather = (namespace: string | undefined): readonly KubeObject[] =>
    namespace === undefined
      ? [...namespaces.values()].flatMap((objects) => [...objects.values()])
      : [...(namespaces.get(namespace)?.values() ?? [])];

  return {
    kind,
    admissions: [],
    listeners: new Set(),
    read: (ref) => namespaces.get(ref.namespace ?? '')?.get(ref.name),
    all: (namespace) => {
      const known = listed.get(namespace) ?? gather(namespace);
      listed.set(namespace, known);
      return known;
    },
    sorted: () => {
      const known = snapshot ?? [...gather(undefined)].sort(order);
      snapshot = known;
      return known;
    },
    record: (recorded) => {
      const { type, object } = recorded.change;
      const namespace = object.metadata.namespace ?? '';
      const objects = namespaces.get(namespace) ?? new Map<string, KubeObject>();
      if (type === 'deleted') objects.delete(object.metadata.name);
      else objects.set(object.metadata.name, object);
      if (objects.size === 0) namespaces.delete(namespace);
      else namespaces.set(namespace, objects);
      listed.delete(undefined);
      listed.delete(namespace);
      snapshot = undefined;
      history.push(recorded);
      // Cut only now and then: cutting at every write would copy the history each time.
      if (history.length > historyLimit + Math.max(16, historyLimit >> 2)) {
        const cut = history.length - historyLimit;
        forgotten = history[cut - 1]?.version ?? forgotten;
        history = history.slice(cut);
      }
    },
    since: (version) => (version < forgotten ? undefined : history.slice(placeAfter(history, version))),
  };
};
