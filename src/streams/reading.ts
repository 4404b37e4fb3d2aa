// The newest snapshot as the effects may read it: facts are made when asked for, from the stores as they are then.
import { factsOf } from '../core/facts.ts';
import type { MachineKey, MigrationKey, Reading, WrittenKind } from '../core/reading.ts';
import { memberNames } from './machines.ts';
import { machineViewOf } from './machineView.ts';
import { isSynced, type Snapshot } from './snapshot.ts';

const storeOfKind = (snapshot: Snapshot, kind: WrittenKind) => {
  switch (kind) {
    case 'virtualMachines':
      return snapshot.virtualMachines;
    case 'storageMigrations':
      return snapshot.migrations;
    case 'pods':
      return snapshot.pods;
    case 'claims':
      return snapshot.claims;
    default:
      return kind satisfies never;
  }
};

/** `latest` gives the newest snapshot, undefined before the first. */
export const readingOf = (latest: () => Snapshot | undefined): Reading => {
  const migrationAt = (key: MigrationKey) => latest()?.migrations.get(key.namespace, key.migration);
  return {
    synced: () => {
      const snapshot = latest();
      return snapshot !== undefined && isSynced(snapshot);
    },
    lastEventMs: () => {
      const times = Object.values(latest() ?? {}).flatMap((store: Snapshot[keyof Snapshot]) => store.lastEventMs ?? []);
      return times.length === 0 ? undefined : Math.max(...times);
    },
    machine: (key: MachineKey) => {
      const snapshot = latest();
      const migration = migrationAt(key);
      if (snapshot === undefined || migration === undefined || !memberNames(migration).has(key.machine))
        return undefined;
      return factsOf(machineViewOf(snapshot, migration, key.machine));
    },
    migration: (key) => {
      const snapshot = latest();
      const migration = migrationAt(key);
      if (snapshot === undefined || migration === undefined) return undefined;
      return {
        migration,
        members: [...memberNames(migration)].map((machine) => factsOf(machineViewOf(snapshot, migration, machine))),
        pods: snapshot.pods.by('migration', migration.uid),
      };
    },
    seenVersion: (kind, namespace) => {
      const snapshot = latest();
      return snapshot === undefined ? '' : storeOfKind(snapshot, kind).seenVersionOf(namespace);
    },
  };
};
