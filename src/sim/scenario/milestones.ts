// Reads from the accepted writes of a simulated cluster what a person would tell of a migration: which copy pods came
// and went, when volumes were patched, when launchers were gone. Demo, tests and checks all speak in these.
import { concatMap, from, type Observable } from 'rxjs';
import type { KubeObject } from '../../kube/api.ts';
import { annotations, labels, roles } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { Change } from '../cluster.ts';

/** One machine of a scenario with its disks. */
export interface Cast {
  readonly name: string;
  readonly namespace: string;
  readonly disks: readonly { readonly volume: string; readonly source: string; readonly target: string }[];
}

export interface Milestone {
  readonly atMs: number;
  /**
   * What happened, in fixed words: `server created`, `server gone`, `server 2 created`, `client of a created`,
   * `client of a deleted`, `client of a gone`, `copy of a complete`, `live migration of a begins`, `a switched over`,
   * `a reverted`, `a cut over`, `launchers of a gone`, `VMI of a gone`, `VMI of a created`, `a is done`; and, from
   * playRow, `people start a`, `people stop a`.
   * With several disks the words come once, with the last of them.
   */
  readonly what: string;
  /** The machine it is about; undefined for a server. */
  readonly machine: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>(
    (found, key) => (typeof found === 'object' && found !== null ? (found as Fields)[key] : undefined),
    value,
  );

/** Claims by volume name in a VM's template. */
const claimsInSpec = (machine: KubeObject | undefined): ReadonlyMap<string, string> => {
  const volumes = at(machine, 'spec', 'template', 'spec', 'volumes');
  const found = new Map<string, string>();
  for (const volume of Array.isArray(volumes) ? volumes : []) {
    const claim = at(volume, 'persistentVolumeClaim', 'claimName') ?? at(volume, 'dataVolume', 'name');
    if (typeof claim === 'string') found.set(String(at(volume, 'name')), claim);
  }
  return found;
};

const sideOf = (machine: KubeObject | undefined, cast: Cast): 'source' | 'target' | 'other' => {
  const claims = claimsInSpec(machine);
  if (cast.disks.every((disk) => claims.get(disk.volume) === disk.target)) return 'target';
  return cast.disks.every((disk) => claims.get(disk.volume) === disk.source) ? 'source' : 'other';
};

const isDeleting = (object: KubeObject | undefined): boolean => object?.metadata.deletionTimestamp !== undefined;

const launcherOwner = (pod: KubeObject): string | undefined =>
  pod.metadata.labels?.['kubevirt.io'] === 'virt-launcher'
    ? pod.metadata.annotations?.['kubevirt.io/domain']
    : undefined;

/** What one scenario has seen so far. */
interface Seen {
  readonly clients: Map<string, Set<string>>;
  readonly complete: Map<string, Set<string>>;
  readonly launchers: Map<string, Set<string>>;
  /** Machines that have a VMI which is not final. */
  readonly instances: Set<string>;
  servers: number;
}

const setOf = (map: Map<string, Set<string>>, key: string): Set<string> => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const fresh = new Set<string>();
  map.set(key, fresh);
  return fresh;
};

/** Turns the writes into milestones of the machines in `cast`; `now` reads the clock of the cluster. */
export const milestonesOf = (
  changes: Observable<Change>,
  cast: readonly Cast[],
  now: () => number,
): Observable<Milestone> => {
  const seen: Seen = {
    clients: new Map(),
    complete: new Map(),
    launchers: new Map(),
    instances: new Set(),
    servers: 0,
  };
  return changes.pipe(
    concatMap((change) =>
      from(wordsFor(change, cast, seen).map(({ what, machine }): Milestone => ({ atMs: now(), what, machine }))),
    ),
  );
};

type Words = Omit<Milestone, 'atMs'>;

const wordsFor = (change: Change, cast: readonly Cast[], seen: Seen): readonly Words[] => {
  const { namespace } = change.object.metadata;
  const here = cast.filter((machine) => machine.namespace === namespace);
  switch (change.resource.plural) {
    case resources.virtualMachines.plural:
      return here.flatMap((machine) =>
        machine.name === change.object.metadata.name ? wordsForMachine(change, machine, seen) : [],
      );
    case resources.virtualMachineInstances.plural:
      return here.flatMap((machine) =>
        machine.name === change.object.metadata.name ? wordsForInstance(change, machine, seen) : [],
      );
    case resources.pods.plural:
      return wordsForPod(change, here, seen);
    case resources.storageMigrations.plural:
      return here.flatMap((machine) => wordsForStatus(change, machine));
    default:
      return [];
  }
};

const wordsForMachine = (change: Change, machine: Cast, seen: Seen): readonly Words[] => {
  const [before, after] = [sideOf(change.previous, machine), sideOf(change.object, machine)];
  if (change.type !== 'modified' || before === after) return [];
  const words = (what: string): readonly Words[] => [{ what, machine: machine.name }];
  if (after === 'source') return words(`${machine.name} reverted`);
  if (after !== 'target') return [];
  return words(
    seen.instances.has(machine.name) ? `live migration of ${machine.name} begins` : `${machine.name} cut over`,
  );
};

