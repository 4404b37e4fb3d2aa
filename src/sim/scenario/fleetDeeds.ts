// What people do to machines and StorageMigrations of a planned fleet, each through the way it is done in a real
// cluster: subresources, kubectl, the guest itself. A refusal of the server is thrown as the server words it.
import type { KubeObject } from '../../kube/api.ts';
import { labels, roles } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { Act, Fleet, PlannedMachine, PlannedMigration } from './fleet.ts';
import type { World } from './world.ts';

const refOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }) => ({ namespace, name });

const machineEntry = (machine: PlannedMachine): object => ({
  name: machine.name,
  volumes: machine.disks.map((disk) => ({ name: disk.volume, target: { claimName: disk.target } })),
});

const migrationObject = (migration: PlannedMigration, fleet: Fleet): KubeObject => ({
  apiVersion: 'transship.dev/v1alpha1',
  kind: 'StorageMigration',
  metadata: { name: migration.name, namespace: migration.namespace },
  spec: {
    virtualMachines: fleet.machines
      .filter(({ name, namespace }) => namespace === migration.namespace && migration.machines.includes(name))
      .map(machineEntry),
    transfer: { server: migration.server },
    retention: migration.retention,
  },
});

type MachineAct = Extract<Act, { kind: 'machine' }>['what'];
type MigrationAct = Extract<Act, { kind: 'migration' }>['what'];

const isOfMachine =
  (machine: PlannedMachine, role?: string) =>
  ({ metadata, spec }: KubeObject): boolean => {
    if (metadata.labels?.[labels.role] === undefined) return false;
    if (role !== undefined && metadata.labels[labels.role] !== role) return false;
    const text = JSON.stringify(spec);
    return machine.disks.some(({ source, target }) => [source, target].some((claim) => text.includes(`"${claim}"`)));
  };

/** Throws as the server does where there is none. */
const anyPod = (world: World, machine: PlannedMachine, isMeant: (pod: KubeObject) => boolean) => {
  const found = world.server.all(resources.pods, machine.namespace).find(isMeant);
  return { namespace: machine.namespace, name: found?.metadata.name ?? 'none' };
};

const cancelMigration = (world: World, machine: PlannedMachine): void => {
  const found = world.server
    .all(resources.virtualMachineInstanceMigrations, machine.namespace)
    .find(({ spec }) => (spec as { readonly vmiName?: unknown } | undefined)?.vmiName === machine.name);
  const ref = { namespace: machine.namespace, name: found?.metadata.name ?? 'none' };
  world.server.remove(resources.virtualMachineInstanceMigrations, ref, 'user');
};

const editCpu = (world: World, machine: PlannedMachine): void => {
  const ref = refOf(machine);
  // Cores are what a running guest does not take over (contract §1.3).
  const body = { spec: { template: { spec: { domain: { cpu: { cores: 4 } } } } } };
  world.server.patch(resources.virtualMachines, ref, { type: 'merge', body }, 'user');
};

const labelVm = (world: World, machine: PlannedMachine): void => {
  const body = { metadata: { labels: { owner: 'somebody' } } };
  world.server.patch(resources.virtualMachines, refOf(machine), { type: 'merge', body }, 'user');
};

const isLauncherOf =
  ({ name }: PlannedMachine) =>
  ({ metadata }: KubeObject): boolean =>
    metadata.labels?.['kubevirt.io'] === 'virt-launcher' && metadata.annotations?.['kubevirt.io/domain'] === name;

/** What people do to a machine, each through the way it is done in a real cluster. */
const machineDeeds: Readonly<Record<MachineAct, (world: World, machine: PlannedMachine) => void>> = {
  start: ({ people }, machine) => people.start(refOf(machine)),
  stop: ({ people }, machine) => people.stop(refOf(machine)),
  'stop at once': ({ people }, machine) => people.stop(refOf(machine), 0),
  'guest shutdown': ({ people }, machine) => people.guestShutdown(refOf(machine)),
  'guest crash': ({ people }, machine) => people.guestCrash(refOf(machine)),
  'delete the VMI': ({ people }, machine) => people.deleteVmi(refOf(machine)),
  restart: ({ people }, machine) => people.restart(refOf(machine)),
  'pause the guest': ({ people }, machine) => people.pause(refOf(machine)),
  'unpause the guest': ({ people }, machine) => people.unpause(refOf(machine)),
  migrate: ({ people }, machine) => people.migrate(refOf(machine)),
  'cancel a migration': cancelMigration,
  'set Always': ({ people }, machine) => people.setRunStrategy(refOf(machine), 'Always'),
  'set Halted': ({ people }, machine) => people.setRunStrategy(refOf(machine), 'Halted'),
  'set Manual': ({ people }, machine) => people.setRunStrategy(refOf(machine), 'Manual'),
  'set RerunOnFailure': ({ people }, machine) => people.setRunStrategy(refOf(machine), 'RerunOnFailure'),
  'label the VM': labelVm,
  'edit the CPU': editCpu,
  'delete a copy client': (world, machine) =>
    world.people.deletePod(anyPod(world, machine, isOfMachine(machine, roles.client))),
  'delete a copy server': (world, machine) =>
    world.people.deletePod(anyPod(world, machine, isOfMachine(machine, roles.server))),
  'lose a copy pod': (world, machine) =>
    world.server.remove(resources.pods, anyPod(world, machine, isOfMachine(machine)), 'user', {
      gracePeriodSeconds: 0,
    }),
  'delete a virt-launcher': (world, machine) => world.people.deletePod(anyPod(world, machine, isLauncherOf(machine))),
  'delete the VM': ({ people }, machine) => people.deleteVm(refOf(machine)),
};

const patchSpec = (world: World, migration: PlannedMigration, spec: object): void => {
  world.server.patch(resources.storageMigrations, refOf(migration), { type: 'merge', body: { spec } }, 'user');
};

const machinesOf = (migration: PlannedMigration, fleet: Fleet): readonly object[] =>
  (migrationObject(migration, fleet)['spec'] as { readonly virtualMachines: readonly object[] }).virtualMachines;

const make = (world: World, migration: PlannedMigration, fleet: Fleet): void => {
  world.server.create(resources.storageMigrations, migrationObject(migration, fleet), 'user');
};

/** What people do to a StorageMigration. */
const migrationDeeds: Readonly<
  Record<MigrationAct, (world: World, migration: PlannedMigration, fleet: Fleet) => void>
> = {
  pause: (world, migration) => patchSpec(world, migration, { paused: true }),
  resume: (world, migration) => patchSpec(world, migration, { paused: false }),
  edit: (world, migration) => patchSpec(world, migration, { transfer: { verify: true } }),
  'one server for each': (world, migration) =>
    patchSpec(world, migration, { transfer: { server: 'PerVirtualMachine' } }),
  'delete the sources': (world, migration) => patchSpec(world, migration, { retention: 'DeleteSource' }),
  'drop a machine': (world, migration, fleet) => {
    const machines = machinesOf(migration, fleet);
    if (machines.length > 1) patchSpec(world, migration, { virtualMachines: machines.slice(1) });
  },
  'name all machines': (world, migration, fleet) =>
    patchSpec(world, migration, { virtualMachines: machinesOf(migration, fleet) }),
  delete: (world, migration) => world.server.remove(resources.storageMigrations, refOf(migration), 'user'),
  'make again': make,
};

/** By what an act is called. */
export const deeds = { ofMachine: machineDeeds, ofMigration: migrationDeeds } as const;
