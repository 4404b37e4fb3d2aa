// virt-controller's VM controller: for each VM one run after another, each from the cached VM to a status write. Order
// within a run as in the real one (contract §1.3): run strategy, RestartRequired, and only without it the volumes.
import type { Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import { type Context, virtController } from './context.ts';
import { completeDataVolume, dataVolumesReady } from './dataVolumes.ts';
import { finalizers } from './finalizers.ts';
import { model } from './model.ts';
import type { Vm, Vmi, VmSpec } from './objects.ts';
import { isObserved, observedAnnotations } from './observed.ts';
import { syncRestartRequired } from './restartRequired.ts';
import { runStrategy } from './runStrategy.ts';
import { revisionName } from './startVmi.ts';
import { syncHotplug } from './syncHotplug.ts';
import { vmCache } from './vmCache.ts';
import type { VmPass } from './vmPass.ts';
import { updateVmStatus } from './vmStatus.ts';
import { updateVolumes } from './volumeUpdate.ts';
import { workQueue } from './workQueue.ts';

const ownVmi = (context: Context, vm: Vm): Vmi | undefined => {
  const vmi = context.vmi(vm.metadata.namespace, vm.metadata.name);
  return vmi !== undefined && model.controllerUid(vmi) === vm.metadata.uid ? vmi : undefined;
};

const write = (context: Context, vm: Vm): Vm =>
  model.as<Vm>(context.server.replace(resources.virtualMachines, vm, virtController));

const changeFinalizer = (pass: VmPass, present: boolean): void => {
  const held = pass.vm.metadata.finalizers ?? [];
  if (held.includes(finalizers.vmController) === present) return;
  const next = present
    ? [...held, finalizers.vmController]
    : held.filter((finalizer) => finalizer !== finalizers.vmController);
  const written = write(pass.context, { ...pass.vm, metadata: { ...pass.vm.metadata, finalizers: next } });
  pass.vm = { ...written, ...(pass.vm.status === undefined ? {} : { status: pass.vm.status }) };
};

/** A VMI of the same template counts as observed at the VM's new generation. */
const bumpGeneration = (pass: VmPass): void => {
  const { vmi, vm, context, startedWith } = pass;
  if (vmi === undefined || startedWith === undefined) return;
  const generation = String(vm.metadata.generation ?? 1);
  if (vmi.metadata.annotations?.['kubevirt.io/vm-generation'] === generation) return;
  if (!model.equal(startedWith.template, vm.spec.template)) return;
  const annotations = { ...vmi.metadata.annotations, 'kubevirt.io/vm-generation': generation };
  pass.vmi = context.writeVmi({ ...vmi, metadata: { ...vmi.metadata, annotations } });
};

const sync = (pass: VmPass): void => {
  const { context } = pass;
  if (pass.vm.metadata.deletionTimestamp !== undefined) {
    if (pass.vmi === undefined) changeFinalizer(pass, false);
    else runStrategy.stop(pass);
    return;
  }
  changeFinalizer(pass, true);
  bumpGeneration(pass);
  const immediate = pass.vm.metadata.annotations?.['kubevirt.io/immediate-data-volume-creation'] !== 'false';
  if (immediate && !dataVolumesReady(pass) && model.runStrategyOf(pass.vm) !== 'Halted') return;
  runStrategy.apply(pass);
  const restartRequired = syncRestartRequired(pass);
  if (pass.startExpected || pass.stopExpected) return;
  syncHotplug(pass);
  if (context.settings().liveUpdate && !restartRequired) updateVolumes(pass);
};

const writeStatus = (pass: VmPass): void => {
  const { context, vm, original } = pass;
  if (pass.conflict || model.equal(vm.status, original.status)) return;
  context.server.replace(resources.virtualMachines, vm, virtController, { subresource: 'status' });
};

const letGoOfVmi = (pass: VmPass): void => {
  const vmi = pass.vmi === undefined ? undefined : ownVmi(pass.context, pass.vm);
  const held = vmi?.metadata.finalizers ?? [];
  if (vmi === undefined || !model.isFinal(vmi) || !held.includes(finalizers.vmController)) return;
  const next = held.filter((finalizer) => finalizer !== finalizers.vmController);
  pass.context.writeVmi({ ...vmi, metadata: { ...vmi.metadata, finalizers: next } });
};

/** Runs the VM controller until unsubscribed. */
export const vmController = (context: Context): Subscription => {
  const { server, options } = context;
  const revisions = new Map<string, VmSpec>();

  const startedWith = (vm: Vm, vmi: Vmi | undefined): VmSpec | undefined => {
    const name = vmi?.status?.virtualMachineRevisionName;
    return name === undefined ? undefined : (revisions.get(name) ?? vm.spec);
  };

  const reconcile = (key: string): void => {
    const [namespace = '', name = ''] = key.split('/');
    const original = cache.get(namespace, name);
    if (original === undefined) return;
    if (!isObserved(original)) {
      if (original.status === undefined) {
        const begun = { ...original, status: { printableStatus: 'Stopped' } };
        server.replace(resources.virtualMachines, begun, virtController, { subresource: 'status' });
        return;
      }
      const annotations = { ...original.metadata.annotations, ...observedAnnotations };
      write(context, { ...original, metadata: { ...original.metadata, annotations } });
      return;
    }
    revisions.set(revisionName(original.metadata.uid, original.metadata.generation ?? 1), original.spec);
    const vmi = ownVmi(context, original);
    const pass: VmPass = {
      context,
      original,
      vm: original,
      vmi,
      startExpected: false,
      stopExpected: false,
      error: undefined,
      conflict: false,
      startedWith: startedWith(original, vmi),
      againMs: undefined,
    };
    sync(pass);
    if (pass.vm.metadata.deletionTimestamp !== undefined && pass.vmi === undefined) return;
    updateVmStatus(pass);
    writeStatus(pass);
    letGoOfVmi(pass);
    if (pass.againMs !== undefined) queue.wakeAfter(key, pass.againMs);
    if (pass.conflict) queue.wakeAfter(key, options.reactionMs / 2);
  };

  const queue = workQueue({ reaction: options.reaction, reconcile, runMs: options.vmRunMs });
  const cache = vmCache(server, options.vmCacheDelayMs, (namespace, name) => queue.wake(`${namespace}/${name}`));
  const wakeUsers = (namespace: string): void => {
    for (const vm of server.all(resources.virtualMachines, namespace)) queue.wake(`${namespace}/${vm.metadata.name}`);
  };
  const subscription = server.changes$.subscribe(({ resource, object, type }) => {
    const namespace = object.metadata.namespace ?? '';
    switch (resource.plural) {
      case 'virtualmachineinstances':
        queue.wake(`${namespace}/${object.metadata.name}`);
        return;
      case 'persistentvolumeclaims':
        if (type === 'added' || object['status'] !== undefined) wakeUsers(namespace);
        return;
      case 'datavolumes':
        if (type === 'added') queueOfDataVolumes.wake(`${namespace}/${object.metadata.name}`);
        wakeUsers(namespace);
        return;
      default:
        return;
    }
  });
  const queueOfDataVolumes = workQueue({
    reaction: options.reaction,
    reconcile: (key) => {
      const [namespace = '', name = ''] = key.split('/');
      completeDataVolume(server, namespace, name);
    },
  });
  for (const vm of server.all(resources.virtualMachines)) queue.wake(`${vm.metadata.namespace}/${vm.metadata.name}`);
  for (const part of [queue, cache, queueOfDataVolumes]) subscription.add(() => part.unsubscribe());
  return subscription;
};
