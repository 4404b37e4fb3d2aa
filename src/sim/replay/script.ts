// The StorageMigration that a recording lacks: made when its machines are, and kept as the daemon would have kept it.
// In the recording a script patched the volumes in the daemon's place; so just before such a patch lands, what the
// daemon would have written before it is written here. Everything else in the record follows the daemon's own decisions.

import type { Verbatim, VirtualMachine, VirtualMachineInstance } from '../../core/objects.ts';
import type { Projection } from '../../core/projection.ts';
import type { MigrationRecord, StorageMigrationStatus } from '../../core/storageMigration.ts';
import { claimOf, volumeName } from '../../core/volumes.ts';
import type { KubeObject } from '../../kube/api.ts';
import { cancelFinalizer } from '../../kube/names.ts';
import {
  projectPersistentVolumeClaim,
  projectVirtualMachine,
  projectVirtualMachineInstance,
  projectVirtualMachineInstanceMigration,
} from '../../kube/project.ts';
import { offSince } from '../../streams/offSince.ts';
import { json } from '../apiServer/json.ts';
import { jsonPatch } from '../apiServer/jsonPatch.ts';
import type { RecordedAct } from '../conform/recording.ts';
import type { RecordedCluster } from './cluster.ts';
import type { TapeMachine } from './tape.ts';

const plural = 'storagemigrations';

/** Name of the StorageMigration in every namespace of a recording. */
export const migrationName = 'replayed';

export interface Script {
  /** The machine exists from now on, and is to be moved. */
  readonly accept: (machine: TapeMachine) => void;
  /** Writes a record; false if another one stands by now than it was decided from. */
  readonly write: (
    namespace: string,
    machine: string,
    before: MigrationRecord | undefined,
    after: MigrationRecord,
  ) => string | undefined;
  /** Writes what the daemon would have written before such a patch. */
  readonly prepare: (act: RecordedAct) => void;
}

const only = <T>(projected: Projection<T>): readonly T[] => (projected.kind === 'kept' ? [projected.object] : []);

const isFinal = (phase: string): boolean => phase === 'Succeeded' || phase === 'Failed';

