// The status of a VMIM, derived from what is there: its target launcher and what the nodes wrote into the VMI's
// migrationState. It moves on by one phase at a time (contract §2.3).
import { resources } from '../../kube/resources.ts';
import { attachmentOf } from './attachmentPods.ts';
import { type Context, virtController } from './context.ts';
import { currentPod } from './currentPod.ts';
import { launcherPod } from './launcherPod.ts';
import { model } from './model.ts';
import type { Condition, Pod, Vmi, Vmim, VmimStatus } from './objects.ts';
import { targetLauncher } from './targetLauncher.ts';
import { vmimOf } from './vmimOf.ts';

const handedOver = new Set(['PreparingTarget', 'TargetReady', 'Running']);
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
      return vmimOf.canMigrate(context, vmi, vmim) ? 'Pending' : 'Failed';
    case 'Pending':
      return pod !== undefined && attached() ? 'Scheduling' : undefined;
    case 'Scheduling':
      return ready && attached() ? 'Scheduled' : undefined;
    case 'Scheduled':
      return vmimOf.owns(vmi, vmim) && state?.startTimestamp === undefined ? 'PreparingTarget' : undefined;
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

const hasFailed = (context: Context, vmi: Vmi, vmim: Vmim, pod: Pod | undefined): boolean => {
  const phase = vmim.status?.phase ?? '';
  return (
    model.isFinal(vmi) ||
    (vmim.metadata.deletionTimestamp !== undefined && !vmimOf.owns(vmi, vmim)) ||
    (pod !== undefined && (model.isPodDown(pod) || targetLauncher.isGivenUp(context, pod))) ||
    (vmimOf.withTarget.has(phase) && pod === undefined) ||
    (handedOver.has(phase) && !vmimOf.owns(vmi, vmim)) ||
    (vmimOf.owns(vmi, vmim) && vmi.status?.migrationState?.failed === true)
  );
};

const nextStatus = (context: Context, vmi: Vmi, vmim: Vmim, pod: Pod | undefined): VmimStatus => {
  const status = vmim.status ?? {};
  if (model.isFinished(vmim)) {
    const state = vmi.status?.migrationState;
    return vmimOf.owns(vmi, vmim) && state !== undefined ? { ...status, migrationState: state } : status;
  }
  const abort = vmim.metadata.deletionTimestamp !== undefined;
  const conditions = abort ? model.withCondition(status.conditions, aborted) : status.conditions;
  const marked = conditions === status.conditions || conditions === undefined ? status : { ...status, conditions };
  if (hasFailed(context, vmi, vmim, pod)) return { ...marked, phase: 'Failed' };
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

/** The status the VMIM has to have now. */
export const vmimStatus = (context: Context, vmi: Vmi, vmim: Vmim, pod: Pod | undefined): VmimStatus =>
  withSource(context, vmi, withTransition(context, vmim.status, nextStatus(context, vmi, vmim, pod)));
