// Watches every kind and combines the stores into snapshots: the left half of the way through the house. Guarantees
// that a snapshot is `synced` only when every kind has been listed, and that a burst of events makes few snapshots.
import { combineLatest, map, type Observable, tap } from 'rxjs';
import type {
  Kept,
  KubeVirtSettings,
  PersistentVolumeClaim,
  Pod,
  StorageMigration,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from '../core/objects.ts';
import { claimOf } from '../core/volumes.ts';
import type { KubeApi, Resource } from '../kube/api.ts';
import {
  projectKubeVirt,
  projectPersistentVolumeClaim,
  projectPod,
  projectStorageMigration,
  projectVirtualMachine,
  projectVirtualMachineInstance,
  projectVirtualMachineInstanceMigration,
} from '../kube/project.ts';
import { resources } from '../kube/resources.ts';
import { auditLeading } from '../operators/auditLeading.ts';
import { offSince } from './offSince.ts';
import type { Project } from './signalOf.ts';
import type { Store } from './store.ts';
import { type StoreOptions, storeOf } from './storeOf.ts';
import { type WatchKindOptions, watchKind } from './watchKind.ts';
import type { WatchSignal } from './watchSignal.ts';

export interface Snapshot {
  readonly virtualMachines: Store<VirtualMachine, 'claim'>;
  readonly instances: Store<VirtualMachineInstance, never>;
  readonly attempts: Store<VirtualMachineInstanceMigration, 'vmi'>;
  readonly pods: Store<Pod, 'claim' | 'owner' | 'migration'>;
  readonly claims: Store<PersistentVolumeClaim, never>;
  readonly migrations: Store<StorageMigration, 'machine' | 'target'>;
  readonly settings: Store<KubeVirtSettings, never>;
}

export interface SnapshotOptions extends WatchKindOptions {
  /** At most one snapshot per this time. */
  readonly auditMs: number;
  /** Hears every signal of every watch, for log and metrics. */
  readonly onSignal: (resource: Resource, signal: WatchSignal<Kept>) => void;
}

const everywhere: readonly string[] = [];

/** The key under which indexes by namespace and name hold objects. */
export const indexKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/** Machines that a migration names, now or in a record of it. */
const machinesOfMigration = (migration: StorageMigration): readonly string[] => [
  ...new Set([
    ...migration.spec.virtualMachines.map((machine) => indexKey(migration.namespace, machine.name)),
    ...(migration.status?.virtualMachines ?? []).map((entry) => indexKey(migration.namespace, entry.name)),
  ]),
];

/** Claims that a migration moves disks to, or did as its records say. */
const targetsOfMigration = (migration: StorageMigration): readonly string[] => [
  ...new Set(
    [
      ...migration.spec.virtualMachines.flatMap(({ volumes }) => volumes.map(({ target }) => target.claimName)),
      ...(migration.status?.virtualMachines ?? []).flatMap(
        (entry) => entry.record?.disks.map(({ target }) => target) ?? [],
      ),
    ].map((claim) => indexKey(migration.namespace, claim)),
  ),
];

/** Watches the cluster; emits from the beginning, `isSynced` tells when a snapshot may be decided upon. */
export const snapshotOf = (api: KubeApi, options: SnapshotOptions): Observable<Snapshot> => {
  const watched = <T extends Kept, Index extends string = never>(
    resource: Resource,
    project: Project<T>,
    store: StoreOptions<T, Index> = {},
    namespaces: readonly string[] | undefined = options.namespaces,
  ): Observable<Store<T, Index>> =>
    watchKind(api, resource, project, { ...options, namespaces }).pipe(
      tap((signal) => options.onSignal(resource, signal)),
      storeOf<T, Index>({ ...store, namespaces, ...(options.now === undefined ? {} : { now: options.now }) }),
    );
  return combineLatest({
    virtualMachines: watched(resources.virtualMachines, projectVirtualMachine, {
      fold: offSince,
      indexes: {
        claim: (machine: VirtualMachine) =>
          machine.volumes.map(claimOf).flatMap((claim) => (claim === '' ? [] : [indexKey(machine.namespace, claim)])),
      },
    }),
    instances: watched(resources.virtualMachineInstances, projectVirtualMachineInstance, { keepDeleted: true }),
    attempts: watched(resources.virtualMachineInstanceMigrations, projectVirtualMachineInstanceMigration, {
      indexes: { vmi: (attempt: VirtualMachineInstanceMigration) => [indexKey(attempt.namespace, attempt.vmiName)] },
    }),
    pods: watched(resources.pods, projectPod, {
      indexes: {
        claim: (pod: Pod) => pod.claims.map((claim) => indexKey(pod.namespace, claim)),
        owner: (pod: Pod) => (pod.ownerUid === '' ? [] : [pod.ownerUid]),
        migration: (pod: Pod) => (pod.migrationUid === '' ? [] : [pod.migrationUid]),
      },
    }),
    claims: watched(resources.persistentVolumeClaims, projectPersistentVolumeClaim),
    migrations: watched(resources.storageMigrations, projectStorageMigration, {
      indexes: { machine: machinesOfMigration, target: targetsOfMigration },
    }),
    // The KubeVirt object stands in KubeVirt's own namespace and may be read by everybody (contract §1.2).
    settings: watched(resources.kubeVirts, projectKubeVirt, {}, everywhere),
  }).pipe(
    map((snapshot): Snapshot => snapshot),
    auditLeading(options.auditMs),
  );
};

/** Whether every kind was listed: half of a cluster must not be decided upon. */
export const isSynced = (snapshot: Snapshot): boolean =>
  Object.values(snapshot).every((store: Store<Kept>) => store.synced);
