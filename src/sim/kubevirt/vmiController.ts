// virt-controller's VMI controller: makes the virt-launcher, hands the VMI over to its node, keeps conditions and
// volumeStatus, deletes the pods of a VMI that is deleted and lets a final VMI go when no pod of it is left (§6).
import type { Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import { attachHotplugged, removeAttachments } from './attachmentPods.ts';
import { type Context, virtController } from './context.ts';
import { currentPod } from './currentPod.ts';
import { finalizers } from './finalizers.ts';
import { launcherPod } from './launcherPod.ts';
import { type Claim, type Condition, model, type Pod, type Vmi, type VmiStatus, type VolumeStatus } from './model.ts';
import { isObserved, observedAnnotations } from './vmController.ts';
import { workQueue } from './workQueue.ts';

type SyncError = { readonly reason: string; readonly message: string } | undefined;

const deletePods = (context: Context, vmi: Vmi): void => {
  for (const pod of context.podsOf(vmi)) {
    // Deleting once more what is being deleted changes nothing on a real server.
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    const { namespace, name, uid } = pod.metadata;
    context.server.remove(resources.pods, { namespace, name }, virtController, { uid });
  }
};

const missingClaim = (context: Context, vmi: Vmi): string | undefined =>
  (vmi.spec.volumes ?? [])
    .map(model.claimOf)
    .find((claim) => claim !== '' && context.claim(vmi.metadata.namespace, claim) === undefined);

/** Creates the first launcher; undefined when it has to wait. */
const createPod = (context: Context, vmi: Vmi): { readonly pod?: Pod; readonly error?: SyncError } => {
  const { namespace, name } = vmi.metadata;
  const active = context
    .migrationsOf(namespace, name)
    .some((vmim) => !model.isFinished(vmim) && (vmim.status?.phase ?? '') !== '' && vmim.status?.phase !== 'Pending');
  if (active) return { error: { reason: 'FailedCreate', message: 'active migration exists' } };
  const missing = missingClaim(context, vmi);
  if (missing !== undefined) {
    const message = `failed to render launch manifest: didn't find PVC ${missing}`;
    return { error: { reason: 'FailedPvcNotFound', message } };
  }
  return { pod: model.as<Pod>(context.server.create(resources.pods, launcherPod.source(vmi), virtController)) };
};

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

const withPhase = (context: Context, status: VmiStatus, phase: string): VmiStatus => ({
  ...status,
  phase,
  phaseTransitionTimestamps: [
    ...(status.phaseTransitionTimestamps ?? []),
    { phase, phaseTransitionTimestamp: context.stamp() },
  ],
});

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

const nextOf = (context: Context, vmi: Vmi, pod: Pod | undefined, error: SyncError): Vmi => {
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

/** Launchers carry the node labels of their VMI. */
const labelPod = (context: Context, vmi: Vmi, pod: Pod): void => {
  const node = vmi.metadata.labels?.['kubevirt.io/nodeName'];
  if (node === undefined || pod.metadata.labels?.['kubevirt.io/nodeName'] === node) return;
  const { namespace, name } = pod.metadata;
  const body = { metadata: { labels: { 'kubevirt.io/nodeName': node } } };
  context.server.patch(resources.pods, { namespace, name }, { type: 'merge', body }, virtController);
};

const sync = (
  context: Context,
  vmi: Vmi,
  pod: Pod | undefined,
): { readonly pod?: Pod | undefined; readonly error?: SyncError } => {
  if (vmi.metadata.deletionTimestamp !== undefined) {
    deletePods(context, vmi);
    return { pod: pod === undefined ? undefined : model.maybe<Pod>(context.server.read(resources.pods, pod.metadata)) };
  }
  if (model.isFinal(vmi)) {
    for (const owned of context.podsOf(vmi)) removeAttachments(context, owned);
    return { pod };
  }
  if (pod === undefined) return model.isUnprocessed(vmi) ? createPod(context, vmi) : {};
  for (const owned of context.podsOf(vmi)) if (model.isPodDown(owned)) removeAttachments(context, owned);
  if (model.isPodReady(pod) && pod.metadata.deletionTimestamp === undefined) attachHotplugged(context, vmi, pod);
  return { pod };
};

/** Runs the VMI controller until unsubscribed. */
export const vmiController = (context: Context): Subscription => {
  const { server, options } = context;

  const reconcile = (key: string): void => {
    const [namespace = '', name = ''] = key.split('/');
    const vmi = context.vmi(namespace, name);
    if (vmi === undefined) return;
    if (!isObserved(vmi)) {
      const annotations = { ...vmi.metadata.annotations, ...observedAnnotations };
      context.writeVmi({ ...vmi, metadata: { ...vmi.metadata, annotations } });
      return;
    }
    const { pod, error } = sync(context, vmi, currentPod(context, vmi));
    const next = nextOf(context, vmi, pod, error);
    if (!model.equal(next, vmi)) context.writeVmi(next);
    if (pod !== undefined && context.server.read(resources.pods, pod.metadata) !== undefined)
      labelPod(context, next, pod);
    if (error !== undefined) queue.wakeAfter(key, options.reactionMs * 100);
  };

  // Somewhat slower than the VM controller, as in the recordings: their writes seldom meet in one moment.
  const queue = workQueue({ reaction: () => options.reaction() * 1.7, reconcile });
  const wakeOwner = (namespace: string, uid: string | undefined): void => {
    if (uid === undefined) return;
    const vmi = server.all(resources.virtualMachineInstances, namespace).find(({ metadata }) => metadata.uid === uid);
    if (vmi !== undefined) queue.wake(`${namespace}/${vmi.metadata.name}`);
  };
  const subscription = server.changes$.subscribe(({ resource, object }) => {
    const namespace = object.metadata.namespace ?? '';
    if (resource.plural === 'virtualmachineinstances') queue.wake(`${namespace}/${object.metadata.name}`);
    else if (resource.plural === 'pods') {
      const hotplugOwner = object.metadata.annotations?.['kubevirt.io/owner-vmi-uid'];
      wakeOwner(namespace, hotplugOwner ?? model.controllerUid(object));
    } else if (resource.plural === 'persistentvolumeclaims') {
      for (const vmi of server.all(resources.virtualMachineInstances, namespace)) {
        if (model.isUnprocessed(model.as<Vmi>(vmi))) queue.wake(`${namespace}/${vmi.metadata.name}`);
      }
    }
  });
  for (const vmi of server.all(resources.virtualMachineInstances)) {
    queue.wake(`${vmi.metadata.namespace}/${vmi.metadata.name}`);
  }
  subscription.add(() => queue.unsubscribe());
  return subscription;
};
