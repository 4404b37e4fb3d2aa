// The next version of a VMI, derived by virt-controller from its phase and its launcher: phase, node, conditions,
// activePods, volumeStatus. virt-handler writes what only a node can know.
import { resources } from '../../kube/resources.ts';
import type { Context } from './context.ts';
import { finalizers } from './finalizers.ts';
import { model } from './model.ts';
import type { Claim, Condition, Pod, Vmi, VmiStatus, VolumeStatus } from './objects.ts';
import { withPhase } from './withPhase.ts';

/** Why a VMI's launcher could not be made. */
export type SyncError = { readonly reason: string; readonly message: string } | undefined;

const readyCondition = (vmi: Vmi, pod: Pod | undefined): Condition => {
  const not = (reason: string, message: string): Condition => ({ type: 'Ready', status: 'False', reason, message });
  if (pod === undefined) return not('PodNotExists', 'virt-launcher pod has not yet been scheduled');
  if (model.isPodDownOrGoingDown(pod)) return not('PodTerminating', 'virt-launcher pod is terminating');
  if (!model.isRunning(vmi)) return not('GuestNotRunning', 'Guest VM is not reported as running');
  const ready = model.conditionOf(pod.status?.conditions, 'Ready');
  if (ready === undefined) return not('PodConditionMissing', 'virt-launcher pod is missing the Ready condition');
  return { type: 'Ready', status: ready.status, ...(ready.reason === undefined ? {} : { reason: ready.reason }) };
};

const claimInfoOf = (claim: Claim | undefined, claimName: string): object => ({
  claimName,
  ...(claim === undefined
    ? {}
    : {
        accessModes: claim.spec.accessModes ?? [],
        capacity: claim.status?.capacity ?? {},
        filesystemOverhead: '0.055',
        requests: claim.spec.resources?.requests ?? {},
        volumeMode: claim.spec.volumeMode ?? 'Filesystem',
      }),
});

/** Follows spec.volumes at once: it tells which claim is wanted, not on which the guest is (contract §0.1). */
const volumeStatusOf = (context: Context, vmi: Vmi): readonly VolumeStatus[] => {
  const before = new Map((vmi.status?.volumeStatus ?? []).map((status) => [status.name, status]));
  const next = (vmi.spec.volumes ?? []).map((volume): VolumeStatus => {
    const claimName = model.claimOf(volume);
    const status = before.get(volume.name) ?? { name: volume.name, target: '' };
    if (claimName === '') return status;
    const info = claimInfoOf(context.claim(vmi.metadata.namespace, claimName), claimName) as { claimName: string };
    return {
      ...status,
      persistentVolumeClaimInfo: info,
      ...(model.isHotplug(volume) ? { hotplugVolume: {}, phase: 'Ready' } : {}),
    };
  });
  return next.toSorted((one, other) => one.name.localeCompare(other.name));
};

const needsVolumesChange = (vmi: Vmi): boolean => {
  const migrated = vmi.status?.migratedVolumes ?? [];
  if (migrated.length === 0 || model.conditionOf(vmi.status?.conditions, 'VolumesChange') !== undefined) return false;
  const sources = new Set(migrated.map(({ sourcePVCInfo }) => sourcePVCInfo.claimName));
  return (vmi.spec.volumes ?? []).some((volume) => model.claimOf(volume) !== '' && !sources.has(model.claimOf(volume)));
};

const condition = (context: Context, status: VmiStatus, made: Condition): VmiStatus => {
  const conditions = model.withCondition(status.conditions, { ...made, lastTransitionTime: context.stamp() });
  return conditions === status.conditions ? status : { ...status, conditions };
};

const noCondition = (status: VmiStatus, type: string): VmiStatus =>
  model.conditionOf(status.conditions, type) === undefined
    ? status
    : { ...status, conditions: model.withoutCondition(status.conditions, type) };

