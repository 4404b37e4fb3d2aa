// virt-controller's VMI controller: makes the virt-launcher, hands the VMI over to its node, keeps conditions and
// volumeStatus, deletes the pods of a VMI that is deleted and lets a final VMI go when no pod of it is left (§6).
import type { Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import { attachHotplugged, removeAttachments } from './attachmentPods.ts';
import { type Context, virtController } from './context.ts';
import { currentPod } from './currentPod.ts';
import { launcherPod } from './launcherPod.ts';
import { model } from './model.ts';
import { nextVmi, type SyncError } from './nextVmi.ts';
import type { Pod, Vmi } from './objects.ts';
import { isObserved, observedAnnotations } from './observed.ts';
import { workQueue } from './workQueue.ts';

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
    const next = nextVmi(context, vmi, pod, error);
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