const readyTimestamp = (instance: KubeObject | undefined): unknown =>
  at(instance, 'status', 'migrationState', 'targetNodeDomainReadyTimestamp');

const wordsForInstance = (change: Change, machine: Cast, seen: Seen): readonly Words[] => {
  const { name } = machine;
  if (change.type === 'added') {
    seen.instances.add(name);
    return [{ what: `VMI of ${name} created`, machine: name }];
  }
  if (change.type === 'deleted') {
    seen.instances.delete(name);
    return [{ what: `VMI of ${name} gone`, machine: name }];
  }
  const phase = at(change.object, 'status', 'phase');
  // A guest that has ended under Manual leaves its VMI lying; nothing is under a guest any more.
  if (phase === 'Succeeded' || phase === 'Failed') seen.instances.delete(name);
  const switched = readyTimestamp(change.previous) === undefined && readyTimestamp(change.object) !== undefined;
  return switched ? [{ what: `${name} switched over`, machine: name }] : [];
};

const wordsForPod = (change: Change, cast: readonly Cast[], seen: Seen): readonly Words[] => {
  const pod = change.object;
  const role = pod.metadata.labels?.[labels.role];
  if (cast.length === 0) return [];
  if (role === roles.server) return wordsForServer(change, seen);
  if (role === roles.client) {
    const machine = cast.find((candidate) => candidate.name === pod.metadata.annotations?.[annotations.virtualMachine]);
    return machine === undefined ? [] : wordsForClient(change, machine, seen);
  }
  const owner = launcherOwner(pod);
  if (owner === undefined || cast.every((machine) => machine.name !== owner)) return [];
  const launchers = setOf(seen.launchers, owner);
  const uid = pod.metadata.uid ?? '';
  const phase = at(pod, 'status', 'phase');
  const isOver = change.type === 'deleted' || phase === 'Succeeded' || phase === 'Failed';
  if (!isOver) {
    launchers.add(uid);
    return [];
  }
  const wasLast = launchers.delete(uid) && launchers.size === 0;
  return wasLast ? [{ what: `launchers of ${owner} gone`, machine: owner }] : [];
};

const wordsForServer = (change: Change, seen: Seen): readonly Words[] => {
  if (change.type === 'added') seen.servers += 1;
  const name = seen.servers > 1 ? `server ${seen.servers}` : 'server';
  if (change.type === 'added') return [{ what: `${name} created`, machine: undefined }];
  if (change.type === 'deleted') {
    // A pod that no node had taken yet goes at once.
    const atOnce = isDeleting(change.previous) ? [] : [{ what: `${name} deleted`, machine: undefined }];
    return [...atOnce, { what: `${name} gone`, machine: undefined }];
  }
  return isDeleting(change.object) && !isDeleting(change.previous)
    ? [{ what: `${name} deleted`, machine: undefined }]
    : [];
};

const wordsForClient = (change: Change, machine: Cast, seen: Seen): readonly Words[] => {
  const clients = setOf(seen.clients, machine.name);
  const uid = change.object.metadata.uid ?? '';
  const volume = change.object.metadata.annotations?.[annotations.volume] ?? '';
  const words: Words[] = [];
  const say = (what: string): void => {
    words.push({ what, machine: machine.name });
  };
  if (change.type === 'added') {
    clients.add(uid);
    if (clients.size === machine.disks.length) say(`client of ${machine.name} created`);
  }
  const becameDeleting = isDeleting(change.object) && !isDeleting(change.previous);
  const phase = at(change.object, 'status', 'phase');
  const succeeded = phase === 'Succeeded' && at(change.previous, 'status', 'phase') !== 'Succeeded';
  if (succeeded && change.type === 'modified') {
    const complete = setOf(seen.complete, machine.name);
    complete.add(volume);
    if (complete.size === machine.disks.length) say(`copy of ${machine.name} complete`);
  }
  const wentAtOnce = change.type === 'deleted' && !isDeleting(change.previous);
  if ((wentAtOnce || (change.type === 'modified' && becameDeleting)) && phase !== 'Succeeded')
    say(`client of ${machine.name} deleted`);
  if (change.type === 'deleted') {
    clients.delete(uid);
    if (clients.size === 0) say(`client of ${machine.name} gone`);
  }
  return words;
};

const isDone = (migration: KubeObject | undefined, machine: Cast): boolean => {
  const entries = at(migration, 'status', 'virtualMachines');
  return (Array.isArray(entries) ? entries : []).some(
    (entry) => at(entry, 'name') === machine.name && at(entry, 'mode') === 'Done',
  );
};

const wordsForStatus = (change: Change, machine: Cast): readonly Words[] =>
  isDone(change.object, machine) && !isDone(change.previous, machine)
    ? [{ what: `${machine.name} is done`, machine: machine.name }]
    : [];
