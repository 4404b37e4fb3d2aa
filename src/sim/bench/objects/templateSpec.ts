// What a machine is made of: the same in the template of the VM and in the VMI that is made from it.
// Its volumes stand where a live migration has put them, if one is under way.
import type { Json } from '../../cluster.ts';
import { disksOf, type Machine, rootEntryOf, targetOf } from '../machine.ts';

const volumesOf = (machine: Machine): readonly Json[] => {
  const cloudInit = { name: 'cloudinit', cloudInitNoCloud: { userDataSecretRef: { name: `${machine.name}-init` } } };
  if (machine.migrating) {
    return [{ name: 'rootdisk', persistentVolumeClaim: { claimName: targetOf(machine) } }, cloudInit];
  }
  const data = { name: 'datadisk', persistentVolumeClaim: { claimName: `${machine.name}-data` } };
  return [rootEntryOf(machine), data, cloudInit];
};

const domainOf = (machine: Machine): Json => ({
  cpu: { cores: 2, sockets: 1, threads: 1, model: 'host-model', maxSockets: 4 },
  devices: {
    disks: [...disksOf(machine).map(({ volume }) => volume), 'cloudinit'].map((name, index) => ({
      name,
      bootOrder: index + 1,
      disk: { bus: 'virtio' },
    })),
    interfaces: [{ name: 'default', masquerade: {}, model: 'virtio', macAddress: '02:f1:ef:00:00:0b' }],
    networkInterfaceMultiqueue: true,
    rng: {},
  },
  features: { acpi: { enabled: true }, smm: { enabled: true } },
  firmware: {
    bootloader: { efi: { secureBoot: true } },
    serial: `serial-of-${machine.name}`,
    uuid: '5d307ca9-b3ef-428c-8861-06e72d69f223',
  },
  machine: { type: 'pc-q35-rhel9.6.0' },
  memory: { guest: '4Gi', maxGuest: '16Gi' },
  resources: { requests: { memory: '4Gi' } },
});

export const templateSpec = (machine: Machine): Json => ({
  architecture: 'amd64',
  domain: domainOf(machine),
  evictionStrategy: 'LiveMigrate',
  networks: [{ name: 'default', pod: {} }],
  terminationGracePeriodSeconds: 180,
  volumes: volumesOf(machine),
});