const scheduling = (context: Context, vmi: Vmi, status: VmiStatus, pod: Pod | undefined): Vmi => {
  if (pod === undefined) return { ...vmi, status: withPhase(context, status, 'Failed') };
  const placed = model.conditionOf(pod.status?.conditions, 'PodScheduled');
  const shown = placed?.status === 'False' ? condition(context, status, placed) : noCondition(status, 'PodScheduled');
  if (model.isPodReady(pod) && vmi.metadata.deletionTimestamp === undefined) {
    const nodeName = pod.spec.nodeName ?? '';
    return {
      ...vmi,
      metadata: { ...vmi.metadata, labels: { ...vmi.metadata.labels, 'kubevirt.io/nodeName': nodeName } },
      status: {
        ...withPhase(context, shown, 'Scheduled'),
        nodeName,
        migrationTransport: 'Unix',
        interfaces: [{ name: 'default', podInterfaceName: 'eth0', ipAddress: String(pod.status?.['podIP'] ?? '') }],
        volumeStatus: volumeStatusOf(context, vmi),
      },
    };
  }
  return { ...vmi, status: model.isPodDownOrGoingDown(pod) ? withPhase(context, shown, 'Failed') : shown };
};

const unprocessed = (
  context: Context,
  vmi: Vmi,
  status: VmiStatus,
  pod: Pod | undefined,
  error: SyncError,
): VmiStatus => {
  if (pod !== undefined) return withPhase(context, status, 'Scheduling');
  if (vmi.metadata.deletionTimestamp !== undefined) return withPhase(context, status, 'Failed');
  if (error === undefined) return noCondition(status, 'Synchronized');
  return condition(context, status, { type: 'Synchronized', status: 'False', ...error });
};

const running = (context: Context, vmi: Vmi, status: VmiStatus, pod: Pod | undefined): VmiStatus => {
  if (pod === undefined) return { ...status, phase: 'Failed' };
  const volumeStatus = volumeStatusOf(context, vmi);
  const next = model.equal(volumeStatus, status.volumeStatus) ? status : { ...status, volumeStatus };
  if (!needsVolumesChange(vmi)) return next;
  return condition(context, next, { type: 'VolumesChange', status: 'True', message: 'migrate volumes' });
};

const final = (context: Context, vmi: Vmi): Vmi => {
  const owned = context.podsOf(vmi).length > 0;
  const vmGone = context.server.read(resources.virtualMachines, vmi.metadata) === undefined;
  const keep = (vmi.metadata.finalizers ?? []).filter(
    (finalizer) => (owned || finalizer !== finalizers.vmi) && !(vmGone && finalizer === finalizers.vmController),
  );
  return { ...vmi, metadata: { ...vmi.metadata, finalizers: keep } };
};

/** What the VMI has to be now. */
export const nextVmi = (context: Context, vmi: Vmi, pod: Pod | undefined, error: SyncError): Vmi => {
  const pods = context.podsOf(vmi);
  const activePods = Object.fromEntries(pods.map((owned) => [owned.metadata.uid, owned.spec.nodeName ?? '']));
  const before = vmi.status ?? {};
  const counted: VmiStatus =
    (pods.length === 0 && before.activePods === undefined) || model.equal(activePods, before.activePods)
      ? before
      : { ...before, activePods };
  const status = condition(context, counted, readyCondition(vmi, pod));
  switch (before.phase) {
    case undefined:
    case '':
    case 'Pending':
      // Before its pod exists a VMI has no Ready condition.
      return { ...vmi, status: unprocessed(context, vmi, pod === undefined ? counted : status, pod, error) };
    case 'Scheduling':
      return scheduling(context, vmi, status, pod);
    case 'Scheduled':
      return { ...vmi, status: pod === undefined ? { ...status, phase: 'Failed' } : status };
    case 'Running':
      return { ...vmi, status: running(context, vmi, status, pod) };
    default:
      return final(context, { ...vmi, status });
  }
};
