// Lets a planned fleet happen in a simulated cluster: makes machines and StorageMigrations and lets people act when the
// plan says so. People ask nobody and are told off by the server now and then; the daemon is somebody else's to run.
import { asyncScheduler, Subscription } from 'rxjs';
import { KubeFailure, type KubeObject } from '../../kube/api.ts';
import { annotations, labels } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { Act, Fleet, PlannedMachine, PlannedMigration } from './fleet.ts';
import { ensureNamespace, type World } from './world.ts';

const refOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }) => ({ namespace, name });

/** Whatever the server refuses people shrug off. */
const attempt = (act: () => void): void => {
  try {
    act();
  } catch (refusal) {
    if (!(refusal instanceof KubeFailure)) throw refusal;
  }
};

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

const diskOptions = {
  claim: {},
  dataVolume: { dataVolume: 'plain' },
  template: { dataVolume: 'template' },
  hotplug: { hotplug: true },
} as const;

/** Makes the machines; those that people start are started. */
export const makeFleet = (world: World, fleet: Fleet): void => {
  for (const machine of fleet.machines) {
    ensureNamespace(world.server, machine.namespace);
    const ref = world.people.createVm({
      name: machine.name,
      namespace: machine.namespace,
      runStrategy: machine.runStrategy,
      disks: machine.disks.map((disk, index) => ({
        name: disk.volume,
        claim: disk.source,
        ...(machine.targetsExist ? { target: disk.target } : {}),
        ...diskOptions[machine.diskKinds[index] ?? 'claim'],
      })),
    });
    world.kubeVirt.nodeSide(ref, { liveCopyMs: machine.liveCopyMs, ...(machine.failures > 0 ? { copy: 'fail' } : {}) });
    if (machine.started) attempt(() => world.people.start(ref));
  }
};

const actOnMachine = (world: World, machine: PlannedMachine, what: Extract<Act, { kind: 'machine' }>['what']): void => {
  const ref = refOf(machine);
  switch (what) {
    case 'start':
      world.people.start(ref);
      return;
    case 'stop':
      world.people.stop(ref);
      return;
    case 'stop at once':
      world.people.stop(ref, 0);
      return;
    case 'guest shutdown':
      world.people.guestShutdown(ref);
      return;
    case 'guest crash':
      world.people.guestCrash(ref);
      return;
    case 'delete the VMI':
      world.people.deleteVmi(ref);
      return;
    case 'restart':
      world.people.restart(ref);
      return;
    case 'pause the guest':
      world.people.pause(ref);
      return;
    case 'unpause the guest':
      world.people.unpause(ref);
      return;
    case 'migrate':
      world.people.migrate(ref);
      return;
    case 'delete a copy pod': {
      const pod = world.server
        .all(resources.pods, machine.namespace)
        .find(
          ({ metadata }) =>
            metadata.labels?.[labels.role] !== undefined &&
            metadata.annotations?.[annotations.virtualMachine] === machine.name,
        );
      if (pod !== undefined) world.people.deletePod({ namespace: machine.namespace, name: pod.metadata.name });
      return;
    }
    default:
      what satisfies never;
  }
};

const patchSpec = (world: World, migration: PlannedMigration, spec: object): void => {
  world.server.patch(resources.storageMigrations, refOf(migration), { type: 'merge', body: { spec } }, 'user');
};

const actOnMigration = (
  world: World,
  migration: PlannedMigration,
  fleet: Fleet,
  what: Extract<Act, { kind: 'migration' }>['what'],
): void => {
  switch (what) {
    case 'pause':
      patchSpec(world, migration, { paused: true });
      return;
    case 'resume':
      patchSpec(world, migration, { paused: false });
      return;
    case 'edit':
      patchSpec(world, migration, { transfer: { verify: true } });
      return;
    case 'drop a machine': {
      const object = migrationObject(migration, fleet)['spec'] as { readonly virtualMachines: readonly object[] };
      if (object.virtualMachines.length > 1)
        patchSpec(world, migration, { virtualMachines: object.virtualMachines.slice(1) });
      return;
    }
    case 'delete':
      world.server.remove(resources.storageMigrations, refOf(migration), 'user');
      return;
    default:
      what satisfies never;
  }
};

const carryOut = (world: World, fleet: Fleet, act: Act): void => {
  if (act.kind === 'machine') {
    const machine = fleet.machines[act.machine];
    if (machine !== undefined) attempt(() => actOnMachine(world, machine, act.what));
    return;
  }
  const migration = fleet.migrations[act.migration];
  if (migration !== undefined) attempt(() => actOnMigration(world, migration, fleet, act.what));
};

/** Schedules all that the plan says, from now on; unsubscribing ends it. */
export const letHappen = (world: World, fleet: Fleet): Subscription => {
  const subscription = new Subscription();
  const at = (ms: number, act: () => void): void => {
    subscription.add(asyncScheduler.schedule(act, ms));
  };
  for (const migration of fleet.migrations) {
    at(migration.createdAtMs, () =>
      world.server.create(resources.storageMigrations, migrationObject(migration, fleet), 'user'),
    );
  }
  for (const act of fleet.acts) at(act.atMs, () => carryOut(world, fleet, act));
  return subscription;
};

/** People go home: copies succeed from now on, guests run on, and no migration stays paused. */
export const quieten = (world: World, fleet: Fleet): void => {
  for (const machine of fleet.machines) {
    world.kubeVirt.nodeSide(refOf(machine), { copy: 'succeed' });
    attempt(() => world.people.unpause(refOf(machine)));
  }
  for (const migration of fleet.migrations) attempt(() => patchSpec(world, migration, { paused: false }));
};
