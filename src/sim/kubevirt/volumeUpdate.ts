// Starts and cancels volume migrations: what virt-controller does when the volumes of a running VM and of its VMI differ
// (contract §1.3, §2.1, §3). Starting takes two runs: first the VMI's status names the pairs, then its spec names B.
import { virtController } from './context.ts';
import { model } from './model.ts';
import type { ClaimInfo, MigratedVolume, Vm, Vmi, Volume } from './objects.ts';
import { draft, type VmPass } from './vmPass.ts';
import { type Verdict, volumeChecks } from './volumeChecks.ts';

const reason = 'VolumesUpdateError';
const fail = (pass: VmPass, message: string): void => {
  pass.error = { reason, message: `error encountered while handling volumes update requests: ${message}` };
};

/** Volumes whose claim differs between VM and VMI, with the claim the VM names. */
const changedVolumes = (vmi: Vmi, vm: Vm): ReadonlyMap<string, string> => {
  const wanted = new Map((vm.spec.template.spec.volumes ?? []).map((volume) => [volume.name, model.claimOf(volume)]));
  const changed = new Map<string, string>();
  for (const volume of vmi.spec.volumes ?? []) {
    const claim = wanted.get(volume.name) ?? '';
    if (model.claimOf(volume) !== '' && claim !== '' && claim !== model.claimOf(volume)) {
      changed.set(volume.name, claim);
    }
  }
  return changed;
};

/** The VMI with the entries of its migrated volumes replaced by the VM's. */
const withVolumesOf = (vmi: Vmi, vm: Vm): Vmi => {
  const migrated = new Set((vmi.status?.migratedVolumes ?? []).map(({ volumeName }) => volumeName));
  const wanted = new Map<string, Volume>((vm.spec.template.spec.volumes ?? []).map((volume) => [volume.name, volume]));
  const volumes = (vmi.spec.volumes ?? []).map((volume) =>
    migrated.has(volume.name) ? (wanted.get(volume.name) ?? volume) : volume,
  );
  return model.equal(volumes, vmi.spec.volumes) ? vmi : { ...vmi, spec: { ...vmi.spec, volumes } };
};

const isReverted = (vmi: Vmi, changed: ReadonlyMap<string, string>): boolean => {
  const migrated = vmi.status?.migratedVolumes ?? [];
  return (
    migrated.length === changed.size &&
    migrated.every(({ volumeName, sourcePVCInfo }) => changed.get(volumeName) === sourcePVCInfo.claimName)
  );
};

/** Whether the change concerned a volume migration under way; if all volumes are back, it is cancelled. */
const cancel = (pass: VmPass, vmi: Vmi): boolean => {
  if (!model.hasCondition(vmi.status?.conditions, 'VolumesChange', 'True')) return false;
  const changed = changedVolumes(vmi, pass.vm);
  if (!(vmi.status?.migratedVolumes ?? []).some(({ volumeName }) => changed.has(volumeName))) return false;
  if (!isReverted(vmi, changed)) {
    fail(pass, 'The volume can only be reverted to the previous version during the update');
    return true;
  }
  const { context } = pass;
  const reverted = context.writeVmi(withVolumesOf(vmi, pass.vm));
  if (context.options.happens('losesCancellation', `${vmi.metadata.namespace}/${vmi.metadata.name}`)) {
    fail(pass, 'failed updating vmi condition: the server rejected our request due to an error in our request');
    return true;
  }
  const conditions = model.withCondition(reverted.status?.conditions, {
    type: 'VolumesChange',
    status: 'False',
    reason: 'VolumesChangeCancellation',
    lastTransitionTime: context.stamp(),
  });
  context.writeVmi({
    ...reverted,
    status: { ...model.without(reverted.status ?? {}, 'migratedVolumes'), conditions },
  });
  return true;
};

