// Remembers the facts of every machine until something they were made from changes: a thousand machines must not be
// looked at again because of one. What a machine's facts depend on is noted while they are made, so it cannot be
// forgotten here when a view learns to look at more. It is a memory of what the stores say, never of its own.
// Guarantees: what it gives is what would be made anew at this moment; facts that did not change are the same object.
import { factsOf, type MachineFacts } from '../core/facts.ts';
import { isSame } from '../core/isSame.ts';
import type { StorageMigration } from '../core/objects.ts';
import { keyText, type MachineKey } from '../core/reading.ts';
import { ingredientsOf, machineViewOf } from './machineView.ts';
import type { Snapshot } from './snapshot.ts';
import { noteOf, trackedSnapshot, wholeStore } from './trackedSnapshot.ts';

/** A machine that a migration names. */
export interface Member {
  readonly key: MachineKey;
  readonly text: string;
}

export interface FactsMemory {
  /** Catches up with the stores of the snapshot; what it returns is good as long as nothing else has happened. */
  at(snapshot: Snapshot): (migration: StorageMigration, member: Member) => MachineFacts;
  /** Forgets a machine that is in no migration any more. */
  forget(text: string): void;
}

interface Remembered {
  /** The newest version that is known to say the same. */
  migration: StorageMigration;
  readonly ingredients: readonly unknown[];
  readonly facts: MachineFacts;
  readonly dependsOn: ReadonlySet<string>;
}

const memberMaps = new WeakMap<StorageMigration, ReadonlyMap<string, Member>>();

/** The machines a migration names, now or in its records, by name. */
export const membersOf = (migration: StorageMigration): ReadonlyMap<string, Member> => {
  const known = memberMaps.get(migration);
  if (known !== undefined) return known;
  const names = new Set([
    ...migration.spec.virtualMachines.map((machine) => machine.name),
    // What is told of a machine that was never accepted ends with its name in spec.
    ...(migration.status?.virtualMachines ?? []).flatMap(({ name, record }) => (record === undefined ? [] : [name])),
  ]);
  const members = new Map(
    [...names].map((machine): [string, Member] => {
      const key = { namespace: migration.namespace, migration: migration.name, machine };
      return [machine, { key, text: keyText(key) }];
    }),
  );
  memberMaps.set(migration, members);
  return members;
};

const areEqual = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);

/**
 * Whether a new version of a migration says nothing new about a machine that it has accepted: all that has changed is
 * what people read, or the records of others. The facts may then go on naming the older version.
 */
const saysTheSame = (before: Remembered, migration: StorageMigration, { key }: Member): boolean => {
  const { uid, generation, deleting, finalizers } = before.migration;
  if (before.migration === migration) return true;
  if (migration.uid !== uid || migration.generation !== generation || migration.deleting !== deleting) return false;
  if (!isSame(migration.finalizers, finalizers)) return false;
  const entry = migration.status?.virtualMachines?.find(({ name }) => name === key.machine);
  return entry?.record !== undefined && isSame(entry.record, before.facts.record);
};

const everyStore: Readonly<Record<keyof Snapshot, true>> = {
  virtualMachines: true,
  instances: true,
  attempts: true,
  pods: true,
  claims: true,
  migrations: true,
  settings: true,
};
const storeNames = Object.keys(everyStore) as readonly (keyof Snapshot)[];

/** Makes the empty memory of one daemon; all snapshots given to it are of the same stores. */
export const factsMemory = (): FactsMemory => {
  const remembered = new Map<string, Remembered>();
  /** Machines whose facts have to be made again before they are given. */
  const doubtful = new Set<string>();
  const dependents = new Map<string, Set<string>>();
  const positions = new Map<string, number>();
  let noted: Set<string> | undefined;
  let tracked: { readonly of: Snapshot; readonly snapshot: Snapshot } | undefined;

  const doubt = (note: string): void => {
    for (const text of dependents.get(note) ?? []) doubtful.add(text);
  };

  /** Takes in what has changed in the stores since the last time. */
  const catchUp = (snapshot: Snapshot): void => {
    for (const name of storeNames) {
      const { changes } = snapshot[name];
      const position = positions.get(name) ?? 0;
      if (changes.end === position) continue;
      positions.set(name, changes.end);
      const keys = changes.since(position);
      if (keys === undefined) for (const text of remembered.keys()) doubtful.add(text);
      else {
        for (const key of keys) doubt(noteOf(name, key));
        doubt(wholeStore(name));
      }
    }
  };

  const depend = (text: string, before: ReadonlySet<string>, after: ReadonlySet<string>): void => {
    for (const note of before) {
      if (after.has(note)) continue;
      const others = dependents.get(note);
      others?.delete(text);
      if (others?.size === 0) dependents.delete(note);
    }
    for (const note of after) {
      const others = dependents.get(note);
      if (others === undefined) dependents.set(note, new Set([text]));
      else others.add(text);
    }
  };

  const trackedOf = (snapshot: Snapshot): Snapshot => {
    if (tracked?.of !== snapshot)
      tracked = { of: snapshot, snapshot: trackedSnapshot(snapshot, (note) => noted?.add(note)) };
    return tracked.snapshot;
  };

  const make = (snapshot: Snapshot, migration: StorageMigration, { key }: Member) => {
    const dependsOn = new Set<string>();
    noted = dependsOn;
    const within = trackedOf(snapshot);
    const view = machineViewOf(within, migration, key.machine);
    const ingredients = ingredientsOf(view, within);
    noted = undefined;
    return { view, ingredients, dependsOn };
  };

  const factsFrom = (snapshot: Snapshot, migration: StorageMigration, member: Member): MachineFacts => {
    const { text } = member;
    const before = remembered.get(text);
    if (before !== undefined && !doubtful.has(text) && saysTheSame(before, migration, member)) {
      // The next comparison is by identity.
      before.migration = migration;
      return before.facts;
    }
    const { view, ingredients, dependsOn } = make(snapshot, migration, member);
    const same = before !== undefined && areEqual(before.ingredients, ingredients);
    const facts = same ? before.facts : factsOf(view);
    remembered.set(text, { migration, ingredients, facts, dependsOn });
    depend(text, before?.dependsOn ?? new Set(), dependsOn);
    doubtful.delete(text);
    return facts;
  };

  return {
    at: (snapshot) => {
      catchUp(snapshot);
      return (migration, member) => factsFrom(snapshot, migration, member);
    },
    forget: (text) => {
      depend(text, remembered.get(text)?.dependsOn ?? new Set(), new Set());
      remembered.delete(text);
      doubtful.delete(text);
    },
  };
};
