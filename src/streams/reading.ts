// The newest snapshot as the effects may read it: facts are those of the stores in the moment
// in which they are asked for.
import type { CopyNews, MachineKey, MigrationKey, Reading, WrittenKind } from '../core/reading.ts';
import { type FactsMemory, factsMemory, membersOf } from './factsMemory.ts';
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

/**
 * `latest` gives the newest snapshot, undefined before the first; `memory` is that of the machines' stream, `board` where copyNews.ts
 * keeps what it heard.
 */
export const readingOf = (
  latest: () => Snapshot | undefined,
  memory: FactsMemory = factsMemory(),
  board: ReadonlyMap<string, CopyNews> = new Map(),
): Reading => {
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
      if (snapshot === undefined || migration === undefined) return undefined;
      const member = membersOf(migration).get(key.machine);
      return member === undefined ? undefined : memory.at(snapshot)(migration, member);
    },
    migration: (key) => {
      const snapshot = latest();
      const migration = migrationAt(key);
      if (snapshot === undefined || migration === undefined) return undefined;
      const factsOf = memory.at(snapshot);
      return {
        migration,
        members: Array.from(membersOf(migration).values(), (member) => factsOf(migration, member)),
        pods: snapshot.pods.by('migration', migration.uid),
      };
    },
    news: (podUid) => board.get(podUid),
    seenVersion: (kind, namespace) => {
      const snapshot = latest();
      return snapshot === undefined ? '' : storeOfKind(snapshot, kind).seenVersionOf(namespace);
    },
  };
};
