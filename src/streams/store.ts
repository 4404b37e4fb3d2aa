// What the rest of the daemon sees of a kind of object: a view that only storeOf makes and nobody writes.
import type { Kept } from '../core/objects.ts';
import type { Malformed } from '../core/projection.ts';
import type { KubeFailure } from '../kube/api.ts';
import type { ChangeLog } from './changeLog.ts';

/** The last state of an object that is gone. */
export interface Tombstone<T> {
  readonly object: T;
  /** The end was not watched: a list found the object missing, so there may have been later states than this one. */
  readonly gap: boolean;
}

/**
 * Each change makes a new Store; reading an old one shows the new content, so never compare two of them by what they
 * hold. The objects in it are never changed, so an object that is the same is unchanged.
 */
export interface Store<T extends Kept, Index extends string = string> {
  /** Everything was listed at least once. Before that the store is empty, which says nothing. */
  readonly synced: boolean;
  readonly size: number;
  /**
   * Every write to this kind up to this resourceVersion has been taken in; empty before `synced`. Of several
   * namespaces the one that lags behind counts: ask `seenVersionOf` for one of them.
   */
  readonly seenVersion: string;
  seenVersionOf(namespace: string): string;
  /** Clock reading, in ms, when the server was last heard of; undefined before. */
  readonly lastEventMs: number | undefined;
  /** What goes wrong with listing or watching just now; undefined as soon as the server is heard again. */
  readonly trouble: KubeFailure | undefined;
  get(namespace: string, name: string): T | undefined;
  /** The objects that an index has under a key, in no particular order. */
  by(index: Index, key: string): readonly T[];
  /** Walks over all objects. */
  all(): IterableIterator<T>;
  /** The last object of that name that is gone, also while a new one has the name; none unless the store keeps them. */
  tombstone(namespace: string, name: string): Tombstone<T> | undefined;
  /** Objects that exist but cannot be read: `get` does not know them, and they must not count as gone. */
  malformed(): IterableIterator<Malformed>;
  malformedAt(namespace: string, name: string): Malformed | undefined;
  /**
   * What has changed: `namespace/name` of objects, and `index key` for every key of an index under which something else
   * is found.
   */
  readonly changes: ChangeLog;
}
