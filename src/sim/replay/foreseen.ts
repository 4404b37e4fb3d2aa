// The records that the daemon would have written before acts that a script performed in its place: when a machine is
// accepted, before a running machine is patched to B, before one that is off is cut over. Where the daemon would have
// kept its hands off, nothing: then the act is somebody else's.
import type { Verbatim, VirtualMachine, VirtualMachineInstance } from '../../core/objects.ts';
import type { MigrationRecord } from '../../core/storageMigration.ts';
import { claimOf, volumeName } from '../../core/volumes.ts';
import { jsonPatch } from '../apiServer/jsonPatch.ts';
import type { RecordedAct } from '../conform/recording.ts';
import { isFinal } from './evidence.ts';
import type { TapeMachine } from './tape.ts';
import type { Truth } from './truth.ts';

/** The record of a machine that has just been accepted; undefined when there is no such VM. */
export const acceptedRecord = ({ disks }: TapeMachine, { vm, claimUid }: Truth): MigrationRecord | undefined =>
  vm === undefined
    ? undefined
    : {
        vmUid: vm.uid,
        disks: disks.map((disk) => ({
          ...disk,
          sourceUid: claimUid(disk.source),
          entry: { ...(vm.volumes.find((entry) => volumeName(entry) === disk.volume) ?? {}) },
        })),
        seenOnTarget: false,
        sourcesDeleted: false,
      };

/** Whether the patch brings every disk from A to B, as the daemon's own does. */
export const bringsToTarget = (act: RecordedAct, { disks }: TapeMachine, { vm }: Truth): boolean => {
  const operations = act.fields['patch'];
  if (!Array.isArray(operations) || vm === undefined) return false;
  const named = (volumes: readonly Verbatim[], volume: string): string =>
    volumes.filter((entry) => volumeName(entry) === volume).map(claimOf)[0] ?? '';
  const { volumes, dataVolumeTemplates } = vm;
  const before = { spec: { dataVolumeTemplates, template: { spec: { volumes } } } };
  try {
    const unguarded = operations.filter(({ op }: Record<string, unknown>) => op !== 'test');
    const after = jsonPatch(before, unguarded) as typeof before;
    return disks.every(
      ({ volume, source, target }) =>
        named(volumes, volume) === source && named(after.spec.template.spec.volumes, volume) === target,
    );
  } catch {
    // It cannot be carried out, so it changes nothing.
    return false;
  }
};

/**
 * What the daemon has on record when it sends a patch to B, in place of `record`; undefined when that is what stands
 * already, or when it would not send it. `quietMs`: a machine is not cut over sooner after a start or stop.
 */
export const recordBeforePatch = (
  record: MigrationRecord,
  { vm, vmi, attempts }: Truth,
  now: number,
  quietMs: number,
): MigrationRecord | undefined => {
  if (vm === undefined || record.vmUid !== vm.uid) return undefined;
  if (record.completed !== undefined || record.switchedOver !== undefined || record.gaveUp !== undefined) {
    return undefined;
  }
  if (vmi === undefined || isFinal(vmi.phase)) return beforeCutOver(record, vm, now, quietMs);
  const isRunning = vmi.phase === 'Running' && !vmi.deleting && vm.runStrategy !== 'Halted';
  const isBusy = vmi.migratedVolumes.length > 0 || attempts.some(({ phase }) => !isFinal(phase));
  const known = attempts.map(({ uid }) => uid);
  return isRunning && !isBusy ? beforeLive(record, vm, vmi, known, now) : undefined;
};

const beforeLive = (
  record: MigrationRecord,
  vm: VirtualMachine,
  vmi: VirtualMachineInstance,
  known: readonly string[],
  now: number,
): MigrationRecord | undefined => {
  const { offline: _, cutOver: __, live: before, ...rest } = record;
  const isSame = before?.vmiUid === vmi.uid;
  if (isSame && before.vmGeneration === vm.generation) return undefined;
  const last = vmi.migrationState?.migrationUid;
  const live = {
    vmiUid: vmi.uid,
    vmGeneration: vm.generation,
    knownMigrations: [...new Set([...known, ...(last === undefined ? [] : [last])])],
    attempt: isSame ? before.attempt + 1 : 1,
    startedAt: new Date(now).toISOString(),
  };
  return { ...rest, live };
};

const beforeCutOver = (
  record: MigrationRecord,
  vm: VirtualMachine,
  now: number,
  quietMs: number,
): MigrationRecord | undefined => {
  if (vm.offSince === undefined || now - (vm.offSinceMs ?? 0) < quietMs) return undefined;
  const at = new Date(now).toISOString();
  const fresh = { id: vm.resourceVersion, offSince: vm.offSince, startedAt: at, claims: [], failures: [] };
  const copied = record.disks.map(({ volume }) => volume);
  const cutOver = { resourceVersion: vm.resourceVersion, at };
  return { ...record, offline: { ...(record.offline ?? fresh), copied }, cutOver };
};
