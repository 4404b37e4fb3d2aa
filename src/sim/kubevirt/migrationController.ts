// virt-controller's migration controller: drives a VMIM from Pending to its end (contract §2.3), makes the target
// launcher, hands the migration to the nodes through the VMI's migrationState, follows what they report there, and keeps
// five finished VMIMs. It knows nothing of volumes.
import type { Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import { attachmentOf } from './attachmentPods.ts';
import { type Context, virtController } from './context.ts';
import { currentPod, livePods } from './currentPod.ts';
import { finalizers } from './finalizers.ts';
import { launcherPod } from './launcherPod.ts';
import { migrationBackoff } from './migrationBackoff.ts';
import { type Condition, model, type Pod, type Vmi, type Vmim, type VmimStatus } from './model.ts';
import { isObserved, observedAnnotations } from './vmController.ts';
import { workQueue } from './workQueue.ts';

const keptFinished = 5;
const busyMs = 5000;
const podMissing = new Set(['Scheduling', 'Scheduled', 'PreparingTarget', 'TargetReady', 'Running']);
const handedOver = new Set(['PreparingTarget', 'TargetReady', 'Running']);

const targetPodOf = (context: Context, vmi: Vmi, vmim: Vmim): Pod | undefined =>
  context.podsOf(vmi).find((pod) => pod.metadata.labels?.['kubevirt.io/migrationJobUID'] === vmim.metadata.uid);

const owns = (vmi: Vmi, vmim: Vmim): boolean => vmi.status?.migrationState?.migrationUid === vmim.metadata.uid;

const canMigrate = (context: Context, vmi: Vmi, vmim: Vmim): boolean => {
  const current = vmi.status?.migrationState?.migrationUid ?? '';
  if (current === '' || owns(vmi, vmim)) return true;
  const other = context
    .migrationsOf(vmi.metadata.namespace, vmi.metadata.name)
    .find(({ metadata }) => metadata.uid === current);
  return other === undefined || model.isFinished(other);
};

const replaceVmim = (context: Context, vmim: Vmim): void => {
  context.server.replace(resources.virtualMachineInstanceMigrations, vmim, virtController);
};

const cancelBeforeHandOver = (context: Context, pod: Pod | undefined): void => {
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
  const { namespace, name, uid } = pod.metadata;
  context.server.remove(resources.pods, { namespace, name }, virtController, { uid });
};

/** Writes the end of a migration into the VMI when its target is gone and no node does. */
const markFailed = (context: Context, vmi: Vmi): void => {
  const state = vmi.status?.migrationState ?? {};
  const now = context.stamp();
  context.writeVmi({
    ...vmi,
    status: {
      ...vmi.status,
      migrationState: {
        ...state,
        startTimestamp: state.startTimestamp ?? now,
        endTimestamp: state.endTimestamp ?? now,
        failed: true,
        completed: true,
        failureReason: state.failureReason ?? 'Target pod is down',
      },
    },
  });
};

const handOver = (context: Context, vmi: Vmi, vmim: Vmim, pod: Pod): void => {
  if (owns(vmi, vmim)) return;
  const node = pod.spec.nodeName ?? '';
  const attachment = attachmentOf(context, pod);
  const { parallelMigrationsPerCluster, parallelOutboundMigrationsPerNode } = context.settings();
  const sourcePod = vmim.status?.migrationState?.sourcePod;
  context.writeVmi({
    ...vmi,
    metadata: {
      ...vmi.metadata,
      labels: { ...vmi.metadata.labels, 'kubevirt.io/migrationTargetNodeName': node },
    },
    status: {
      ...vmi.status,
      migrationState: {
        migrationUid: vmim.metadata.uid,
        sourceNode: vmi.status?.nodeName ?? '',
        targetNode: node,
        targetPod: pod.metadata.name,
        ...(sourcePod === undefined ? {} : { sourcePod }),
        ...(attachment === undefined ? {} : { targetAttachmentPodUID: attachment.metadata.uid }),
        migrationConfiguration: {
          allowAutoConverge: false,
          allowPostCopy: false,
          completionTimeoutPerGiB: 150,
          parallelMigrationsPerCluster,
          parallelOutboundMigrationsPerNode,
          progressTimeout: 150,
        },
      },
    },
  });
};

/** Migrations that take up the cluster's and the node's limits: those with a target. */
const isUnderWay = (context: Context, vmim: Vmim): boolean => {
  if (model.isFinished(vmim)) return false;
  if (podMissing.has(vmim.status?.phase ?? '')) return true;
  const vmi = context.vmi(vmim.metadata.namespace, vmim.spec.vmiName);
  return vmi !== undefined && targetPodOf(context, vmi, vmim) !== undefined;
};

const isBusy = (context: Context, vmi: Vmi): boolean => {
  const { parallelMigrationsPerCluster, parallelOutboundMigrationsPerNode } = context.settings();
  const underWay = context.allMigrations().filter((vmim) => isUnderWay(context, vmim));
  const outbound = underWay.filter(
    (vmim) => context.vmi(vmim.metadata.namespace, vmim.spec.vmiName)?.status?.nodeName === vmi.status?.nodeName,
  );
  return underWay.length >= parallelMigrationsPerCluster || outbound.length >= parallelOutboundMigrationsPerNode;
};

/** Creates the target launcher; says after how many ms to look again when it has to wait. */
const createTarget = (context: Context, vmi: Vmi, vmim: Vmim): number | undefined => {
  const backoffMs = migrationBackoff(context, vmi, vmim);
  if (backoffMs > 0) return backoffMs;
  if (currentPod(context, vmi) === undefined) return undefined;
  let prepared = vmi;
  if (vmi.metadata.annotations?.['kubevirt.io/nonroot'] === undefined) {
    const annotations = { ...vmi.metadata.annotations, 'kubevirt.io/nonroot': 'true' };
    prepared = context.writeVmi({ ...vmi, metadata: { ...vmi.metadata, annotations } });
  }
  if (livePods(context, vmi).length > 1) return 1000;
  if (isBusy(context, vmi)) return busyMs;
  if (model.isRunning(vmi)) {
    context.server.create(resources.pods, launcherPod.target(prepared, vmim), virtController);
  }
  return undefined;
};

/** What has to be done for the phase the VMIM is in; the phase itself is moved by `nextStatus`. */
const sync = (context: Context, vmi: Vmi, vmim: Vmim, pod: Pod | undefined): number | undefined => {
  if (vmi.metadata.deletionTimestamp !== undefined) return undefined;
  const state = vmi.status?.migrationState;
  if (owns(vmi, vmim) && state?.completed === true) return undefined;
  if (!canMigrate(context, vmi, vmim)) return undefined;
  const deleting = vmim.metadata.deletionTimestamp !== undefined;
  switch (vmim.status?.phase) {
    case 'Pending':
      if (deleting) cancelBeforeHandOver(context, pod);
      else if (pod === undefined) return createTarget(context, vmi, vmim);
      else if (
        model.isPodReady(pod) &&
        launcherPod.hotplugged(vmi).length > 0 &&
        attachmentOf(context, pod) === undefined
      ) {
        context.server.create(resources.pods, launcherPod.attachment(vmi, pod), virtController);
      }
      return undefined;
    case 'Scheduling':
      if (deleting) cancelBeforeHandOver(context, pod);
      return undefined;
    case 'Scheduled':
      if (deleting && !owns(vmi, vmim)) cancelBeforeHandOver(context, pod);
      else if (pod !== undefined && model.isPodReady(pod)) handOver(context, vmi, vmim, pod);
      return undefined;
    case 'PreparingTarget':
    case 'TargetReady':
      if ((pod === undefined || model.isPodDown(pod)) && owns(vmi, vmim) && state?.startTimestamp === undefined) {
        markFailed(context, vmi);
      }
      return undefined;
    case 'Failed':
      if (owns(vmi, vmim) && state?.failed !== true) markFailed(context, vmi);
      return undefined;
    case 'Running':
      if (deleting && owns(vmi, vmim) && state?.abortRequested !== true) {
        context.writeVmi({ ...vmi, status: { ...vmi.status, migrationState: { ...state, abortRequested: true } } });
      }
      return undefined;
    default:
      return undefined;
  }
};

const aborted: Condition = { type: 'migrationAbortRequested', status: 'True' };

const annotateSwitchOver = (context: Context, vmi: Vmi, pod: Pod | undefined): void => {
  const at = vmi.status?.migrationState?.targetNodeDomainReadyTimestamp;
  const name = 'kubevirt.io/migration-target-ready-timestamp';
  if (pod === undefined || at === undefined || pod.metadata.annotations?.[name] !== undefined) return;
  context.server.patch(
    resources.pods,
    { namespace: pod.metadata.namespace, name: pod.metadata.name },
    { type: 'merge', body: { metadata: { annotations: { [name]: at } } } },
    virtController,
  );
};

/** The phase after the present one, if what it waits for is there. */
const advance = (context: Context, vmi: Vmi, vmim: Vmim, pod: Pod | undefined): string | undefined => {
  const state = vmi.status?.migrationState;
  const ready = pod !== undefined && model.isPodReady(pod);
  const hotplugged = launcherPod.hotplugged(vmi).length > 0;
  const attached = (): boolean => {
    const attachment = pod === undefined ? undefined : attachmentOf(context, pod);
    return !hotplugged || (attachment !== undefined && model.isPodReady(attachment));
  };
  switch (vmim.status?.phase) {
    case undefined:
    case '':
      return canMigrate(context, vmi, vmim) ? 'Pending' : 'Failed';
    case 'Pending':
      return pod !== undefined && attached() ? 'Scheduling' : undefined;
    case 'Scheduling':
      return ready && attached() ? 'Scheduled' : undefined;
    case 'Scheduled':
      return owns(vmi, vmim) && state?.startTimestamp === undefined ? 'PreparingTarget' : undefined;
    case 'PreparingTarget':
      return state?.targetNodeAddress === undefined ? undefined : 'TargetReady';
    case 'TargetReady':
      return state?.startTimestamp === undefined ? undefined : 'Running';
    case 'Running':
      annotateSwitchOver(context, vmi, pod);
      return state?.completed === true ? 'Succeeded' : undefined;
    default:
      return undefined;
  }
};

const hasFailed = (vmi: Vmi, vmim: Vmim, pod: Pod | undefined): boolean => {
  const phase = vmim.status?.phase ?? '';
  return (
    model.isFinal(vmi) ||
    (vmim.metadata.deletionTimestamp !== undefined && !owns(vmi, vmim)) ||
    (pod !== undefined && model.isPodDown(pod)) ||
    (podMissing.has(phase) && pod === undefined) ||
    (handedOver.has(phase) && !owns(vmi, vmim)) ||
    (owns(vmi, vmim) && vmi.status?.migrationState?.failed === true)
  );
};

const nextStatus = (context: Context, vmi: Vmi, vmim: Vmim, pod: Pod | undefined): VmimStatus => {
  const status = vmim.status ?? {};
  if (model.isFinished(vmim)) {
    const state = vmi.status?.migrationState;
    return owns(vmi, vmim) && state !== undefined ? { ...status, migrationState: state } : status;
  }
  const abort = vmim.metadata.deletionTimestamp !== undefined;
  const conditions = abort ? model.withCondition(status.conditions, aborted) : status.conditions;
  const marked = conditions === status.conditions || conditions === undefined ? status : { ...status, conditions };
  if (hasFailed(vmi, vmim, pod)) return { ...marked, phase: 'Failed' };
  const phase = advance(context, vmi, vmim, pod);
  return phase === undefined ? marked : { ...marked, phase };
};

const withTransition = (context: Context, before: VmimStatus | undefined, next: VmimStatus): VmimStatus => {
  if (next.phase === undefined || next.phase === before?.phase) return next;
  const transition = { phase: next.phase, phaseTransitionTimestamp: context.stamp() };
  return { ...next, phaseTransitionTimestamps: [...(next.phaseTransitionTimestamps ?? []), transition] };
};

/** The launcher a migration starts from is named from the beginning. */
const withSource = (context: Context, vmi: Vmi, status: VmimStatus): VmimStatus => {
  if (status.migrationState?.sourcePod !== undefined || status.phase !== 'Pending') return status;
  const pod = currentPod(context, vmi);
  if (pod === undefined) return status;
  return { ...status, migrationState: { ...status.migrationState, sourcePod: pod.metadata.name } };
};

const letGo = (context: Context, vmim: Vmim): void => {
  const held = vmim.metadata.finalizers ?? [];
  if (!held.includes(finalizers.vmim)) return;
  const next = held.filter((finalizer) => finalizer !== finalizers.vmim);
  replaceVmim(context, { ...vmim, metadata: { ...vmim.metadata, finalizers: next } });
};

/** Deletes the oldest finished VMIMs beyond five, each with the pod it left behind. */
const collectFinished = (context: Context, vmi: Vmi): void => {
  const { namespace, name } = vmi.metadata;
  const finished = context
    .migrationsOf(namespace, name)
    .filter((vmim) => model.isFinished(vmim) && vmim.metadata.deletionTimestamp === undefined)
    .toSorted((one, other) => migrationBackoff.compareAge(one, other));
  for (const vmim of finished.slice(0, Math.max(0, finished.length - keptFinished))) {
    const state = vmim.status?.migrationState;
    const left = state?.failed === true ? state.targetPod : state?.completed === true ? state.sourcePod : undefined;
    if (left !== undefined && context.server.read(resources.pods, { namespace, name: left }) !== undefined) {
      context.server.remove(resources.pods, { namespace, name: left }, virtController);
    }
    context.server.remove(resources.virtualMachineInstanceMigrations, vmim.metadata, virtController);
  }
};

/** Runs the migration controller until unsubscribed. */
export const migrationController = (context: Context): Subscription => {
  const { server, options } = context;

  const withoutVmi = (vmim: Vmim): void => {
    const { namespace, name, uid, deletionTimestamp } = vmim.metadata;
    if (deletionTimestamp === undefined) {
      server.remove(resources.virtualMachineInstanceMigrations, { namespace, name }, virtController, { uid });
    } else letGo(context, vmim);
  };

  const reconcile = (key: string): void => {
    const [namespace = '', name = ''] = key.split('/');
    const vmim = context.vmim(namespace, name);
    if (vmim === undefined) return;
    if (!isObserved(vmim)) {
      const annotations = { ...vmim.metadata.annotations, ...observedAnnotations };
      replaceVmim(context, { ...vmim, metadata: { ...vmim.metadata, annotations } });
      return;
    }
    const vmi = context.vmi(namespace, vmim.spec.vmiName);
    if (vmi === undefined) {
      withoutVmi(vmim);
      return;
    }
    const pod = targetPodOf(context, vmi, vmim);
    const againMs = sync(context, vmi, vmim, pod);
    if (againMs !== undefined) queue.wakeAfter(key, againMs);
    const next = nextStatus(context, vmi, vmim, pod);
    const status = withSource(context, vmi, withTransition(context, vmim.status, next));
    if (!model.equal(status, vmim.status ?? {})) {
      const options = { subresource: 'status' } as const;
      server.replace(resources.virtualMachineInstanceMigrations, { ...vmim, status }, virtController, options);
    }
    if (!model.isFinished(vmim)) return;
    const current = context.vmim(namespace, name);
    if (current !== undefined) letGo(context, current);
    collectFinished(context, vmi);
  };

  const queue = workQueue({ reaction: options.reaction, reconcile });
  const wakeFor = (namespace: string, vmiName: string, ms: number): void => {
    for (const vmim of context.migrationsOf(namespace, vmiName))
      queue.wakeAfter(`${namespace}/${vmim.metadata.name}`, ms);
  };
  const wakePending = (): void => {
    for (const vmim of context.allMigrations()) {
      if (vmim.status?.phase === 'Pending') queue.wake(`${vmim.metadata.namespace}/${vmim.metadata.name}`);
    }
  };
  const subscription = server.changes$.subscribe(({ resource, object, type }) => {
    const namespace = object.metadata.namespace ?? '';
    if (resource.plural === 'virtualmachineinstancemigrations') {
      if (type === 'deleted' || model.isFinished(model.as<Vmim>(object))) wakePending();
      if (type !== 'deleted') queue.wake(`${namespace}/${object.metadata.name}`);
    } else if (resource.plural === 'virtualmachineinstances') {
      // Faster than a VM whose VMI has gone is started again: the VMIMs of the old VMI go with it.
      wakeFor(namespace, object.metadata.name, type === 'deleted' ? options.reactionMs / 3 : options.reaction());
    } else if (resource.plural === 'pods') {
      const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === 'VirtualMachineInstance');
      const hotplugOwner = object.metadata.annotations?.['kubevirt.io/owner-vmi-name'];
      const vmiName = owner?.name ?? hotplugOwner;
      if (vmiName !== undefined) wakeFor(namespace, vmiName, options.reaction());
    }
  });
  subscription.add(() => queue.unsubscribe());
  return subscription;
};
