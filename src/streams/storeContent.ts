// The inside of a store: objects, indexes, tombstones and what cannot be read, with the rules by which one version of
// an object takes the place of another. Mutable, with one writer: the store that made it.
// Guarantees: an event that is a duplicate or older than what is held changes nothing; an object that was seen deleted
// is not brought back by a late event of its own; what a list says counts, whatever was held before.
import type { Kept } from '../core/objects.ts';
import type { Malformed } from '../core/projection.ts';
import { compareVersions } from '../core/resourceVersion.ts';
import { byName } from './byName.ts';
import { changeLog } from './changeLog.ts';
import { type ObjectIndex, objectIndex } from './objectIndex.ts';
import { recentMap } from './recentMap.ts';
import type { Tombstone } from './store.ts';
import type { ObjectIdentity } from './watchSignal.ts';

/** Derives fields of an object from the versions before it. Returning the same object changes nothing. */
export interface Fold<T> {
  /**
   * Called for each version that is taken in. `previous` is the version held of the same object (uid), and
   * `contiguous` says that no version can lie between the two.
   */
  next(previous: T | undefined, next: T, context: { readonly contiguous: boolean; readonly nowMs: number }): T;
  /** Called for a version that comes after a newer one, and is not taken in; returns what to hold instead of `kept`. */
  late?(kept: T, late: T, context: { readonly nowMs: number }): T;
}

export interface ContentOptions<T extends Kept, Index extends string> {
  readonly indexes?: Readonly<Record<Index, (object: T) => readonly string[]>>;
  readonly keepDeleted?: boolean;
  readonly fold?: Fold<T>;
  /** Most deleted objects that are remembered, each for itself and as a tombstone. */
  readonly mostDeleted: number;
}

/** What a list has brought so far. */
export interface Listed<T> {
  readonly objects: T[];
  readonly malformed: Malformed[];
}

const isNewer = (version: string, than: string): boolean => (compareVersions(version, than) ?? 1) > 0;

