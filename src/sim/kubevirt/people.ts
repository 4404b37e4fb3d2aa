// The people who use a simulated cluster, who ask nobody: they create, start, stop, pause and delete virtual machines
// through the same ways as in a real one. A refusal is thrown as the KubeFailure the server answered.
import type { ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer, Json } from '../cluster.ts';
import { dataVolumes } from './kinds.ts';
import type { KubeVirt } from './kubeVirt.ts';
import { manifests, type NewClaim, type NewDisk, type NewVm } from './manifests.ts';
import { model } from './model.ts';
import type { Vm, Vmi, Volume } from './objects.ts';

export interface People {
  createClaim(ref: ObjectRef, claim: NewClaim): void;
  createVm(vm: NewVm): ObjectRef;
  start(vm: ObjectRef, paused?: boolean): void;
  stop(vm: ObjectRef, graceSeconds?: number): void;
  restart(vm: ObjectRef): void;
  pause(vm: ObjectRef): void;
  unpause(vm: ObjectRef): void;
  /** Asks for a live migration, as `virtctl migrate` does. */
  migrate(vm: ObjectRef): void;
  /** Edits spec.runStrategy by hand. */
  setRunStrategy(vm: ObjectRef, runStrategy: string): void;
  /** Names other claims for volumes, by volume name, with this updateVolumesStrategy. */
  setClaims(vm: ObjectRef, claims: Readonly<Record<string, string>>, updateVolumesStrategy?: string): void;
  guestShutdown(vm: ObjectRef): void;
  guestCrash(vm: ObjectRef): void;
  deleteVmi(vm: ObjectRef): void;
  deleteVm(vm: ObjectRef): void;
  deletePod(pod: ObjectRef): void;
}

const user = 'user';
const group = 'subresources.kubevirt.io';

/** Acts on a simulated cluster as its users do; without `kube` nobody can make a guest end by itself. */
export const people = (server: ApiServer, kube?: KubeVirt): People => {
  const call = (plural: string, name: string, ref: ObjectRef, body: Json = {}): void =>
    server.call(group, plural, name, ref, body, user);

  const createClaim = (ref: ObjectRef, of: NewClaim): void => {
    if (server.read(resources.persistentVolumeClaims, ref) !== undefined) return;
    server.create(resources.persistentVolumeClaims, manifests.claim(ref.name, ref.namespace ?? 'default', of), user);
  };

  const createClaims = (namespace: string, disk: NewDisk): void => {
    if (disk.dataVolume === undefined) createClaim({ namespace, name: disk.claim }, manifests.sourceOf(disk));
    if (disk.target !== undefined) createClaim({ namespace, name: disk.target }, manifests.targetOf(disk));
    if (disk.dataVolume === 'plain') server.create(dataVolumes, manifests.dataVolume(disk, namespace), user);
  };

  const vmOf = (ref: ObjectRef): Vm | undefined => model.maybe<Vm>(server.read(resources.virtualMachines, ref));
  const patchSpec = (ref: ObjectRef, spec: Json): void => {
    server.patch(resources.virtualMachines, ref, { type: 'merge', body: { spec } }, user);
  };

  return {
    createClaim,
    createVm: (vm) => {
      const namespace = vm.namespace ?? 'default';
      for (const disk of vm.disks) createClaims(namespace, disk);
      server.create(resources.virtualMachines, manifests.virtualMachine(vm, namespace), user);
      return { namespace, name: vm.name };
    },
    start: (vm, paused) => call('virtualmachines', 'start', vm, paused === true ? { paused: true } : {}),
    stop: (vm, graceSeconds) =>
      call('virtualmachines', 'stop', vm, graceSeconds === undefined ? {} : { gracePeriod: graceSeconds }),
    restart: (vm) => call('virtualmachines', 'restart', vm),
    migrate: (vm) => call('virtualmachines', 'migrate', vm),
    pause: (vm) => call('virtualmachineinstances', 'pause', vm),
    unpause: (vm) => call('virtualmachineinstances', 'unpause', vm),
    setRunStrategy: (vm, runStrategy) => patchSpec(vm, { runStrategy }),
    setClaims: (vm, claims, updateVolumesStrategy) => {
      const found = vmOf(vm);
      if (found === undefined) return;
      const volumes = (found.spec.template.spec.volumes ?? []).map((volume) => {
        const claimName = claims[volume.name];
        if (claimName === undefined) return volume;
        const { dataVolume: _dataVolume, persistentVolumeClaim, ...rest } = volume;
        return { ...rest, persistentVolumeClaim: { ...persistentVolumeClaim, claimName } };
      });
      // A template that no volume names any more has to go in the same patch (contract §1.1).
      const named = new Set(volumes.map((volume: Volume) => volume.dataVolume?.name));
      const templates = found.spec.dataVolumeTemplates ?? [];
      const kept = templates.filter(({ metadata }) => named.has(metadata.name));
      patchSpec(vm, {
        template: { spec: { volumes } },
        ...(kept.length === templates.length ? {} : { dataVolumeTemplates: kept }),
        ...(updateVolumesStrategy === undefined ? {} : { updateVolumesStrategy }),
      });
    },
    guestShutdown: (vm) => kube?.guestShutdown(vm),
    guestCrash: (vm) => kube?.guestCrash(vm),
    deleteVmi: (vm) => {
      const vmi = model.maybe<Vmi>(server.read(resources.virtualMachineInstances, vm));
      if (vmi !== undefined) server.remove(resources.virtualMachineInstances, vm, user, { uid: vmi.metadata.uid });
    },
    deleteVm: (vm) => server.remove(resources.virtualMachines, vm, user),
    deletePod: (pod) => server.remove(resources.pods, pod, user),
  };
};
