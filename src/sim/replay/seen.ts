// What one process of the daemon has been told so far: the judges' own memory, made from the events on their way to the
// daemon and independent of its stores and facts. Late and repeated events change nothing in it.
import type {
  Kept,
  Pod,
  StorageMigration,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from '../../core/objects.ts';
import type { Projection } from '../../core/projection.ts';
import { compareVersions } from '../../core/resourceVersion.ts';
import type { MigrationRecord } from '../../core/storageMigration.ts';
import type { KubeObject } from '../../kube/api.ts';
import {
  projectPod,
  projectStorageMigration,
  projectVirtualMachine,
  projectVirtualMachineInstance,
  projectVirtualMachineInstanceMigration,
} from '../../kube/project.ts';
import type { EventType, Listener } from './cluster.ts';

/** A migration whose guest was seen to run on its target. */
export interface SeenSwitchOver {
  readonly migrationUid: string;
  /** Name of the VMI. */
  readonly machine: string;
  /** Claims of the launcher it switched over to; undefined if that was never seen. */
  readonly targetClaims: readonly string[] | undefined;
}

/** What has been told about one machine of a StorageMigration. */
export interface Sight {
  readonly nowMs: number;
  readonly machine: string;
  readonly migration: StorageMigration;
  readonly record: MigrationRecord | undefined;
  readonly vm: VirtualMachine | undefined;
  readonly vmi: VirtualMachineInstance | undefined;
  readonly attempts: readonly VirtualMachineInstanceMigration[];
  /** Every pod of the namespace that mounts a claim. */
  readonly pods: readonly Pod[];
  readonly switchOvers: readonly SeenSwitchOver[];
  /** Whether the VMI with this uid was watched to its end: none of its words is missing. */
  readonly wasWatchedToItsEnd: (vmiUid: string) => boolean;
  /** When it last began or ceased to run, or to be meant to. */
  readonly runChangedMs: number;
  /** When a start was last possible without a further write to the VM; undefined: never since it is watched. */
  readonly startableMs: number | undefined;
  /** A record was written that has not come back yet. */
  readonly unseenWrite: boolean;
}

export interface Seen {
  readonly listener: Listener;
  /** A record was written, which made this version of the StorageMigration. */
  readonly wrote: (namespace: string, name: string, resourceVersion: string) => void;
  readonly migrations: () => readonly StorageMigration[];
  readonly sightOf: (migration: StorageMigration, machine: string) => Sight;
}

/** Whether KubeVirt may start the VM without anybody writing to it first (law 6). */
export const mayBeStarted = (vm: VirtualMachine): boolean =>
  vm.requests.includes('Start') || !['Halted', 'Manual', 'RerunOnFailure'].includes(vm.runStrategy);

const keyOf = (object: { readonly namespace: string; readonly name: string }): string =>
  `${object.namespace}/${object.name}`;

/** The newest version of each object of one kind. */
const book = <T extends Kept>(
  project: (raw: KubeObject) => Projection<T>,
  changed: (object: T) => void,
  gone: (object: T, watched: boolean) => void,
) => {
  const held = new Map<string, T>();
  const dead = new Set<string>();
  const read = (raw: KubeObject): T | undefined => {
    const projected = project(raw);
    return projected.kind === 'kept' ? projected.object : undefined;
  };
  const put = (object: T): void => {
    held.set(keyOf(object), object);
    changed(object);
  };
  const event = (type: EventType, raw: KubeObject): void => {
    const object = read(raw);
    if (object === undefined || dead.has(object.uid)) return;
    const known = held.get(keyOf(object));
    if (type === 'deleted') {
      dead.add(object.uid);
      if (known?.uid === object.uid) held.delete(keyOf(object));
      gone(object, true);
    } else if (known === undefined || (compareVersions(object.resourceVersion, known.resourceVersion) ?? 1) > 0) {
      put(object);
    }
  };
  const listed = (raws: readonly KubeObject[]): void => {
    const objects = raws.flatMap((raw) => read(raw) ?? []);
    const uids = new Set(objects.map(({ uid }) => uid));
    for (const [key, object] of held) {
      if (uids.has(object.uid)) continue;
      held.delete(key);
      gone(object, false);
    }
    for (const object of objects) put(object);
  };
  return { held, event, listed };
};

/** Makes the memory of one process. */
export const seenSoFar = (now: () => number): Seen => {
  const endWatched = new Set<string>();
  const launcherClaims = new Map<string, readonly string[]>();
  const switchOvers = new Map<string, { readonly machine: string; readonly targetPod: string }>();
  const runs = new Map<string, { readonly is: string; readonly sinceMs: number }>();
  const startable = new Map<string, { readonly is: boolean; readonly lastMs: number }>();
  const written = new Map<string, string>();

  /** Whether it runs, and whether it is meant to, in one text. */
  const runOf = (key: string): string => {
    const [vm, vmi] = [vms.held.get(key), vmis.held.get(key)];
    if (vm === undefined) return 'absent';
    if (vmi === undefined) return mayBeStarted(vm) || vm.created ? 'starts' : 'off';
    const stops = vm.runStrategy === 'Halted' || vm.requests[0] === 'Stop' || vmi.deleting || vm.deleting;
    return [vmi.uid, vmi.phase, stops].join();
  };
  const noteRun = (object: Kept): void => {
    const key = keyOf(object);
    const is = runOf(key);
    if (runs.get(key)?.is !== is) runs.set(key, { is, sinceMs: now() });
    const vm = vms.held.get(key);
    const may = vm !== undefined && (mayBeStarted(vm) || vm.created);
    if (may || startable.get(key)?.is === true) startable.set(key, { is: may, lastMs: now() });
  };
  const noteSwitchOver = (
    namespace: string,
    machine: string,
    state: VirtualMachineInstance['migrationState'],
  ): void => {
    if (state === undefined || state.targetNodeDomainReadyTimestamp === '') return;
    switchOvers.set(state.migrationUid, { machine: `${namespace}/${machine}`, targetPod: state.targetPod });
  };

  const vms = book(projectVirtualMachine, noteRun, noteRun);
  const vmis = book(
    projectVirtualMachineInstance,
    (vmi) => {
      noteRun(vmi);
      noteSwitchOver(vmi.namespace, vmi.name, vmi.migrationState);
    },
    (vmi, watched) => {
      noteRun(vmi);
      if (watched) endWatched.add(vmi.uid);
      if (watched) noteSwitchOver(vmi.namespace, vmi.name, vmi.migrationState);
    },
  );
  const vmims = book(
    projectVirtualMachineInstanceMigration,
    (vmim) => noteSwitchOver(vmim.namespace, vmim.vmiName, vmim.migrationState),
    () => undefined,
  );
  const pods = book(
    projectPod,
    (pod) => {
      if (pod.role === 'launcher') launcherClaims.set(keyOf(pod), pod.claims);
    },
    () => undefined,
  );
  const migrations = book(
    projectStorageMigration,
    () => undefined,
    () => undefined,
  );
  const books = new Map<string, Pick<ReturnType<typeof book>, 'event' | 'listed'>>([
    ['virtualmachines', vms],
    ['virtualmachineinstances', vmis],
    ['virtualmachineinstancemigrations', vmims],
    ['pods', pods],
    ['storagemigrations', migrations],
  ]);

  return {
    listener: {
      listed: (plural, objects) => books.get(plural)?.listed(objects),
      event: (plural, type, object) => books.get(plural)?.event(type, object),
    },
    wrote: (namespace, name, resourceVersion) => written.set(`${namespace}/${name}`, resourceVersion),
    migrations: () => [...migrations.held.values()],
    sightOf: (migration, machine) => {
      const { namespace } = migration;
      const key = `${namespace}/${machine}`;
      const own = written.get(keyOf(migration));
      return {
        nowMs: now(),
        machine,
        migration,
        record: migration.status?.virtualMachines?.find(({ name }) => name === machine)?.record,
        vm: vms.held.get(key),
        vmi: vmis.held.get(key),
        attempts: [...vmims.held.values()].filter((vmim) => vmim.namespace === namespace && vmim.vmiName === machine),
        pods: [...pods.held.values()].filter((pod) => pod.namespace === namespace),
        switchOvers: [...switchOvers]
          .filter(([, { machine: of }]) => of === key)
          .map(([migrationUid, { targetPod }]) => ({
            migrationUid,
            machine,
            targetClaims: launcherClaims.get(`${namespace}/${targetPod}`),
          })),
        wasWatchedToItsEnd: (vmiUid) => endWatched.has(vmiUid),
        runChangedMs: runs.get(key)?.sinceMs ?? now(),
        startableMs: startable.get(key)?.lastMs,
        unseenWrite: own !== undefined && (compareVersions(own, migration.resourceVersion) ?? 1) > 0,
      };
    },
  };
};
