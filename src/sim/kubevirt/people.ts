// The people who use a simulated cluster, who ask nobody: they create, start, stop, pause and delete virtual machines
// through the same ways as in a real one. A refusal is thrown as the KubeFailure the server answered.
import type { ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer, Json } from '../cluster.ts';
import type { KubeVirt } from './kubeVirt.ts';
import { model } from './model.ts';
import type { Vm, Vmi, Volume } from './objects.ts';

export interface NewDisk {
  /** Volume name; default disk0, disk1 and so on. */
  readonly name?: string;
  /** The claim the disk is on; created, as everything here, with the size and modes given. */
  readonly claim: string;
  /** A second claim like it, created empty. */
  readonly target?: string;
  readonly hotplug?: boolean;
  /** The volume names a DataVolume, `template`: from an entry of dataVolumeTemplates; the claim comes with it. */
  readonly dataVolume?: 'plain' | 'template';
  readonly shareable?: boolean;
  readonly accessModes?: readonly string[];
  readonly targetAccessModes?: readonly string[];
  readonly size?: string;
  readonly targetSize?: string;
  readonly storageClassName?: string;
  readonly targetStorageClassName?: string;
  readonly volumeMode?: 'Filesystem' | 'Block';
}

export interface NewVm {
  readonly name: string;
  readonly namespace?: string;
  /** Default Always. `running` and `stopped` use the deprecated spec.running instead. */
  readonly runStrategy?: 'Always' | 'Halted' | 'Manual' | 'RerunOnFailure' | 'Once' | 'running' | 'stopped';
  readonly disks: readonly NewDisk[];
  readonly updateVolumesStrategy?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

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

export interface NewClaim {
  readonly accessModes?: readonly string[];
  readonly size?: string;
  readonly storageClassName?: string;
  readonly volumeMode?: 'Filesystem' | 'Block';
}

const user = 'user';
const group = 'subresources.kubevirt.io';

const volumeOf = (disk: NewDisk, name: string): Volume => {
  const hotpluggable = disk.hotplug === true ? { hotpluggable: true } : {};
  return disk.dataVolume === undefined
    ? { name, persistentVolumeClaim: { claimName: disk.claim, ...hotpluggable } }
    : { name, dataVolume: { name: disk.claim, ...hotpluggable } };
};

const claimSpec = (claim: NewClaim): Json => ({
  accessModes: claim.accessModes ?? ['ReadWriteOnce'],
  resources: { requests: { storage: claim.size ?? '1Gi' } },
  ...(claim.storageClassName === undefined ? {} : { storageClassName: claim.storageClassName }),
  volumeMode: claim.volumeMode ?? 'Filesystem',
});

const sourceOf = (disk: NewDisk): NewClaim => ({
  ...(disk.accessModes === undefined ? {} : { accessModes: disk.accessModes }),
  ...(disk.size === undefined ? {} : { size: disk.size }),
  ...(disk.storageClassName === undefined ? {} : { storageClassName: disk.storageClassName }),
  ...(disk.volumeMode === undefined ? {} : { volumeMode: disk.volumeMode }),
});

const targetOf = (disk: NewDisk): NewClaim => {
  const { accessModes, size, storageClassName, ...rest } = sourceOf(disk);
  const modes = disk.targetAccessModes ?? accessModes;
  const bytes = disk.targetSize ?? size;
  const storageClass = disk.targetStorageClassName ?? storageClassName;
  return {
    ...rest,
    ...(modes === undefined ? {} : { accessModes: modes }),
    ...(bytes === undefined ? {} : { size: bytes }),
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
  };
};

const strategyOf = (runStrategy: NewVm['runStrategy']): Json => {
  if (runStrategy === 'running') return { running: true };
  if (runStrategy === 'stopped') return { running: false };
  return { runStrategy: runStrategy ?? 'Always' };
};

/** Acts on a simulated cluster as its users do; without `kube` nobody can make a guest end by itself. */
export const people = (server: ApiServer, kube?: KubeVirt): People => {
  const call = (plural: string, name: string, ref: ObjectRef, body: Json = {}): void =>
    server.call(group, plural, name, ref, body, user);

  const createClaim = (ref: ObjectRef, claim: NewClaim): void => {
    if (server.read(resources.persistentVolumeClaims, ref) !== undefined) return;
    server.create(
      resources.persistentVolumeClaims,
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: ref.name, namespace: ref.namespace ?? 'default' },
        spec: claimSpec(claim),
      },
      user,
    );
  };

  const createClaims = (namespace: string, disk: NewDisk): void => {
    if (disk.dataVolume === undefined) createClaim({ namespace, name: disk.claim }, sourceOf(disk));
    if (disk.target !== undefined) createClaim({ namespace, name: disk.target }, targetOf(disk));
    if (disk.dataVolume !== 'plain') return;
    server.create(
      { group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'datavolumes', kind: 'DataVolume', namespaced: true },
      {
        apiVersion: 'cdi.kubevirt.io/v1beta1',
        kind: 'DataVolume',
        metadata: { name: disk.claim, namespace },
        spec: { source: { blank: {} }, storage: claimSpec(sourceOf(disk)) },
      },
      user,
    );
  };

  const vmOf = (ref: ObjectRef): Vm | undefined => model.maybe<Vm>(server.read(resources.virtualMachines, ref));
  const patchSpec = (ref: ObjectRef, spec: Json): void => {
    server.patch(resources.virtualMachines, ref, { type: 'merge', body: { spec } }, user);
  };

  return {
    createClaim,
    createVm: (vm) => {
      const namespace = vm.namespace ?? 'default';
      const named = vm.disks.map((disk, index) => ({ disk, name: disk.name ?? `disk${index}` }));
      for (const { disk } of named) createClaims(namespace, disk);
      const templates = named.flatMap(({ disk }) =>
        disk.dataVolume === 'template'
          ? [{ metadata: { name: disk.claim }, spec: { source: { blank: {} }, storage: claimSpec(sourceOf(disk)) } }]
          : [],
      );
      server.create(
        resources.virtualMachines,
        {
          apiVersion: 'kubevirt.io/v1',
          kind: 'VirtualMachine',
          metadata: { name: vm.name, namespace },
          spec: {
            ...strategyOf(vm.runStrategy),
            ...(vm.updateVolumesStrategy === undefined ? {} : { updateVolumesStrategy: vm.updateVolumesStrategy }),
            ...(templates.length === 0 ? {} : { dataVolumeTemplates: templates }),
            template: {
              metadata: { labels: { app: vm.name, ...vm.labels } },
              spec: {
                domain: {
                  devices: {
                    disks: named.map(({ disk, name }) => ({
                      name,
                      disk: { bus: disk.hotplug === true ? 'scsi' : 'virtio' },
                      ...(disk.shareable === true ? { shareable: true } : {}),
                    })),
                  },
                  memory: { guest: '64Mi' },
                },
                terminationGracePeriodSeconds: 30,
                volumes: named.map(({ disk, name }) => volumeOf(disk, name)),
              },
            },
          },
        },
        user,
      );
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
      patchSpec(vm, {
        template: { spec: { volumes } },
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
