// virt-controller's migration controller: drives a VMIM from Pending to its end (contract §2.3), makes the target
// launcher, hands the migration to the nodes through the VMI's migrationState, follows what they report there, and keeps
// five finished VMIMs. It knows nothing of volumes.
import type { Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import { attachmentOf } from './attachmentPods.ts';
import { type Context, virtController } from './context.ts';
import { finalizers } from './finalizers.ts';
import { launcherPod } from './launcherPod.ts';
import { migrationBackoff } from './migrationBackoff.ts';
import { model } from './model.ts';
import type { Pod, Vmi, Vmim } from './objects.ts';
import { isObserved, observedAnnotations } from './observed.ts';
import { targetLauncher } from './targetLauncher.ts';
import { vmimOf } from './vmimOf.ts';
import { vmimStatus } from './vmimStatus.ts';
import { workQueue } from './workQueue.ts';

const keptFinished = 5;

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

/** What has to be done for the phase the VMIM is in; the phase itself is moved by `vmimStatus`. */
const sync = (context: Context, vmi: Vmi, vmim: Vmim, pod: Pod | undefined): number | undefined => {
  if (vmi.metadata.deletionTimestamp !== undefined) return undefined;
  const state = vmi.status?.migrationState;
  if (vmimOf.owns(vmi, vmim) && state?.completed === true) return undefined;
  if (!vmimOf.canMigrate(context, vmi, vmim)) return undefined;
  const deleting = vmim.metadata.deletionTimestamp !== undefined;
  switch (vmim.status?.phase) {
    case 'Pending':
      if (deleting) targetLauncher.cancel(context, pod);
      else if (pod === undefined) return targetLauncher.create(context, vmi, vmim);
      else if (
        model.isPodReady(pod) &&
        launcherPod.hotplugged(vmi).length > 0 &&
        attachmentOf(context, pod) === undefined
      ) {
        context.server.create(resources.pods, launcherPod.attachment(vmi, pod), virtController);
      } else return targetLauncher.giveUp(context, pod);
      return undefined;
    case 'Scheduling':
      if (deleting) targetLauncher.cancel(context, pod);
      return pod === undefined ? undefined : targetLauncher.giveUp(context, pod);
    case 'Scheduled':
      if (deleting && !vmimOf.owns(vmi, vmim)) targetLauncher.cancel(context, pod);
      else if (pod !== undefined && model.isPodReady(pod)) targetLauncher.handOver(context, vmi, vmim, pod);
      return undefined;
    case 'PreparingTarget':
    case 'TargetReady':
      if (
        (pod === undefined || model.isPodDown(pod)) &&
        vmimOf.owns(vmi, vmim) &&
        state?.startTimestamp === undefined
      ) {
        markFailed(context, vmi);
      }
      return undefined;
    case 'Failed':
      if (vmimOf.owns(vmi, vmim) && state?.failed !== true) markFailed(context, vmi);
      return undefined;
    case 'Running':
      if (deleting && vmimOf.owns(vmi, vmim) && state?.abortRequested !== true) {
        context.writeVmi({ ...vmi, status: { ...vmi.status, migrationState: { ...state, abortRequested: true } } });
      }
      return undefined;
    default:
      return undefined;
  }
};

const letGo = (context: Context, vmim: Vmim): void => {
  const held = vmim.metadata.finalizers ?? [];
  if (!held.includes(finalizers.vmim)) return;
  const next = held.filter((finalizer) => finalizer !== finalizers.vmim);
  vmimOf.replace(context, { ...vmim, metadata: { ...vmim.metadata, finalizers: next } });
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
      vmimOf.replace(context, { ...vmim, metadata: { ...vmim.metadata, annotations } });
      return;
    }
    const vmi = context.vmi(namespace, vmim.spec.vmiName);
    if (vmi === undefined) {
      withoutVmi(vmim);
      return;
    }
    const pod = vmimOf.targetPodOf(context, vmi, vmim);
    const againMs = sync(context, vmi, vmim, pod);
    if (againMs !== undefined) queue.wakeAfter(key, againMs);
    const status = vmimStatus(context, vmi, vmim, pod);
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
