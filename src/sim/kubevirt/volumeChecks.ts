// What virt-controller checks before it moves volumes of a running VM (contract §1.3). Not checked, as in KubeVirt: the
// size of a target, what is on it, and whether somebody uses it.
import { dataVolumes } from './kinds.ts';
import { model } from './model.ts';
import type { Disk, MigratedVolume, Vmi, Volume } from './objects.ts';
import type { VmPass } from './vmPass.ts';

/** `missing`: waits for the target to be made. `invalid`: asks for a restart. */
export type Verdict = { readonly kind: 'good' } | { readonly kind: 'missing' | 'invalid'; readonly message: string };

const missing = (name: string, what: string): Verdict => ({ kind: 'missing', message: `${what} ${name} not found` });

const isClaimReady = (pass: VmPass, volume: Volume): Verdict => {
  const { namespace } = pass.vm.metadata;
  const { context } = pass;
  if (volume.persistentVolumeClaim !== undefined) {
    const { claimName } = volume.persistentVolumeClaim;
    return context.claim(namespace, claimName) === undefined ? missing(claimName, 'PVC') : { kind: 'good' };
  }
  const name = volume.dataVolume?.name ?? '';
  const dataVolume = context.server.read(dataVolumes, { namespace, name });
  if (dataVolume === undefined) return missing(name, 'DV');
  if ((dataVolume['status'] as { readonly phase?: string } | undefined)?.phase === 'Succeeded') return { kind: 'good' };
  const claim = context.claim(namespace, name);
  if (claim === undefined) return missing(name, 'PVC');
  return claim.spec.dataSourceRef === undefined
    ? { kind: 'invalid', message: `DV storage class isn't a CSI or not using volume populators: [${name}]` }
    : { kind: 'good' };
};

const validate = (pass: VmPass, vmi: Vmi, changed: ReadonlyMap<string, string>): Verdict => {
  const devices = vmi.spec.domain?.devices;
  const disks = new Map<string, Disk>((devices?.disks ?? []).map((disk) => [disk.name, disk]));
  const filesystems = new Set((devices?.filesystems ?? []).map(({ name }) => name));
  const volumes = (pass.vm.spec.template.spec.volumes ?? []).filter(({ name }) => changed.has(name));
  const named = (list: readonly Volume[]): string => `[${list.map(({ name }) => name).join(' ')}]`;
  const fs = volumes.filter(({ name }) => filesystems.has(name));
  const shareable = volumes.filter(({ name }) => disks.get(name)?.shareable === true);
  const luns = volumes.filter(
    ({ name }) => disks.get(name)?.lun !== undefined && !shareable.some((v) => v.name === name),
  );
  const parts = [
    ...(fs.length > 0 ? [`filesystems: ${named(fs)}`] : []),
    ...(shareable.length > 0 ? [`shareable: ${named(shareable)}`] : []),
    ...(luns.length > 0 ? [`luns: ${named(luns)}`] : []),
  ];
  for (const volume of volumes.filter(({ name }) => disks.has(name) && !filesystems.has(name))) {
    const verdict = isClaimReady(pass, volume);
    if (verdict.kind === 'missing') return verdict;
    if (verdict.kind === 'invalid') parts.push(verdict.message);
  }
  if (parts.length === 0) return { kind: 'good' };
  return { kind: 'invalid', message: `invalid volumes to update with migration: ${parts.join(' ')}` };
};

/** Why the VMI cannot be migrated with these volumes: it is not migratable at all, or an RWO disk would stay behind. */
const unmigratable = (vmi: Vmi, pairs: readonly MigratedVolume[]): string | undefined => {
  const storage = model.conditionOf(vmi.status?.conditions, 'StorageLiveMigratable');
  if (storage?.status === 'False') {
    return `cannot migrate the volumes as the VMI isn't migratable: ${storage.message ?? ''}`;
  }
  const moved = new Set(pairs.map(({ volumeName }) => volumeName));
  for (const { name, persistentVolumeClaimInfo } of vmi.status?.volumeStatus ?? []) {
    const modes = persistentVolumeClaimInfo?.accessModes;
    if (
      Array.isArray(modes) &&
      !modes.includes('ReadWriteMany') &&
      modes.includes('ReadWriteOnce') &&
      !moved.has(name)
    ) {
      return `cannot migrate the VM. The volume ${name} is RWO and not included in the migration volumes`;
    }
  }
  return undefined;
};

/** Checks of the volumes as such, and of the VMI with the pairs to be moved. */
export const volumeChecks = { validate, unmigratable };
