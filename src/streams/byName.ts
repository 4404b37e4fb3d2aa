// A map by namespace and name, one map of names for each namespace: looking up joins no strings, and one namespace can
// be taken out alone.

/** Named things; a namespace without any leaves nothing behind. */
export interface ByName<T> {
  readonly size: number;
  get(namespace: string, name: string): T | undefined;
  set(namespace: string, name: string, value: T): void;
  delete(namespace: string, name: string): void;
  /** All of one namespace or, for an empty one, of all. */
  values(namespace: string): IterableIterator<T>;
}

/** Makes an empty map. */
export const byName = <T>(): ByName<T> => {
  const namespaces = new Map<string, Map<string, T>>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    get: (namespace, name) => namespaces.get(namespace)?.get(name),
    set: (namespace, name, value) => {
      let names = namespaces.get(namespace);
      if (names === undefined) {
        names = new Map();
        namespaces.set(namespace, names);
      }
      if (!names.has(name)) size += 1;
      names.set(name, value);
    },
    delete: (namespace, name) => {
      const names = namespaces.get(namespace);
      if (!names?.delete(name)) return;
      size -= 1;
      if (names.size === 0) namespaces.delete(namespace);
    },
    *values(namespace) {
      if (namespace !== '') yield* namespaces.get(namespace)?.values() ?? [];
      else for (const names of namespaces.values()) yield* names.values();
    },
  };
};