/** Makes an empty content. Its writing functions tell whether anything has changed. */
export const storeContent = <T extends Kept, Index extends string>(options: ContentOptions<T, Index>) => {
  const { keepDeleted = false, fold, mostDeleted } = options;
  const objects = byName<T>();
  const unreadable = byName<Malformed>();
  const tombstones = recentMap<Tombstone<T>>(mostDeleted);
  /** uids of objects that were seen deleted. */
  const dead = recentMap<true>(mostDeleted);
  const indexes = new Map<string, ObjectIndex<T>>(
    Object.entries<(object: T) => readonly string[]>(options.indexes ?? {}).map(([name, keysOf]) => [
      name,
      objectIndex(keysOf),
    ]),
  );

  const changes = changeLog();
  /** What is found under this name, readable, unreadable or gone, is about to change. */
  const touch = ({ namespace, name }: { readonly namespace: string; readonly name: string }): void =>
    changes.add(`${namespace}/${name}`);
  const reindex = (previous: T | undefined, next: T | undefined): void => {
    for (const [name, index] of indexes) {
      for (const key of index.replace(previous, next)) changes.add(`${name} ${key}`);
    }
  };

  const put = (previous: T | undefined, next: T): void => {
    touch(next);
    objects.set(next.namespace, next.name, next);
    reindex(previous, next);
  };
  const take = (object: T): void => {
    touch(object);
    objects.delete(object.namespace, object.name);
    reindex(object, undefined);
  };
  const bury = (object: T, gap: boolean): void => {
    dead.set(object.uid, true);
    if (!keepDeleted) return;
    touch(object);
    const key = `${object.namespace}/${object.name}`;
    const known = tombstones.get(key)?.object;
    // The end of an earlier one of the name may be heard after that of a later one.
    const late =
      known !== undefined && known.uid !== object.uid && !isNewer(object.resourceVersion, known.resourceVersion);
    if (late) return;
    const forgotten = tombstones.set(key, { object, gap });
    if (forgotten !== undefined) changes.add(forgotten);
  };
  /** What is held under a name, readable or not. */
  const heldAt = ({ namespace, name }: ObjectIdentity): ObjectIdentity | undefined =>
    objects.get(namespace, name) ?? unreadable.get(namespace, name);

  /** Whether an event about `identity` comes too late to say anything about what there is now. */
  const isStale = (identity: ObjectIdentity): boolean => {
    const held = heldAt(identity);
    return dead.has(identity.uid) || (held !== undefined && !isNewer(identity.resourceVersion, held.resourceVersion));
  };

  const foldLate = (late: T, nowMs: number): boolean => {
    const kept = objects.get(late.namespace, late.name);
    if (fold?.late === undefined || kept?.uid !== late.uid || kept.resourceVersion === late.resourceVersion)
      return false;
    const folded = fold.late(kept, late, { nowMs });
    if (folded === kept) return false;
    put(kept, folded);
    return true;
  };

  /** Takes in an object that is newer than what is held, or that a list has. */
  const accept = (object: T, contiguous: boolean, nowMs: number): void => {
    const kept = objects.get(object.namespace, object.name);
    // The end of the one that had the name before was not seen.
    if (kept !== undefined && kept.uid !== object.uid) bury(kept, true);
    const previous = kept?.uid === object.uid ? kept : undefined;
    put(kept, fold === undefined ? object : fold.next(previous, object, { contiguous, nowMs }));
    unreadable.delete(object.namespace, object.name);
  };

  return {
    objects,
    unreadable,
    changes: changes.log,
    find: (index: Index, key: string): readonly T[] => {
      const found = indexes.get(index);
      if (found === undefined) throw new Error(`This store has no index ${index}.`);
      return found.find(key);
    },
    tombstone: (namespace: string, name: string): Tombstone<T> | undefined => tombstones.get(`${namespace}/${name}`),

    apply: (object: T, nowMs: number): boolean => {
      if (isStale(object)) return foldLate(object, nowMs);
      accept(object, true, nowMs);
      return true;
    },

    applyMalformed: (malformed: Malformed): boolean => {
      // Without a name there is nothing to hold it by; the watch has reported it.
      if (malformed.name === '' || isStale(malformed)) return false;
      const kept = objects.get(malformed.namespace, malformed.name);
      if (kept !== undefined) take(kept);
      touch(malformed);
      unreadable.set(malformed.namespace, malformed.name, malformed);
      return true;
    },

    /** `last` is the object's last state where it could be read. */
    remove: (identity: ObjectIdentity, last: T | undefined): boolean => {
      const { namespace, name, uid } = identity;
      const kept = objects.get(namespace, name);
      const mine = kept?.uid === uid ? kept : undefined;
      const unread = unreadable.get(namespace, name)?.uid === uid;
      const known = tombstones.get(`${namespace}/${name}`);
      if (mine === undefined && !unread && dead.has(uid) && !(known?.gap && known.object.uid === uid)) return false;
      const final = last ?? mine;
      if (final === undefined) dead.set(uid, true);
      else bury(final, false);
      if (mine !== undefined) take(mine);
      touch(identity);
      if (unread) unreadable.delete(namespace, name);
      return true;
    },

    /** The object is of no interest any more: it goes without a trace. */
    forget: (identity: ObjectIdentity): boolean => {
      if (isStale(identity)) return false;
      const kept = objects.get(identity.namespace, identity.name);
      if (kept !== undefined) take(kept);
      touch(identity);
      const unread = unreadable.get(identity.namespace, identity.name) !== undefined;
      unreadable.delete(identity.namespace, identity.name);
      return kept !== undefined || unread;
    },

    /** Makes the list all there is of a scope, in one step. */
    swap: (scope: string, listed: Listed<T>, nowMs: number): void => {
      const present = new Set<string>();
      for (const { uid } of [listed.objects, listed.malformed].flat()) {
        present.add(uid);
        dead.delete(uid);
      }
      for (const object of [...objects.values(scope)]) {
        if (present.has(object.uid)) continue;
        take(object);
        bury(object, true);
      }
      for (const { namespace, name } of [...unreadable.values(scope)]) unreadable.delete(namespace, name);
      for (const object of listed.objects) {
        const kept = objects.get(object.namespace, object.name);
        const same = kept?.uid === object.uid && kept.resourceVersion === object.resourceVersion;
        if (!same) accept(object, false, nowMs);
      }
      for (const malformed of listed.malformed) {
        if (malformed.name === '') continue;
        const kept = objects.get(malformed.namespace, malformed.name);
        if (kept !== undefined) take(kept);
        unreadable.set(malformed.namespace, malformed.name, malformed);
      }
      changes.addAll();
    },
  };
};
