// Hotplugged volumes of a running VM that were added, removed or exchanged without strategy Migration: the VMI takes them
// over at once, which swaps the guest's disk (contract §8, DeclarativeHotplugVolumes).
import { model } from './model.ts';
import type { Disk, Volume } from './objects.ts';
import type { VmPass } from './vmPass.ts';

const byName = <T extends { readonly name: string }>(items: readonly T[] | undefined): ReadonlyMap<string, T> =>
  new Map((items ?? []).map((item) => [item.name, item]));

/** Brings the VMI's hotplugged volumes to what the VM names, except those that strategy Migration moves. */
export const syncHotplug = (pass: VmPass): void => {
  const { vmi, vm, context } = pass;
  if (vmi === undefined || model.isFinal(vmi) || vmi.metadata.deletionTimestamp !== undefined) return;
  const template = vm.spec.template.spec;
  const wanted = byName<Volume>(template.volumes);
  const held = byName<Volume>(vmi.spec.volumes);
  const migrates = vm.spec.updateVolumesStrategy === 'Migration';
  const kept = (vmi.spec.volumes ?? []).flatMap((volume) => {
    const next = wanted.get(volume.name);
    if (!model.isHotplug(volume)) return [volume];
    if (next === undefined) return [];
    return [migrates ? volume : next];
  });
  const added = (template.volumes ?? []).filter((volume) => model.isHotplug(volume) && !held.has(volume.name));
  const volumes = [...kept, ...added];
  if (model.equal(volumes, vmi.spec.volumes ?? [])) return;
  const names = new Set(volumes.map(({ name }) => name));
  const disks = vmi.spec.domain?.devices?.disks ?? [];
  const newDisks = (template.domain?.devices?.disks ?? []).filter((disk: Disk) =>
    added.some((v) => v.name === disk.name),
  );
  const devices = { ...vmi.spec.domain?.devices, disks: [...disks.filter(({ name }) => names.has(name)), ...newDisks] };
  pass.vmi = context.writeVmi({
    ...vmi,
    spec: { ...vmi.spec, volumes, domain: { ...vmi.spec.domain, devices } },
  });
};
