// The moment at which people act in a row: whether it has come, and how it is kept from passing before they do.
import { EMPTY, interval, type Observable } from 'rxjs';
import type { KubeObject } from '../../kube/api.ts';
import { labels, roles } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { Milestone } from './milestones.ts';
import { refOf } from './rowObjects.ts';
import type { Row } from './rows.ts';
import type { Variation } from './variation.ts';
import type { World } from './world.ts';

const phaseOf = (object: KubeObject): unknown => (object['status'] as { readonly phase?: unknown } | undefined)?.phase;

const isRunning = (world: World, name: string, variation: Variation): boolean => {
  const instance = world.server.read(resources.virtualMachineInstances, refOf(name, variation));
  return instance !== undefined && phaseOf(instance) === 'Running';
};

/** RerunOnFailure starts a machine when it is made; it is then stopped to be off. */
const startsByItself = (row: Row, variation: Variation): readonly string[] =>
  variation.strategyOff === 'RerunOnFailure' ? row.machines.flatMap(({ name, on }) => (on ? [] : [name])) : [];

/** Whether every machine that is on at the start runs. */
export const areAsTheyBegin = (world: World, row: Row, variation: Variation): boolean =>
  [...row.machines.flatMap(({ name, on }) => (on ? [name] : [])), ...startsByItself(row, variation)].every((name) =>
    isRunning(world, name, variation),
  );

/** Stops those that started by themselves and are to be off. */
export const stopThoseThatAreOff = (world: World, row: Row, variation: Variation): void => {
  for (const name of startsByItself(row, variation)) world.people.stop(refOf(name, variation));
};

/** Whether every machine that is off at the start is. */
export const areOff = (world: World, row: Row, variation: Variation): boolean =>
  row.machines.every(
    ({ name, on }) => on || world.server.read(resources.virtualMachineInstances, refOf(name, variation)) === undefined,
  );

/** Keeps live copies from being through before people have acted. */
export const holdBack = (world: World, row: Row, variation: Variation): void => {
  for (const { name, on } of row.machines) {
    if (!on) continue;
    world.kubeVirt.nodeSide(refOf(name, variation), {
      copy: 'hold',
      ...(row.moment === 'second launcher pending' ? { target: 'hold' as const } : {}),
    });
  }
};

/** Lets go what was held back. */
export const release = (world: World, row: Row, variation: Variation): void => {
  for (const { name } of row.machines) {
    world.kubeVirt.nodeSide(refOf(name, variation), { copy: 'succeed', target: 'release' });
  }
};

const secondLauncher = (world: World, name: string, variation: Variation): KubeObject | undefined =>
  world.server
    .all(resources.pods, variation.namespace)
    .find(
      (pod) =>
        pod.metadata.labels?.['kubevirt.io/migrationJobUID'] !== undefined &&
        pod.metadata.annotations?.['kubevirt.io/domain'] === name,
    );

const saysThatItCopies = (world: World, client: KubeObject): boolean =>
  phaseOf(client) === 'Running' && world.server.log(client.metadata).includes('"t":"progress"');

/** What pods say is no write: it is looked at now and then. */
export const spokenOf = ({ copyPods }: Variation): Observable<unknown> =>
  copyPods === 'copying' ? interval(100) : EMPTY;

/** Whether the moment of the row has come for every machine. */
export const hasCome = (world: World, row: Row, variation: Variation, seen: readonly Milestone[]): boolean => {
  const copyPods = world.server
    .all(resources.pods, variation.namespace)
    .filter((pod) => pod.metadata.labels?.[labels.role] !== undefined);
  const clients = copyPods.filter((pod) => pod.metadata.labels?.[labels.role] === roles.client);
  const machinesOff = row.machines.filter(({ on }) => !on).length;
  const copiesBegan =
    clients.length === machinesOff * variation.disksEach &&
    (variation.copyPods !== 'running' || copyPods.every((pod) => phaseOf(pod) === 'Running')) &&
    (variation.copyPods !== 'copying' || clients.every((pod) => saysThatItCopies(world, pod)));
  return row.machines.every(({ name, on }) => {
    if (!on) return copiesBegan;
    const phase = phaseOf(secondLauncher(world, name, variation) ?? ({} as KubeObject));
    if (row.moment === 'second launcher runs') return phase === 'Running';
    if (row.moment === 'second launcher pending') return phase === 'Pending';
    return seen.some(({ what }) => what === `live migration of ${name} begins`);
  });
};