const claimInfo = (pass: VmPass, claimName: string): ClaimInfo => {
  const claim = pass.context.claim(pass.vm.metadata.namespace, claimName);
  if (claim === undefined) return { claimName };
  return {
    claimName,
    ...(claim.spec.volumeMode === undefined ? {} : { volumeMode: claim.spec.volumeMode }),
    accessModes: claim.spec.accessModes ?? [],
    requests: claim.spec.resources?.requests ?? {},
    ...(claim.status?.capacity === undefined ? {} : { capacity: claim.status.capacity }),
  };
};

const pairsOf = (pass: VmPass, vmi: Vmi, changed: ReadonlyMap<string, string>): readonly MigratedVolume[] =>
  (vmi.spec.volumes ?? []).flatMap((volume) => {
    const target = changed.get(volume.name);
    if (target === undefined) return [];
    return [
      {
        volumeName: volume.name,
        destinationPVCInfo: claimInfo(pass, target),
        sourcePVCInfo: claimInfo(pass, model.claimOf(volume)),
      },
    ];
  });

const setVmiConditions = (pass: VmPass, vmi: Vmi, conditions: NonNullable<Vmi['status']>['conditions']): Vmi =>
  conditions === undefined || conditions === vmi.status?.conditions
    ? vmi
    : pass.context.writeVmi({ ...vmi, status: { ...vmi.status, conditions } }, virtController);

const notGood = (pass: VmPass, vmi: Vmi, verdict: Exclude<Verdict, { readonly kind: 'good' }>): void => {
  if (verdict.kind === 'invalid') {
    draft.setCondition(pass, { type: 'RestartRequired', status: 'True', message: verdict.message });
    return;
  }
  setVmiConditions(
    pass,
    vmi,
    model.withCondition(vmi.status?.conditions, {
      type: 'VolumesChange',
      status: 'False',
      message: `One of the destination volumes doesn't exist: ${verdict.message}`,
      lastTransitionTime: pass.context.stamp(),
    }),
  );
};

const migrate = (pass: VmPass, vmi: Vmi): void => {
  const changed = changedVolumes(vmi, pass.vm);
  if (changed.size === 0) return;
  const verdict = volumeChecks.validate(pass, vmi, changed);
  if (verdict.kind !== 'good') {
    notGood(pass, vmi, verdict);
    return;
  }
  const key = `${vmi.metadata.namespace}/${vmi.metadata.name}`;
  const { options } = pass.context;
  const cleared = setVmiConditions(pass, vmi, model.withoutCondition(vmi.status?.conditions, 'VolumesChange'));
  const pairs = pairsOf(pass, vmi, changed);
  const obstacle = volumeChecks.unmigratable(vmi, pairs);
  if (obstacle !== undefined) {
    draft.setCondition(pass, { type: 'RestartRequired', status: 'True', message: obstacle });
    return;
  }
  // As in virt-controller the spec is only replaced in the run after the one that named the pairs.
  if ((vmi.status?.migratedVolumes ?? []).length === 0) {
    pass.context.writeVmi({ ...cleared, status: { ...cleared.status, migratedVolumes: pairs } });
  } else if (options.happens('failsFirstUpdate', key)) {
    fail(pass, 'the server rejected our request due to an error in our request');
    pass.againMs = options.reactionMs;
    return;
  } else {
    pass.context.writeVmi(withVolumesOf(cleared, pass.vm));
    pass.conflict = options.happens('losesMigrationRecord', key);
  }
  draft.set(pass, { volumeUpdateState: { volumeMigrationState: { migratedVolumes: pairs } } });
};

/** Lets the VMI follow the VM's volumes, or brings a volume migration under way back. */
export const updateVolumes = (pass: VmPass): void => {
  const { vmi } = pass;
  if (vmi === undefined || cancel(pass, vmi)) return;
  const strategy = pass.vm.spec.updateVolumesStrategy;
  if (strategy === 'Migration') migrate(pass, vmi);
  else if (strategy !== undefined && strategy !== 'Replacement') {
    fail(pass, `updateVolumes strategy not recognized: ${strategy}`);
  }
};
