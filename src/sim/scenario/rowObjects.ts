// What a row is played with: its machines with their disks and claims, and the StorageMigration that moves them.
import type { KubeObject, ObjectRef } from '../../kube/api.ts';
import type { NewDisk } from '../kubevirt/manifests.ts';
import type { Cast } from './milestones.ts';
import type { Row } from './rows.ts';
import type { DiskKind, Variation } from './variation.ts';
import type { World } from './world.ts';

export const migrationName = 'move';

/** The machines of a row with their disks. */
export const castOf = (row: Row, variation: Variation): readonly Cast[] =>
  row.machines.map(({ name }) => ({
    name,
    namespace: variation.namespace,
    disks: Array.from({ length: variation.disksEach }, (_, index) => ({
      volume: `disk${index}`,
      source: `${name}-disk${index}-old`,
      target: `${name}-disk${index}-new`,
    })),
  }));

/** The StorageMigration of a row. */
export const migrationOf = (cast: readonly Cast[], variation: Variation): KubeObject => ({
  apiVersion: 'transship.dev/v1alpha1',
  kind: 'StorageMigration',
  metadata: { name: migrationName, namespace: variation.namespace },
  spec: {
    virtualMachines: cast.map((machine) => ({
      name: machine.name,
      volumes: machine.disks.map((disk) => ({ name: disk.volume, target: { claimName: disk.target } })),
    })),
    transfer: {
      server: variation.server,
      ...(variation.bandwidthLimit === undefined ? {} : { bandwidthLimit: variation.bandwidthLimit }),
    },
  },
});

/** Makes the machines with their claims; those that are to be on begin to start. */
export const makeMachines = (world: World, row: Row, cast: readonly Cast[], variation: Variation): void => {
  for (const [place, machine] of cast.entries()) {
    const isOn = row.machines.find(({ name }) => name === machine.name)?.on === true;
    const vm = world.people.createVm({
      name: machine.name,
      namespace: variation.namespace,
      runStrategy: isOn ? variation.strategyOn : variation.strategyOff,
      disks: machine.disks.map((disk, index) => ({
        name: disk.volume,
        claim: disk.source,
        target: disk.target,
        ...diskOptions(variation.diskKinds?.[index % variation.diskKinds.length]),
        ...modesOf(variation, place * machine.disks.length + index),
      })),
    });
    if (isOn && variation.strategyOn === 'Manual') world.people.start(vm);
  }
};

const diskOptions = (kind: DiskKind | undefined): Partial<NewDisk> => {
  if (kind === 'hotplug') return { hotplug: true };
  if (kind === 'dataVolume') return { dataVolume: 'plain' };
  return kind === 'template' ? { dataVolume: 'template' } : {};
};

const modesOf = ({ volumeModes = [] }: Variation, place: number): Partial<NewDisk> => {
  const modes = volumeModes[place % volumeModes.length];
  if (modes === undefined) return {};
  // A file system needs room for itself besides the image (contract §8).
  const room = modes.source === 'Block' && modes.target === 'Filesystem' ? { targetSize: '2Gi' } : {};
  return { volumeMode: modes.source, targetVolumeMode: modes.target, ...room };
};

/** Where a machine of the row is. */
export const refOf = (name: string, variation: Variation): ObjectRef => ({ namespace: variation.namespace, name });
