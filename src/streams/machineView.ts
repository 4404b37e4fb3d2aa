// Gathers from a snapshot the objects that concern one machine of a migration: the step from stores to facts.
import type { MachineView } from '../core/facts.ts';
import type { Pod, StorageMigration } from '../core/objects.ts';
import type { Malformed } from '../core/projection.ts';
import type { MigrationRecord } from '../core/storageMigration.ts';
import { indexKey, type Snapshot } from './snapshot.ts';

const recordOf = (migration: StorageMigration, machine: string): MigrationRecord | undefined =>
  migration.status?.virtualMachines?.find((entry) => entry.name === machine)?.record;

/** Claims of the machine that this migration is about. */
const claimNames = (migration: StorageMigration, machine: string): readonly string[] => {
  const wanted = migration.spec.virtualMachines.find((candidate) => candidate.name === machine);
  const record = recordOf(migration, machine);
  return [
    ...new Set([
      ...(wanted?.volumes.map((volume) => volume.target.claimName) ?? []),
      ...(record?.disks.flatMap((disk) => [disk.source, disk.target]) ?? []),
    ]),
  ];
};

const podsOf = (snapshot: Snapshot, migration: StorageMigration, machine: string): readonly Pod[] => {
  const found = new Map<string, Pod>();
  const add = (pods: readonly Pod[]): void => {
    for (const pod of pods) found.set(pod.uid, pod);
  };
  for (const claim of claimNames(migration, machine)) {
    add(snapshot.pods.by('claim', indexKey(migration.namespace, claim)));
  }
  const instance = snapshot.instances.get(migration.namespace, machine);
  if (instance !== undefined) {
    for (const launcher of snapshot.pods.by('owner', instance.uid)) {
      add([launcher]);
      add(snapshot.pods.by('owner', launcher.uid));
    }
  }
  return [...found.values()].sort((a, b) => (a.uid < b.uid ? -1 : 1));
};

/** With a server for each machine no machine waits for the pods of another. */
const endingCopyPodsOf = (snapshot: Snapshot, migration: StorageMigration): readonly Pod[] =>
  migration.spec.transfer.server === 'PerVirtualMachine'
    ? []
    : snapshot.pods.by('migration', migration.uid).filter((pod) => pod.deleting);

/** Whether `other` was there before `migration`. */
const isFirst = (other: StorageMigration, migration: StorageMigration): boolean =>
  other.createdAt === migration.createdAt ? other.uid < migration.uid : other.createdAt < migration.createdAt;

/** A migration that was there first, or has the machine in its hands already, and is not done with it. */
const rivalsOf = (snapshot: Snapshot, migration: StorageMigration, machine: string): readonly string[] => {
  if (recordOf(migration, machine) !== undefined) return [];
  return snapshot.migrations
    .by('machine', indexKey(migration.namespace, machine))
    .filter((other) => other.uid !== migration.uid)
    .filter((other) => {
      const record = recordOf(other, machine);
      return record === undefined ? isFirst(other, migration) : record.completed === undefined;
    })
    .map((other) => other.name)
    .sort();
};

/** The same of a claim to which a disk is to be moved; once a machine is done there, its VM names the claim. */
const targetRivalsOf = (
  snapshot: Snapshot,
  migration: StorageMigration,
  machine: string,
  claim: string,
): readonly string[] => {
  if (recordOf(migration, machine) !== undefined) return [];
  return snapshot.migrations
    .by('target', indexKey(migration.namespace, claim))
    .filter((other) => other.uid !== migration.uid)
    .filter((other) => {
      const entries = other.status?.virtualMachines ?? [];
      const recorded = entries.find(({ record }) => record?.disks.some(({ target }) => target === claim));
      return recorded === undefined ? isFirst(other, migration) : recorded.record?.completed === undefined;
    })
    .map((other) => other.name)
    .sort();
};

const messagesOf = (found: readonly (Malformed | undefined)[]): readonly string[] =>
  found.flatMap((malformed) => (malformed === undefined ? [] : [malformed.message]));

/** The view of one machine. */
export const machineViewOf = (snapshot: Snapshot, migration: StorageMigration, machine: string): MachineView => {
  const { namespace } = migration;
  const tombstone = snapshot.instances.tombstone(namespace, machine);
  const [settings] = snapshot.settings.all();
  return {
    migration,
    name: machine,
    machine: snapshot.virtualMachines.get(namespace, machine),
    instance: snapshot.instances.get(namespace, machine),
    lastInstance: tombstone,
    attempts: snapshot.attempts.by('vmi', indexKey(namespace, machine)),
    pods: podsOf(snapshot, migration, machine),
    endingCopyPods: endingCopyPodsOf(snapshot, migration),
    claim: (name) => snapshot.claims.get(namespace, name),
    settings,
    rivals: rivalsOf(snapshot, migration, machine),
    targetRivals: (claim) => targetRivalsOf(snapshot, migration, machine, claim),
    otherUsersOf: (claim) =>
      snapshot.virtualMachines
        .by('claim', indexKey(namespace, claim))
        .flatMap((user) => (user.name === machine ? [] : [user.name])),
    unreadable: messagesOf([
      snapshot.virtualMachines.malformedAt(namespace, machine),
      snapshot.instances.malformedAt(namespace, machine),
    ]),
    unreadableClaims: messagesOf(
      claimNames(migration, machine).map((claim) => snapshot.claims.malformedAt(namespace, claim)),
    ),
  };
};

/**
 * Everything a view was made from, in a fixed order: two equal rows give equal facts. Objects in stores are never
 * changed, so comparing them by identity is comparing them by value.
 */
export const ingredientsOf = (view: MachineView, snapshot: Snapshot): readonly unknown[] => {
  const claims = claimNames(view.migration, view.name);
  return [
    view.migration,
    view.machine,
    view.instance,
    view.lastInstance?.object,
    view.lastInstance?.gap,
    view.settings,
    view.attempts.length,
    ...view.attempts,
    view.pods.length,
    ...view.pods,
    view.endingCopyPods.length,
    ...view.endingCopyPods,
    ...claims.map((name) => snapshot.claims.get(view.migration.namespace, name)),
    view.rivals.join(),
    ...claims.map((name) => view.targetRivals(name).join()),
    ...claims.map((name) => view.otherUsersOf(name).join()),
    view.unreadable.join(),
    view.unreadableClaims.join(),
  ];
};
