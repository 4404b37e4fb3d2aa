// The fields of each kind in which a simulated and a recorded KubeVirt are compared, as short texts. What differs from
// run to run (names, uids, nodes, times, versions) is replaced by what it stands for.

import type { KubeObject } from '../../kube/api.ts';
import { claimsOf } from '../kubevirt/attachmentPods.ts';
import { model } from '../kubevirt/model.ts';
import type { Condition, MigratedVolume, Pod, Vm, Vmi, VmiMigrationState, Vmim } from '../kubevirt/objects.ts';

/** Says what a name, uid or node stands for. */
export interface Names {
  /** `launcher 2` for the second virt-launcher of a VM, and so on; the uid or name itself if it is unknown. */
  readonly object: (uidOrName: string | undefined) => string;
  /** `node 1` for the first node of this VM. */
  readonly node: (node: string | undefined) => string;
}

export type Fields = Readonly<Record<string, string>>;

const none = '-';
const flag = (value: unknown): string => (value === undefined || value === false ? none : 'yes');
const text = (value: string | undefined): string => (value === undefined || value === '' ? none : value);

const conditions = (list: readonly Condition[] | undefined, types: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    types.map((type) => {
      const found = model.conditionOf(list, type);
      return [
        `condition ${type}`,
        found === undefined ? none : `${found.status}${found.reason === undefined ? '' : ` ${found.reason}`}`,
      ];
    }),
  );

const mirrored = ['LiveMigratable', 'StorageLiveMigratable', 'VolumesChange', 'Paused'];

const pairs = (list: readonly MigratedVolume[] | undefined): string =>
  text(
    (list ?? [])
      .map(
        ({ volumeName, sourcePVCInfo, destinationPVCInfo }) =>
          `${volumeName}: ${sourcePVCInfo.claimName} to ${destinationPVCInfo.claimName}`,
      )
      .join(', '),
  );

const vmFields = ({ metadata, spec, status }: Vm): Fields => ({
  deleting: flag(metadata.deletionTimestamp),
  finalizers: text(metadata.finalizers?.join(', ')),
  runStrategy: spec.runStrategy ?? `running: ${spec.running}`,
  updateVolumesStrategy: text(spec.updateVolumesStrategy),
  volumes: (spec.template.spec.volumes ?? []).map((volume) => `${volume.name}: ${model.claimOf(volume)}`).join(', '),
  printableStatus: text(status?.printableStatus),
  created: flag(status?.created),
  ready: flag(status?.ready),
  'status.runStrategy': text(status?.runStrategy),
  desiredGeneration: text(status?.desiredGeneration?.toString()),
  observedGeneration: text(status?.observedGeneration?.toString()),
  volumeUpdateState: pairs(status?.volumeUpdateState?.volumeMigrationState?.migratedVolumes),
  stateChangeRequests: text((status?.stateChangeRequests ?? []).map(({ action }) => action).join(', ')),
  ...conditions(status?.conditions, ['Ready', 'Failure', 'RestartRequired', 'ManualRecoveryRequired', ...mirrored]),
});

const stateFields = (state: VmiMigrationState | undefined, names: Names): Record<string, string> => ({
  'migration.of': text(state?.migrationUid === undefined ? undefined : names.object(state.migrationUid)),
  'migration.sourceNode': names.node(state?.sourceNode),
  'migration.sourcePod': names.object(state?.sourcePod),
  'migration.targetNode': names.node(state?.targetNode),
  'migration.targetPod': names.object(state?.targetPod),
  'migration.targetNodeAddress': flag(state?.targetNodeAddress),
  'migration.started': flag(state?.startTimestamp),
  'migration.mode': text(state?.['mode'] as string | undefined),
  'migration.domainDetected': flag(state?.targetNodeDomainDetected),
  'migration.switchedOver': flag(state?.targetNodeDomainReadyTimestamp),
  'migration.ended': flag(state?.endTimestamp),
  'migration.completed': flag(state?.completed),
  'migration.failed': flag(state?.failed),
  'migration.failureReason': text(state?.failureReason),
  'migration.abortRequested': flag(state?.abortRequested),
  'migration.abortStatus': text(state?.abortStatus),
});

const vmiFields = ({ metadata, spec, status }: Vmi, names: Names): Fields => ({
  deleting: flag(metadata.deletionTimestamp),
  finalizers: text(metadata.finalizers?.join(', ')),
  generation: text(metadata.annotations?.['kubevirt.io/vm-generation']),
  phase: text(status?.phase),
  nodeName: names.node(status?.nodeName),
  'label nodeName': names.node(metadata.labels?.['kubevirt.io/nodeName']),
  'label migrationTargetNodeName': names.node(metadata.labels?.['kubevirt.io/migrationTargetNodeName']),
  volumes: (spec.volumes ?? []).map((volume) => `${volume.name}: ${model.claimOf(volume)}`).join(', '),
  volumeStatus: text(
    (status?.volumeStatus ?? [])
      .map(({ name, persistentVolumeClaimInfo }) => `${name}: ${persistentVolumeClaimInfo?.claimName ?? ''}`)
      .join(', '),
  ),
  activePods: String(Object.keys(status?.activePods ?? {}).length),
  migratedVolumes: pairs(status?.migratedVolumes),
  ...stateFields(status?.migrationState, names),
  ...conditions(status?.conditions, ['Ready', ...mirrored]),
});

const vmimFields = ({ metadata, spec, status }: Vmim, names: Names): Fields => ({
  deleting: flag(metadata.deletionTimestamp),
  finalizers: text(metadata.finalizers?.join(', ')),
  labels: Object.keys(metadata.labels ?? {})
    .sort()
    .join(', '),
  vmi: spec.vmiName,
  priority: text(spec.priority),
  phase: text(status?.phase),
  ...stateFields(status?.migrationState, names),
  ...conditions(status?.conditions, ['migrationAbortRequested']),
});

const labelShape = (pod: Pod, names: Names): string =>
  Object.entries(pod.metadata.labels ?? {})
    .map(([key, value]) => {
      if (key.endsWith('/nodeName') || key.endsWith('NodeName')) return `${key}=${names.node(value)}`;
      return `${key}=${names.object(value)}`;
    })
    .sort()
    .join(', ');

const podFields = (pod: Pod, names: Names): Fields => ({
  deleting: flag(pod.metadata.deletionTimestamp),
  labels: labelShape(pod, names),
  claims: claimsOf(pod).join(', '),
  node: names.node(pod.spec.nodeName),
  phase: text(pod.status?.phase),
  'condition Ready': text(model.conditionOf(pod.status?.conditions, 'Ready')?.status),
});

const claimFields = (claim: KubeObject): Fields => {
  const status = claim['status'] as { readonly phase?: string; readonly capacity?: { readonly storage?: string } };
  return {
    deleting: flag(claim.metadata.deletionTimestamp),
    phase: text(status?.phase),
    capacity: text(status?.capacity?.storage),
  };
};

/** The fields of an object of this plural; undefined for kinds that are not compared. */
export const fieldsOf = (plural: string, object: KubeObject, names: Names): Fields | undefined => {
  switch (plural) {
    case 'virtualmachines':
      return vmFields(model.as<Vm>(object));
    case 'virtualmachineinstances':
      return vmiFields(model.as<Vmi>(object), names);
    case 'virtualmachineinstancemigrations':
      return vmimFields(model.as<Vmim>(object), names);
    case 'pods':
      return podFields(model.as<Pod>(object), names);
    case 'persistentvolumeclaims':
      return claimFields(object);
    default:
      return undefined;
  }
};
