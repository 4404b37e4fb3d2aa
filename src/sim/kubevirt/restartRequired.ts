// Condition RestartRequired: a field was changed that a running guest does not take over. While it is set, volume
// changes and their cancellation are not processed at all (contract §1.3, §3).
import { model } from './model.ts';
import type { Disk, GuestSpec, VmSpec, Volume } from './objects.ts';
import { draft, type VmPass } from './vmPass.ts';

const byName = <T extends { readonly name: string }>(items: readonly T[] | undefined): ReadonlyMap<string, T> =>
  new Map((items ?? []).map((item) => [item.name, item]));

const takesOverVolumes = (before: GuestSpec, vm: VmSpec): boolean => {
  const old = byName<Volume>(before.volumes);
  const now = byName<Volume>(vm.template.spec.volumes);
  const migrates = vm.updateVolumesStrategy === 'Migration';
  const changedWell = [...now.values()].every((volume) => {
    const was = old.get(volume.name);
    if (model.isHotplug(volume)) return true;
    if (was === undefined) return false;
    return (migrates && model.claimOf(volume) !== '') || model.equal(was, volume);
  });
  return changedWell && [...old.values()].every((volume) => now.has(volume.name) || model.isHotplug(volume));
};

const takesOverDisks = (before: GuestSpec, vm: VmSpec): boolean => {
  const oldVolumes = byName<Volume>(before.volumes);
  const newVolumes = byName<Volume>(vm.template.spec.volumes);
  const old = byName<Disk>(before.domain?.devices?.disks);
  const now = byName<Disk>(vm.template.spec.domain?.devices?.disks);
  const hotplug = (volume: Volume | undefined): boolean => volume !== undefined && model.isHotplug(volume);
  return (
    [...now.values()].every((disk) => hotplug(newVolumes.get(disk.name)) || model.equal(old.get(disk.name), disk)) &&
    [...old.values()].every((disk) => now.has(disk.name) || hotplug(oldVolumes.get(disk.name)))
  );
};

/** The spec with what a running guest takes over left out. */
const fixedPart = (spec: GuestSpec, volumes: boolean, disks: boolean, liveUpdate: boolean): unknown => {
  const { domain, ...rest } = spec;
  const kept = liveUpdate ? model.without(rest, 'nodeSelector', 'affinity', 'tolerations') : rest;
  const { devices, ...machine } = domain ?? {};
  const { cpu, memory, ...other } = machine as { readonly cpu?: object; readonly memory?: object };
  return {
    ...(volumes ? model.without(kept, 'volumes') : kept),
    domain: {
      ...other,
      devices: disks ? model.without(devices ?? {}, 'disks') : devices,
      cpu: liveUpdate ? model.without((cpu ?? {}) as Record<string, unknown>, 'sockets') : cpu,
      memory: liveUpdate ? model.without((memory ?? {}) as Record<string, unknown>, 'guest') : memory,
    },
  };
};

/** Sets or removes RestartRequired by comparing the VM with what its guest was started with; true when it is needed. */
export const syncRestartRequired = (pass: VmPass): boolean => {
  if (pass.startedWith === undefined) return false;
  const before = pass.startedWith.template.spec;
  const volumes = takesOverVolumes(before, pass.vm.spec);
  const disks = takesOverDisks(before, pass.vm.spec);
  const { liveUpdate } = pass.context.settings();
  const needed = !model.equal(
    fixedPart(before, volumes, disks, liveUpdate),
    fixedPart(pass.vm.spec.template.spec, volumes, disks, liveUpdate),
  );
  if (needed) {
    draft.setCondition(pass, {
      type: 'RestartRequired',
      status: 'True',
      message: 'a non-live-updatable field was changed in the template spec',
    });
  } else draft.removeCondition(pass, 'RestartRequired');
  return needed;
};
