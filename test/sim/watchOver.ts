// The one checker that every test of the daemon on the simulated cluster runs under: it asks every law about every
// machine after every accepted write. The first break is what counts; it is told with the law, the moment, and the last
// writes that had to do with it.
import type { Subscription } from 'rxjs';
import type { KubeObject } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Change } from '../../src/sim/cluster.ts';
import type { World } from '../../src/sim/scenario/world.ts';
import { type Bounds, laws } from './laws.ts';
import type { Network } from './network.ts';
import { type Lag, type Past, pastOf } from './past.ts';
import { at, type Machine, type Sight, sight, sightOf } from './sight.ts';

export interface WatchOptions {
  readonly bounds: Bounds;
  /** How long ago the daemon of that name was started, in ms. */
  readonly ageOf: (actor: string) => number;
  /** Absent: nothing goes wrong between daemon and server. */
  readonly network?: Network | undefined;
  readonly lag: Lag;
  /** Called once, with the first break. */
  readonly onBroken: (report: string) => void;
}

export interface Watch {
  readonly subscription: Subscription;
  /** Whether this machine booted on a half-copied B while no daemon could prevent it. */
  isSpoiled(machine: Machine): boolean;
  /** The last writes, for reports. */
  recent(count: number, machine?: Machine): readonly string[];
}

export const isDaemon = (actor: string): boolean => actor.startsWith('daemon');

const told = 30;

const briefly = (object: KubeObject): string => {
  const fields: readonly (readonly string[])[] = [
    ['spec', 'runStrategy'],
    ['spec', 'running'],
    ['status', 'stateChangeRequests'],
    ['status', 'phase'],
    ['status', 'printableStatus'],
    ['status', 'nodeName'],
    ['status', 'migrationState', 'targetNodeDomainReadyTimestamp'],
    ['status', 'migrationState', 'endTimestamp'],
    ['status', 'migrationState', 'failed'],
  ];
  const words = fields.flatMap((path) => {
    const value = at(object, ...path);
    if (value === undefined) return [];
    return [`${path.at(-1)}=${typeof value === 'string' ? value : JSON.stringify(value)}`];
  });
  const claims = at(object, 'spec', 'template', 'spec', 'volumes') ?? at(object, 'spec', 'volumes');
  const names = (Array.isArray(claims) ? claims : []).flatMap(
    (volume) => at(volume, 'persistentVolumeClaim', 'claimName') ?? at(volume, 'dataVolume', 'name') ?? [],
  );
  const machines = at(object, 'status', 'virtualMachines');
  const entries = (Array.isArray(machines) ? machines : []).map((each) => {
    const record = Object.keys((at(each, 'record') as object | undefined) ?? {}).filter(
      (name) => !['vmUid', 'disks'].includes(name),
    );
    return `${at(each, 'name')}:${at(each, 'mode')}/${at(each, 'phase')}{${record.join(' ')}}`;
  });
  const deleting = object.metadata.deletionTimestamp === undefined ? [] : ['deleting'];
  return [...deleting, ...words, ...(names.length > 0 ? [`on ${names.join(',')}`] : []), ...entries].join(' ');
};

const isRelevant = (change: Change, machine: Machine): boolean => {
  const { resource, object } = change;
  if (object.metadata.namespace !== machine.namespace) return false;
  switch (resource.plural) {
    case 'virtualmachines':
    case 'virtualmachineinstances':
      return object.metadata.name === machine.name;
    case 'virtualmachineinstancemigrations':
      return at(object, 'spec', 'vmiName') === machine.name;
    case 'pods':
      return sight.mountsAny(object, machine) || object.metadata.annotations?.['kubevirt.io/domain'] === machine.name;
    case 'events':
      return false;
    case 'persistentvolumeclaims':
    case 'datavolumes':
      return machine.disks.some(({ source, target }) => [source, target].includes(object.metadata.name));
    default:
      return true;
  }
};

/** Watches over the machines until unsubscribed. */
export const watchOver = (world: World, cast: readonly Machine[], options: WatchOptions): Watch => {
  const see: Sight = sightOf(world, cast);
  const startMs = world.server.now();
  const history: { readonly atMs: number; readonly change: Change }[] = [];
  const watched = cast.map((machine) => ({
    machine,
    ...pastOf(world, machine, see, options.network?.excuse ?? (() => false), options.lag),
  }));
  let isBroken = false;

  const recent = (count: number, machine?: Machine): readonly string[] =>
    history
      .filter(
        ({ change }) => change.resource.plural !== 'events' && (machine === undefined || isRelevant(change, machine)),
      )
      .slice(-count)
      .map(
        ({ atMs, change }) =>
          `${String(atMs).padStart(8)} ${change.actor.padEnd(16)} ${sight.describe(change)} ${briefly(change.object)}`,
      );

  const report = (name: string, says: string, machine: Machine, found: string): void => {
    isBroken = true;
    options.onBroken(
      [
        `LAW BROKEN: ${name}`,
        `  ${says}`,
        `  ${machine.namespace}/${machine.name} at ${world.server.now() - startMs} ms: ${found}`,
        '  the last writes:',
        ...recent(told, machine).map((line) => `  ${line}`),
      ].join('\n'),
    );
  };

  const ask = (change: Change, machine: Machine, past: Past, ours: boolean): void => {
    // Faults may hold a revert up, but only while they do.
    const isUndisturbed = options.network?.excuse(past.endingSinceMs ?? 0, world.server.now()) === false;
    const revertMs = options.bounds.revertMs ?? (isUndisturbed ? options.lag.revertMs : undefined);
    const held = ours ? (options.network?.heldUpMs(change) ?? 0) : 0;
    const moment = {
      atMs: world.server.now(),
      change,
      machine,
      past,
      see,
      ours,
      daemonAgeMs: ours ? options.ageOf(change.actor) : Number.POSITIVE_INFINITY,
      bounds: {
        ...options.bounds,
        revertMs,
        blindMs: options.bounds.blindMs + held + (options.network?.staleMs() ?? 0),
      },
    };
    for (const { name, says, broken } of laws) {
      const found = broken(moment);
      if (found === undefined) continue;
      report(name, says, machine, found);
      return;
    }
  };

  const subscription = world.server.changes$.subscribe((change) => {
    if (isBroken) return;
    history.push({ atMs: world.server.now() - startMs, change });
    const ours = isDaemon(change.actor);
    for (const { machine, past, take } of watched) {
      const isAnothers =
        !isRelevant(change, machine) &&
        !(ours && sight.isDeletion(change) && change.object.metadata.namespace === machine.namespace);
      if (isAnothers || isBroken) continue;
      take(change, ours);
      ask(change, machine, past, ours);
    }
  });
  return {
    subscription,
    isSpoiled: (machine) => watched.find((each) => each.machine === machine)?.past.spoiled === true,
    recent,
  };
};

/** Resources whose writes the laws look at; for fault plans that aim at them. */
export const judged = [
  resources.virtualMachines,
  resources.virtualMachineInstances,
  resources.virtualMachineInstanceMigrations,
  resources.pods,
  resources.persistentVolumeClaims,
  resources.storageMigrations,
] as const;
