// The status of a VM, derived at the end of each run from the VMI: flags, conditions, `printableStatus`, what is left of
// requests and of a volume migration (contract §4.1, §4.2, §6).

import { identifiers } from '../apiServer/identifiers.ts';
import { dataVolumes } from './kinds.ts';
import { model } from './model.ts';
import type { Condition, Vm, Vmi } from './objects.ts';
import { runStrategy } from './runStrategy.ts';
import { draft, type VmPass } from './vmPass.ts';

const flags = (pass: VmPass): void => {
  const { vmi } = pass;
  if (vmi === undefined) draft.unset(pass, 'created', 'ready');
  else {
    const observed = Number(vmi.metadata.annotations?.['kubevirt.io/vm-generation']);
    draft.set(pass, {
      created: true,
      ...(Number.isFinite(observed) ? { observedGeneration: observed } : {}),
      desiredGeneration: pass.vm.metadata.generation ?? 1,
    });
    if (model.hasCondition(vmi.status?.conditions, 'Ready', 'True')) draft.set(pass, { ready: true });
    else draft.unset(pass, 'ready');
  }
  // Followed from the first start on, so that it tells whether the VM was ever started.
  if (pass.vm.status?.runStrategy !== undefined || vmi !== undefined) {
    draft.set(pass, { runStrategy: model.runStrategyOf(pass.original) });
  }
};

/** Drops the request at the head of the queue once it was carried out. */
const trimRequests = (pass: VmPass): void => {
  const { vmi } = pass;
  const requests = pass.vm.status?.stateChangeRequests ?? [];
  const [first, ...rest] = requests;
  if (first === undefined) return;
  const done =
    first.action === 'Stop'
      ? vmi === undefined || first.uid !== vmi.metadata.uid
      : vmi !== undefined && vmi.metadata.deletionTimestamp === undefined && !model.isFinal(vmi);
  if (!done) return;
  if (rest.length === 0) draft.unset(pass, 'stateChangeRequests');
  else draft.set(pass, { stateChangeRequests: rest });
};

const everRan = (vmi: Vmi | undefined): boolean =>
  (vmi?.status?.phaseTransitionTimestamps ?? []).some(({ phase }) => phase === 'Running');

/** Counts starts that failed before the guest ran, so that the next one waits longer. */
const syncStartFailure = (pass: VmPass): void => {
  const { vmi, context } = pass;
  const restarts = ['Always', 'RerunOnFailure', 'Once'].includes(model.runStrategyOf(pass.vm));
  if (everRan(vmi) || !restarts) {
    draft.unset(pass, 'startFailure');
    return;
  }
  if (vmi === undefined || !model.isFinal(vmi)) return;
  const before = pass.vm.status?.startFailure;
  if (before?.lastFailedVMIUID === vmi.metadata.uid) return;
  const count = (before?.consecutiveFailCount ?? 0) + 1;
  const base = 10 * count ** 2;
  const delaySeconds = Math.min(300, base + Math.floor(context.options.random() * (base / 2 + 1)));
  draft.set(pass, {
    startFailure: {
      consecutiveFailCount: count,
      lastFailedVMIUID: vmi.metadata.uid,
      retryAfterTimestamp: identifiers.timestamp(context.server.now() + delaySeconds * 1000),
    },
  });
};

const recordedSources = (vm: Vm): ReadonlyMap<string, string> =>
  new Map(
    (vm.status?.volumeUpdateState?.volumeMigrationState?.migratedVolumes ?? []).map((pair) => [
      pair.volumeName,
      pair.sourcePVCInfo.claimName,
    ]),
  );

/** Forgets a volume migration that was taken back, and asks for manual recovery of one whose VMI has ended. */
const syncVolumeMigration = (pass: VmPass): void => {
  const { vm, vmi } = pass;
  if (vm.status?.volumeUpdateState?.volumeMigrationState === undefined) return;
  const sources = recordedSources(vm);
  const recovered = (vm.spec.template.spec.volumes ?? []).every((volume) => {
    const source = sources.get(volume.name);
    return source === undefined || source === model.claimOf(volume);
  });
  if (recovered || vm.spec.updateVolumesStrategy !== 'Migration') {
    draft.set(pass, { volumeUpdateState: {} });
    draft.removeCondition(pass, 'VolumesChange');
    draft.removeCondition(pass, 'ManualRecoveryRequired');
    return;
  }
  if (vmi === undefined || model.isFinal(vmi)) {
    if (draft.hasCondition(pass, 'VolumesChange')) {
      draft.setCondition(pass, {
        type: 'ManualRecoveryRequired',
        status: 'True',
        reason: 'VMI was removed or was final during the volume migration',
      });
    }
    return;
  }
  const change = model.conditionOf(vmi.status?.conditions, 'VolumesChange');
  if (change?.status === 'False' && change.reason === 'VolumesChangeCancellation') {
    draft.set(pass, { volumeUpdateState: {} });
  }
};

