// Lets a planned fleet happen in a simulated cluster: makes machines and StorageMigrations and lets people act when the
// plan says so. People ask nobody and are told off by the server now and then; the daemon is somebody else's to run.
import { asyncScheduler, Subscription } from 'rxjs';
import { KubeFailure } from '../../kube/api.ts';
import type { Act, Fleet } from './fleet.ts';
import { deeds } from './fleetDeeds.ts';
import { ensureNamespace, type World } from './world.ts';

/** Whatever the server refuses people shrug off; false when it did. */
const attempt = (act: () => void): boolean => {
  try {
    act();
    return true;
  } catch (refusal) {
    if (!(refusal instanceof KubeFailure)) throw refusal;
    return false;
  }
};

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

/** Does what the act says; false when the server refused it, or when nothing was there to be acted on. */
const carryOut = (world: World, fleet: Fleet, act: Act): boolean => {
  if (act.kind === 'machine') {
    const machine = fleet.machines[act.machine];
    return machine !== undefined && attempt(() => deeds.ofMachine[act.what](world, machine));
  }
  const migration = fleet.migrations[act.migration];
  return migration !== undefined && attempt(() => deeds.ofMigration[act.what](world, migration, fleet));
};

/** What takes the first chance it gets: it needs something that is there only for a while. */
const patient = new Set<Act['what']>([
  'cancel a migration',
  'pause the guest',
  'migrate',
  'restart',
  'delete a copy client',
  'delete a copy server',
  'lose a copy pod',
  'delete a virt-launcher',
]);

/** How often it is tried, in ms. */
const patienceMs = 300;

/** Schedules all that the plan says, from now on, and tells of each act that was carried out; unsubscribing ends it. */
export const letHappen = (world: World, fleet: Fleet, told: (act: Act) => void = () => undefined): Subscription => {
  const subscription = new Subscription();
  const at = (ms: number, act: () => void): void => {
    subscription.add(asyncScheduler.schedule(act, ms));
  };
  for (const migration of fleet.migrations) {
    at(migration.createdAtMs, () => attempt(() => deeds.ofMigration['make again'](world, migration, fleet)));
  }
  const startedMs = world.server.now();
  const doIt = (act: Act): void => {
    if (carryOut(world, fleet, act)) told(act);
    else if (patient.has(act.what) && world.server.now() - startedMs + patienceMs < fleet.quietAtMs) {
      at(patienceMs, () => doIt(act));
    }
  };
  for (const act of fleet.acts) at(act.atMs, () => doIt(act));
  return subscription;
};

/** People go home: copies succeed from now on, guests run on, and no migration stays paused. */
export const quieten = (world: World, fleet: Fleet): void => {
  for (const { namespace, name } of fleet.machines) {
    world.kubeVirt.nodeSide({ namespace, name }, { copy: 'succeed' });
    attempt(() => world.people.unpause({ namespace, name }));
  }
  for (const migration of fleet.migrations) attempt(() => deeds.ofMigration.resume(world, migration, fleet));
};
