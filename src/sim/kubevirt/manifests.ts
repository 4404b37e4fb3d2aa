// The objects that people write: virtual machines with their disks, claims and DataVolumes, from a few words.
import type { KubeObject } from '../../kube/api.ts';
import type { Json } from '../cluster.ts';
import type { Volume } from './objects.ts';

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
  readonly targetVolumeMode?: 'Filesystem' | 'Block';
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

export interface NewClaim {
  readonly accessModes?: readonly string[];
  readonly size?: string;
  readonly storageClassName?: string;
  readonly volumeMode?: 'Filesystem' | 'Block';
}

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
  const { accessModes, size, storageClassName, volumeMode } = sourceOf(disk);
  const modes = disk.targetAccessModes ?? accessModes;
  const bytes = disk.targetSize ?? size;
  const storageClass = disk.targetStorageClassName ?? storageClassName;
  const mode = disk.targetVolumeMode ?? volumeMode;
  return {
    ...(mode === undefined ? {} : { volumeMode: mode }),
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

/** The disks with their volume names: disk0, disk1 and so on unless they have one. */
const disksOf = (vm: NewVm): readonly { readonly disk: NewDisk; readonly name: string }[] =>
  vm.disks.map((disk, index) => ({ disk, name: disk.name ?? `disk${index}` }));

/** The VM that somebody would write for this. */
const virtualMachine = (vm: NewVm, namespace: string): KubeObject => {
  const named = disksOf(vm);
  const templates = named.flatMap(({ disk }) =>
    disk.dataVolume === 'template'
      ? [{ metadata: { name: disk.claim }, spec: { source: { blank: {} }, storage: claimSpec(sourceOf(disk)) } }]
      : [],
  );
  return {
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
  };
};

const claim = (name: string, namespace: string, of: NewClaim): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace },
  spec: claimSpec(of),
});

const dataVolume = (disk: NewDisk, namespace: string): KubeObject => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { name: disk.claim, namespace },
  spec: { source: { blank: {} }, storage: claimSpec(sourceOf(disk)) },
});

export const manifests = { virtualMachine, claim, dataVolume, sourceOf, targetOf };
