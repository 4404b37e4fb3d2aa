// What a run strategy makes of a VM that has, or has not, a VMI: start, stop, restart or nothing (contract §4.1, §6).
// Its traps: Always starts a new VMI as soon as the old one is gone, on whatever disk the VM names then; RerunOnFailure
// does so after a failure, Once whenever there is none; Manual leaves a VMI whose guest shut down.

import { resources } from '../../kube/resources.ts';
import { virtController } from './context.ts';
import { model } from './model.ts';
import type { StateChangeRequest } from './objects.ts';
import { startVmi } from './startVmi.ts';
import { draft, type VmPass } from './vmPass.ts';

const request = (pass: VmPass): StateChangeRequest | undefined => pass.vm.status?.stateChangeRequests?.[0];

const startRequested = (pass: VmPass): boolean => request(pass)?.action === 'Start';

const stopRequested = (pass: VmPass): boolean => {
  const first = request(pass);
  return first?.action === 'Stop' && pass.vmi !== undefined && first.uid === pass.vmi.metadata.uid;
};

/** Deletes the VMI unless that was done before. */
const stop = (pass: VmPass): void => {
  const { vmi, context } = pass;
  if (vmi === undefined || vmi.metadata.deletionTimestamp !== undefined) return;
  const { namespace, name, uid } = vmi.metadata;
  context.server.remove(resources.virtualMachineInstances, { namespace, name }, virtController, { uid });
  pass.stopExpected = true;
  draft.removeCondition(pass, 'RestartRequired');
};

/** How long a VM that failed to start before must wait still, in ms. */
const backoffLeftMs = ({ vm, context }: VmPass): number => {
  const retryAfter = vm.status?.startFailure?.retryAfterTimestamp;
  return retryAfter === undefined ? 0 : Date.parse(retryAfter) - context.server.now();
};

const startAfterBackoff = (pass: VmPass): void => {
  const leftMs = backoffLeftMs(pass);
  if (leftMs > 0) pass.againMs = leftMs;
  else startVmi(pass);
};

const queueStart = (pass: VmPass): void => {
  const stateChangeRequests = [...(pass.vm.status?.stateChangeRequests ?? []), { action: 'Start' as const }];
  const { namespace, name } = pass.vm.metadata;
  const patched = pass.context.server.patch(
    resources.virtualMachines,
    { namespace, name },
    { type: 'merge', body: { status: { stateChangeRequests } } },
    virtController,
    { subresource: 'status' },
  );
  pass.vm = { ...pass.vm, metadata: model.as<typeof pass.vm>(patched).metadata };
  draft.set(pass, { stateChangeRequests });
};

const always = (pass: VmPass): void => {
  if (pass.vmi === undefined) startAfterBackoff(pass);
  else if (stopRequested(pass) || model.isFinal(pass.vmi)) stop(pass);
};

/** Whether RerunOnFailure starts a VM that has no VMI: asked to, or just come from another strategy. */
const rerunStarts = (pass: VmPass): boolean => startRequested(pass) || pass.vm.status?.runStrategy !== 'RerunOnFailure';

const rerunOnFailure = (pass: VmPass): void => {
  if (pass.vmi === undefined) {
    if (rerunStarts(pass)) startAfterBackoff(pass);
    return;
  }
  if (pass.vmi.metadata.deletionTimestamp !== undefined) return;
  if (!stopRequested(pass) && !model.isFinal(pass.vmi)) return;
  stop(pass);
  if (pass.vmi.status?.phase === 'Failed') queueStart(pass);
};

const manual = (pass: VmPass): void => {
  if (pass.vmi === undefined) {
    if (startRequested(pass)) startVmi(pass);
  } else if (stopRequested(pass)) stop(pass);
};

const halted = (pass: VmPass): void => {
  if (pass.vmi !== undefined) stop(pass);
  else if (startRequested(pass)) {
    const { spec } = pass.vm;
    const started = spec.runStrategy === undefined ? { ...spec, running: true } : { ...spec, runStrategy: 'Always' };
    pass.context.server.replace(resources.virtualMachines, { ...pass.vm, spec: started }, virtController);
    pass.conflict = true;
  }
};

const apply = (pass: VmPass): void => {
  const strategy = model.runStrategyOf(pass.vm);
  switch (strategy) {
    case 'Always':
      always(pass);
      return;
    case 'RerunOnFailure':
      rerunOnFailure(pass);
      return;
    case 'Manual':
      manual(pass);
      return;
    case 'Halted':
      halted(pass);
      return;
    case 'Once':
      if (pass.vmi === undefined) startVmi(pass);
      return;
    default:
      return;
  }
};

/** Whether the VM is meant to run, which decides if it waits for its volumes visibly. */
const meantToRun = (pass: VmPass): boolean => {
  switch (model.runStrategyOf(pass.vm)) {
    case 'Always':
      return true;
    case 'Manual':
      return pass.vmi === undefined ? startRequested(pass) : !stopRequested(pass);
    case 'RerunOnFailure':
      return pass.vmi === undefined ? rerunStarts(pass) : pass.vmi.status?.phase !== 'Succeeded';
    case 'Once':
      return pass.vmi === undefined;
    default:
      return false;
  }
};

/** The run strategies; `stop` is also what a deleted VM needs. */
export const runStrategy = { apply, stop, meantToRun };
