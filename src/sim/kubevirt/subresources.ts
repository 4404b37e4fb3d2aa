// The subresources of virt-api, `virtualmachines/start` and so on: what `virtctl` calls. They only change the VM's spec
// or queue a request in its status; virt-controller does the rest (contract §6 and §7).
import type { ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer, Json } from '../cluster.ts';
import { model } from './model.ts';
import type { StateChangeRequest, Vm, Vmi } from './objects.ts';
import { refuse } from './refuse.ts';

const actor = 'virt-api';
const recoveryText =
  'VM recovery required: Volume migration failed, leaving some volumes pointing to non-consistent targets; manual intervention is needed to reset them to their original state.';

interface Found {
  readonly vm: Vm;
  readonly vmi: Vmi | undefined;
  readonly strategy: string;
}

const find = (server: ApiServer, ref: ObjectRef): Found => {
  const vm = model.maybe<Vm>(server.read(resources.virtualMachines, ref));
  if (vm === undefined) throw refuse.notFound(resources.virtualMachines, ref.name);
  const vmi = model.maybe<Vmi>(server.read(resources.virtualMachineInstances, ref));
  return { vm, vmi, strategy: model.runStrategyOf(vm) };
};

const conflict = (vm: Vm, message: string) => refuse.conflict(resources.virtualMachines, vm.metadata.name, message);

const setRunning = (server: ApiServer, vm: Vm, running: boolean): void => {
  const spec =
    vm.spec.runStrategy === undefined
      ? { ...vm.spec, running }
      : { ...vm.spec, runStrategy: running ? 'Always' : 'Halted' };
  server.replace(resources.virtualMachines, { ...vm, spec }, actor);
};

/** A Stop request replaces what is queued; anything else must find the queue empty. */
const queue = (server: ApiServer, vm: Vm, requests: readonly StateChangeRequest[]): void => {
  const queued = vm.status?.stateChangeRequests ?? [];
  const onlyStop = requests.length === 1 && requests[0]?.action === 'Stop';
  if (queued.length > 0 && !onlyStop) {
    throw conflict(vm, 'unable to complete request: stop/start already underway');
  }
  const status = model.without({ ...vm.status, stateChangeRequests: requests }, 'startFailure');
  server.replace(resources.virtualMachines, { ...vm, status }, actor, { subresource: 'status' });
};

const start = (server: ApiServer, ref: ObjectRef, body: Json): void => {
  const { vm, vmi, strategy } = find(server, ref);
  const phase = vmi?.status?.phase ?? '';
  if (vmi !== undefined && !model.isFinal(vmi) && phase !== 'Unknown' && phase !== '') {
    throw conflict(vm, 'VM is already running');
  }
  if (model.hasCondition(vm.status?.conditions, 'ManualRecoveryRequired', 'True')) throw conflict(vm, recoveryText);
  const request: StateChangeRequest =
    body['paused'] === true ? { action: 'Start', data: { paused: 'true' } } : { action: 'Start' };
  switch (strategy) {
    case 'Halted':
      if (body['paused'] === true) queue(server, vm, [request]);
      else setRunning(server, vm, true);
      return;
    case 'Manual':
    case 'RerunOnFailure': {
      if (strategy === 'RerunOnFailure' && phase === 'Failed') {
        throw conflict(vm, 'RerunOnFailure does not support starting VM from failed state');
      }
      queue(
        server,
        vm,
        vmi === undefined || !model.isFinal(vmi) ? [request] : [{ action: 'Stop', uid: vmi.metadata.uid }, request],
      );
      return;
    }
    default:
      throw conflict(vm, `${strategy} does not support manual start requests`);
  }
};

const shorten = (server: ApiServer, vmi: Vmi, seconds: number): void => {
  const spec = { ...vmi.spec, terminationGracePeriodSeconds: seconds };
  server.replace(resources.virtualMachineInstances, { ...vmi, spec }, actor);
};