const readyOf = (vmi: Vmi | undefined): Omit<Condition, 'lastTransitionTime'> => {
  if (vmi === undefined) {
    return { type: 'Ready', status: 'False', reason: 'VMINotExists', message: 'VMI does not exist' };
  }
  const ready = model.conditionOf(vmi.status?.conditions, 'Ready');
  if (ready !== undefined) return model.without(ready, 'lastTransitionTime');
  return {
    type: 'Ready',
    status: 'False',
    reason: 'VMIConditionMissing',
    message: 'VMI is missing the Ready condition',
  };
};

const own = new Set(['Ready', 'Failure', 'RestartRequired']);

/** A VM mirrors the conditions of its VMI; while there is none it keeps those it had. */
const syncConditions = (pass: VmPass): void => {
  const { vmi, error } = pass;
  draft.setCondition(pass, readyOf(vmi));
  if (error === undefined) draft.removeCondition(pass, 'Failure');
  else draft.setCondition(pass, { type: 'Failure', status: 'True', ...error });
  if (vmi === undefined) return;
  const mirrored = (vmi.status?.conditions ?? []).filter(({ type }) => !own.has(type));
  for (const condition of mirrored) draft.setCondition(pass, model.without(condition, 'lastTransitionTime'));
  for (const { type } of pass.vm.status?.conditions ?? []) {
    if (!own.has(type) && !mirrored.some((condition) => condition.type === type)) draft.removeCondition(pass, type);
  }
};

const isProvisioning = ({ vm, context }: VmPass): boolean =>
  (vm.spec.template.spec.volumes ?? []).some((volume) => {
    if (volume.dataVolume === undefined) return false;
    const { namespace } = vm.metadata;
    const dataVolume = context.server.read(dataVolumes, { namespace, name: volume.dataVolume.name });
    const phase = (dataVolume?.['status'] as { readonly phase?: string } | undefined)?.phase ?? 'Pending';
    return dataVolume !== undefined && phase !== 'Succeeded' && phase !== 'Failed';
  });

const waitsForBinding = (pass: VmPass): boolean =>
  runStrategy.meantToRun(pass) &&
  (pass.vm.spec.template.spec.volumes ?? []).some((volume) => {
    const claim = pass.context.claim(pass.vm.metadata.namespace, model.claimOf(volume));
    return claim !== undefined && claim.status?.phase !== 'Bound';
  });

const startsNow = (pass: VmPass): boolean =>
  pass.vmi === undefined
    ? pass.startExpected
    : ['', 'Pending', 'Scheduling', 'Scheduled'].includes(pass.vmi.status?.phase ?? '');

const printableStatus = (pass: VmPass): string => {
  const { vm, vmi } = pass;
  const conditions = vmi?.status?.conditions;
  const ended = vmi === undefined || model.isFinal(vmi);
  if (vm.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (!ended && (vmi.metadata.deletionTimestamp !== undefined || pass.stopExpected)) return 'Stopping';
  if (vmi !== undefined && model.isMigrating(vmi)) return 'Migrating';
  if (vmi !== undefined && model.isRunning(vmi)) {
    return model.hasCondition(conditions, 'Paused', 'True') ? 'Paused' : 'Running';
  }
  const synchronized = model.conditionOf(conditions, 'Synchronized');
  if (synchronized?.status === 'False' && synchronized.reason === 'FailedPvcNotFound') return 'ErrorPvcNotFound';
  const scheduled = model.conditionOf(conditions, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') return 'ErrorUnschedulable';
  if (isProvisioning(pass)) return 'Provisioning';
  if (waitsForBinding(pass)) return 'WaitingForVolumeBinding';
  if (startsNow(pass)) return 'Starting';
  if (ended && (vm.status?.startFailure?.consecutiveFailCount ?? 0) > 0) return 'CrashLoopBackOff';
  return ended ? 'Stopped' : 'Unknown';
};

/** Brings the draft's status up to date. */
export const updateVmStatus = (pass: VmPass): void => {
  flags(pass);
  trimRequests(pass);
  syncStartFailure(pass);
  syncVolumeMigration(pass);
  syncConditions(pass);
  const printed = printableStatus(pass);
  if (pass.vm.status?.printableStatus !== printed) draft.set(pass, { printableStatus: printed });
};
