// A secondary index over the objects of a store, kept up to date object by object. Plain mutable data behind functions;
// the store is its one writer.

/** Finds objects by what they say of themselves, for example pods by the claims they mount. */
export interface ObjectIndex<T> {
  /** Returns every key under which something else is found now. */
  replace(previous: T | undefined, next: T | undefined): readonly string[];
  find(key: string): readonly T[];
}

/** Most keys have one object, so one that is alone stands for itself; more are a map by uid. */
type Bucket<T> = { readonly only: T; readonly many?: never } | { readonly many: Map<string, T>; readonly only?: never };

const none: readonly never[] = Object.freeze([]);

/** Makes an empty index. No operation takes longer the more objects there are, only the more one key has. */
export const objectIndex = <T extends { readonly uid: string }>(
  keysOf: (object: T) => readonly string[],
): ObjectIndex<T> => {
  const buckets = new Map<string, Bucket<T>>();

  const add = (key: string, object: T): void => {
    const bucket = buckets.get(key);
    if (bucket === undefined || bucket.only?.uid === object.uid) buckets.set(key, { only: object });
    else if (bucket.many !== undefined) bucket.many.set(object.uid, object);
    else {
      const many = new Map([
        [bucket.only.uid, bucket.only],
        [object.uid, object],
      ]);
      buckets.set(key, { many });
    }
  };

  const remove = (key: string, { uid }: T): void => {
    const bucket = buckets.get(key);
    if (bucket?.only?.uid === uid) buckets.delete(key);
    else if (bucket?.many?.delete(uid) && bucket.many.size === 0) buckets.delete(key);
  };

  return {
    replace: (previous, next) => {
      const keys = next === undefined ? none : keysOf(next);
      const stay = previous !== undefined && previous.uid === next?.uid;
      const left = previous === undefined ? none : keysOf(previous).filter((key) => !stay || !keys.includes(key));
      if (previous !== undefined) for (const key of left) remove(key, previous);
      if (next !== undefined) for (const key of keys) add(key, next);
      return left.length === 0 ? keys : [...keys, ...left];
    },
    find: (key) => {
      const bucket = buckets.get(key);
      if (bucket === undefined) return none;
      return bucket.many === undefined ? [bucket.only] : [...bucket.many.values()];
    },
  };
};