/** Keeps the StorageMigrations of one replay. `quietMs`: a machine is not cut over sooner after a start or stop. */
export const scriptFor = (
  cluster: RecordedCluster,
  machines: readonly TapeMachine[],
  now: () => number,
  quietMs: number,
): Script => {
  const records = new Map<string, Map<string, MigrationRecord>>();
  let version = 0;

  const machineOf = (act: RecordedAct): TapeMachine | undefined => machines.find(({ name }) => name === act.vm);
  const vmOf = ({ namespace, name }: TapeMachine): VirtualMachine | undefined =>
    cluster
      .objects('virtualmachines')
      .flatMap((raw) => only(projectVirtualMachine(raw)))
      .find((vm) => vm.namespace === namespace && vm.name === name);
  const vmiOf = ({ namespace, name }: TapeMachine): VirtualMachineInstance | undefined =>
    cluster
      .objects('virtualmachineinstances')
      .flatMap((raw) => only(projectVirtualMachineInstance(raw)))
      .find((vmi) => vmi.namespace === namespace && vmi.name === name);
  const attemptsOf = ({ namespace, name }: TapeMachine) =>
    cluster
      .objects('virtualmachineinstancemigrations')
      .flatMap((raw) => only(projectVirtualMachineInstanceMigration(raw)))
      .filter((vmim) => vmim.namespace === namespace && vmim.vmiName === name);

  const say = (namespace: string): string => {
    version += 1;
    const held = records.get(namespace) ?? new Map<string, MigrationRecord>();
    const accepted = machines.filter((machine) => machine.namespace === namespace && held.has(machine.name));
    const status: StorageMigrationStatus = {
      virtualMachines: [...held].map(([name, record]) => ({
        name,
        mode: 'Hold',
        phase: '',
        reason: '',
        message: '',
        waitingFor: '',
        volumes: [],
        record,
      })),
    };
    const object: KubeObject = {
      apiVersion: 'transship.dev/v1alpha1',
      kind: 'StorageMigration',
      metadata: {
        namespace,
        name: migrationName,
        uid: `${migrationName}-in-${namespace}`,
        resourceVersion: String(version),
        generation: accepted.length,
        creationTimestamp: new Date(0).toISOString(),
        finalizers: [cancelFinalizer],
      },
      spec: {
        virtualMachines: accepted.map(({ name, disks }) => ({
          name,
          volumes: disks.map(({ volume, target }) => ({ name: volume, target: { claimName: target } })),
        })),
      },
      status,
    };
    const isNew = cluster.objects(plural).every(({ metadata }) => metadata.namespace !== namespace);
    cluster.append(plural, isNew ? 'added' : 'modified', object);
    return String(version);
  };

  const set = (namespace: string, machine: string, record: MigrationRecord): string => {
    const held = records.get(namespace) ?? new Map<string, MigrationRecord>();
    records.set(namespace, held.set(machine, record));
    return say(namespace);
  };

  const accept = (machine: TapeMachine): void => {
    const vm = vmOf(machine);
    if (vm === undefined || records.get(machine.namespace)?.has(machine.name)) return;
    const claims = cluster.objects('persistentvolumeclaims').flatMap((raw) => only(projectPersistentVolumeClaim(raw)));
    set(machine.namespace, machine.name, {
      vmUid: vm.uid,
      disks: machine.disks.map((disk) => ({
        ...disk,
        sourceUid: claims.find(({ name }) => name === disk.source)?.uid ?? '',
        entry: { ...(vm.volumes.find((entry) => volumeName(entry) === disk.volume) ?? {}) },
      })),
      strategyBefore: vm.updateVolumesStrategy,
      seenOnTarget: false,
      sourcesDeleted: false,
    });
  };

  /** Whether the patch brings every disk from A to B, as the daemon's own does. */
  const bringsToTarget = (act: RecordedAct, machine: TapeMachine, vm: VirtualMachine): boolean => {
    const operations = act.fields['patch'];
    if (!Array.isArray(operations)) return false;
    const named = (volumes: readonly Verbatim[], volume: string): string =>
      volumes.filter((entry) => volumeName(entry) === volume).map(claimOf)[0] ?? '';
    try {
      const unguarded = operations.filter(({ op }: Record<string, unknown>) => op !== 'test');
      const before = {
        spec: { dataVolumeTemplates: vm.dataVolumeTemplates, template: { spec: { volumes: vm.volumes } } },
      };
      const after = jsonPatch(before, unguarded) as typeof before;
      return machine.disks.every(
        ({ volume, source, target }) =>
          named(vm.volumes, volume) === source && named(after.spec.template.spec.volumes, volume) === target,
      );
    } catch {
      // It cannot be carried out, so it changes nothing.
      return false;
    }
  };

  /** What the daemon has on record when it patches a running machine. */
  const beginLive = (
    record: MigrationRecord,
    machine: TapeMachine,
    vm: VirtualMachine,
    vmi: VirtualMachineInstance,
  ) => {
    const { offline: _, cutOver: __, ...rest } = record;
    if (rest.live?.vmiUid === vmi.uid && rest.live.vmGeneration === vm.generation) return undefined;
    const known = attemptsOf(machine).map(({ uid }) => uid);
    const last = vmi.migrationState?.migrationUid;
    const attempt = rest.live?.vmiUid === vmi.uid ? rest.live.attempt + 1 : 1;
    const live = {
      vmiUid: vmi.uid,
      vmGeneration: vm.generation,
      knownMigrations: last === undefined || known.includes(last) ? known : [...known, last],
      attempt,
      startedAt: new Date(now()).toISOString(),
    };
    return { ...rest, live };
  };

  /** What the daemon has on record when it cuts a machine over; undefined when it would wait, or begin no copy at all. */
  const beginCutOver = (record: MigrationRecord, machine: TapeMachine, vm: VirtualMachine) => {
    let off: VirtualMachine | undefined;
    for (const { atMs, object } of cluster.history('virtualmachines')) {
      for (const version of only(projectVirtualMachine(object))) {
        if (version.uid === vm.uid) off = offSince.next(off, version, { contiguous: true, nowMs: atMs });
      }
    }
    if (off?.offSince === undefined || now() - (off.offSinceMs ?? 0) < quietMs) return undefined;
    const at = new Date(now()).toISOString();
    const fresh = { id: vm.resourceVersion, offSince: off.offSince, startedAt: at, failures: [] };
    const copied = machine.disks.map(({ volume }) => volume);
    const cutOver = { resourceVersion: vm.resourceVersion, at };
    return { ...record, offline: { ...(record.offline ?? fresh), copied }, cutOver };
  };

  const prepare: Script['prepare'] = (act) => {
    const machine = machineOf(act);
    const vm = machine === undefined ? undefined : vmOf(machine);
    if (machine === undefined || vm === undefined || !bringsToTarget(act, machine, vm)) return;
    accept(machine);
    const record = records.get(machine.namespace)?.get(machine.name);
    // The daemon would have left it alone: what is done now is somebody else's doing.
    if (record === undefined || record.vmUid !== vm.uid) return;
    if (record.completed !== undefined || record.switchedOver !== undefined || record.gaveUp !== undefined) return;
    const vmi = vmiOf(machine);
    if (vmi === undefined || isFinal(vmi.phase)) {
      const begun = beginCutOver(record, machine, vm);
      if (begun !== undefined) set(machine.namespace, machine.name, begun);
      return;
    }
    const isRunning = vmi.phase === 'Running' && !vmi.deleting && vm.runStrategy !== 'Halted';
    const isBusy = vmi.migratedVolumes.length > 0 || attemptsOf(machine).some(({ phase }) => !isFinal(phase));
    const begun = isRunning && !isBusy ? beginLive(record, machine, vm, vmi) : undefined;
    if (begun !== undefined) set(machine.namespace, machine.name, begun);
  };

  return {
    accept,
    prepare,
    write: (namespace, machine, before, after) => {
      const stands = records.get(namespace)?.get(machine);
      return json.equal(stands, before) ? set(namespace, machine, after) : undefined;
    },
  };
};