const stop = (server: ApiServer, ref: ObjectRef, body: Json): void => {
  const { vm, vmi, strategy } = find(server, ref);
  const grace = body['gracePeriod'];
  const running = vmi !== undefined && !model.isFinal(vmi);
  if (strategy === 'Always' || strategy === 'Once') {
    if (running && typeof grace === 'number') shorten(server, vmi, grace);
    setRunning(server, vm, false);
    return;
  }
  if (!running) throw conflict(vm, 'VM is not running');
  const usual = vmi.spec.terminationGracePeriodSeconds ?? 30;
  if (strategy === 'Halted' && (typeof grace !== 'number' || grace >= usual)) {
    throw conflict(vm, 'Halted only supports manual stop requests with a shorter graceperiod');
  }
  if (typeof grace === 'number') shorten(server, vmi, grace);
  queue(server, vm, [{ action: 'Stop', uid: vmi.metadata.uid }]);
};

const restart = (server: ApiServer, ref: ObjectRef, body: Json): void => {
  const { vm, vmi, strategy } = find(server, ref);
  if (model.hasCondition(vm.status?.conditions, 'VolumesChange', 'True')) throw conflict(vm, recoveryText);
  if (strategy === 'Halted' || strategy === 'Once') {
    throw conflict(vm, `RunStategy ${strategy} does not support manual restart requests`);
  }
  if (vmi === undefined) throw conflict(vm, 'VM is not running: Halted');
  if (body['gracePeriodSeconds'] === 0) shorten(server, vmi, 1);
  queue(server, vm, [{ action: 'Stop', uid: vmi.metadata.uid }, { action: 'Start' }]);
};

const migrate = (server: ApiServer, ref: ObjectRef): void => {
  const { vm, vmi } = find(server, ref);
  if (vmi === undefined || !model.isRunning(vmi)) throw conflict(vm, 'VM is not running');
  server.create(
    resources.virtualMachineInstanceMigrations,
    {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstanceMigration',
      metadata: { name: '', generateName: 'kubevirt-migrate-vm-', namespace: vm.metadata.namespace },
      spec: { vmiName: vmi.metadata.name },
    },
    actor,
  );
};

const pause = (server: ApiServer, ref: ObjectRef, paused: boolean, now: string): void => {
  const vmi = model.maybe<Vmi>(server.read(resources.virtualMachineInstances, ref));
  if (vmi === undefined) throw refuse.notFound(resources.virtualMachineInstances, ref.name);
  const already = model.hasCondition(vmi.status?.conditions, 'Paused', 'True');
  if (!model.isRunning(vmi) || already === paused) {
    const why = model.isRunning(vmi) ? `VMI is ${paused ? 'already' : 'not'} paused` : 'VM is not running';
    throw refuse.conflict(resources.virtualMachineInstances, ref.name, why);
  }
  const conditions = paused
    ? model.withCondition(vmi.status?.conditions, {
        type: 'Paused',
        status: 'True',
        reason: 'PausedByUser',
        message: 'VMI was paused by user',
        lastTransitionTime: now,
      })
    : model.withoutCondition(vmi.status?.conditions, 'Paused');
  server.replace(resources.virtualMachineInstances, { ...vmi, status: { ...vmi.status, conditions } }, 'virt-handler');
};

/** Installs start, stop, restart and migrate of VMs, pause and unpause of VMIs. */
export const installSubresources = (server: ApiServer, stamp: () => string): void => {
  const group = 'subresources.kubevirt.io';
  const vms = 'virtualmachines';
  const vmis = 'virtualmachineinstances';
  server.subresource(group, vms, 'start', (ref, body) => start(server, ref, body));
  server.subresource(group, vms, 'stop', (ref, body) => stop(server, ref, body));
  server.subresource(group, vms, 'restart', (ref, body) => restart(server, ref, body));
  server.subresource(group, vms, 'migrate', (ref) => migrate(server, ref));
  server.subresource(group, vmis, 'pause', (ref) => pause(server, ref, true, stamp()));
  server.subresource(group, vmis, 'unpause', (ref) => pause(server, ref, false, stamp()));
};
