// A snapshot that notes what is looked up in it, so that what was made of it can be kept until just that changes. The
// notes are the keys of the stores' change logs, each with the name of its store before it.
import type { Kept } from '../core/objects.ts';
import { indexKey, type Snapshot } from './snapshot.ts';
import type { Store } from './store.ts';

type Name = keyof Snapshot;

/** The note of everything that a store holds. */
export const wholeStore = (name: Name): string => `${name} *`;

/** The note of one key of a store's change log. */
export const noteOf = (name: Name, key: string): string => `${name} ${key}`;

const trackedStore = <T extends Kept, Index extends string>(
  name: Name,
  store: Store<T, Index>,
  note: (key: string) => void,
): Store<T, Index> => ({
  ...store,
  get: (namespace, object) => {
    note(noteOf(name, indexKey(namespace, object)));
    return store.get(namespace, object);
  },
  by: (index, key) => {
    note(noteOf(name, `${index} ${key}`));
    return store.by(index, key);
  },
  all: () => {
    note(wholeStore(name));
    return store.all();
  },
  tombstone: (namespace, object) => {
    note(noteOf(name, indexKey(namespace, object)));
    return store.tombstone(namespace, object);
  },
  malformed: () => {
    note(wholeStore(name));
    return store.malformed();
  },
  malformedAt: (namespace, object) => {
    note(noteOf(name, indexKey(namespace, object)));
    return store.malformedAt(namespace, object);
  },
});

/** The snapshot as it is; each lookup is told to `note` before it is made. */
export const trackedSnapshot = (snapshot: Snapshot, note: (key: string) => void): Snapshot => ({
  virtualMachines: trackedStore('virtualMachines', snapshot.virtualMachines, note),
  instances: trackedStore('instances', snapshot.instances, note),
  attempts: trackedStore('attempts', snapshot.attempts, note),
  pods: trackedStore('pods', snapshot.pods, note),
  claims: trackedStore('claims', snapshot.claims, note),
  migrations: trackedStore('migrations', snapshot.migrations, note),
  settings: trackedStore('settings', snapshot.settings, note),
});
