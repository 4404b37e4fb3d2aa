// Plays one row of the table on a simulated cluster: makes the machines and the StorageMigration, waits for the row's
// moment, lets people act, and watches until every machine is done. The daemon is somebody else's to run.
import {
  concat,
  defer,
  EMPTY,
  filter,
  ignoreElements,
  interval,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  race,
  Subject,
  share,
  startWith,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { KubeFailure, type KubeObject } from '../../kube/api.ts';
import { labels, roles } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { NewDisk } from '../kubevirt/manifests.ts';
import { judge } from './judge.ts';
import { type Cast, type Milestone, milestonesOf } from './milestones.ts';
import type { Row } from './rows.ts';
import { ensureNamespace, type World } from './world.ts';

/** What the table leaves open. */
export interface Variation {
  readonly namespace: string;
  /** Of machines that are on at the start. */
  readonly strategyOn: 'Always' | 'Manual' | 'RerunOnFailure' | 'running';
  /** Of machines that are off at the start. */
  readonly strategyOff: 'Halted' | 'Manual' | 'RerunOnFailure' | 'stopped';
  readonly stopBy: 'api' | 'guest shutdown' | 'guest crash' | 'deleting the VMI';
  readonly disksEach: number;
  /** How long after the row's moment people act, in ms. */
  readonly delayMs: number;
  readonly server: 'Shared' | 'PerVirtualMachine';
  /** What the disks of each machine are, over and over. Default a plain claim each. */
  readonly diskKinds?: readonly DiskKind[];
  /** What source and target of each disk are, over and over, counted through all machines. Default file systems. */
  readonly volumeModes?: readonly VolumeModes[];
  /** `spec.transfer.bandwidthLimit`. Default none. */
  readonly bandwidthLimit?: string;
  /**
   * The copy pods at the row's moment: kept Pending, all Running, or every client has said that it copies. Default as
   * they happen to be.
   */
  readonly copyPods?: 'pending' | 'running' | 'copying';
  /**
   * Absent: people act at the row's moment. `any`: they act `delayMs` after the migration was made, wherever it stands
   * then; nothing is held back, and only the end is judged.
   */
  readonly moment?: 'any';
  /** People act after this time at the latest, even if the row's moment has not come, in ms. Default they wait. */
  readonly patienceMs?: number;
  /** So often they then change their minds, each time after `gapMs`; a refusal they shrug off. Only the end is judged. */
  readonly flaps?: { readonly times: number; readonly gapMs: number };
  /** The row has failed when it is not through after this time, in ms. */
  readonly timeoutMs: number;
}

/** A claim named as such; through a DataVolume; through a DataVolume made from the machine's template; hotplugged. */
export type DiskKind = 'claim' | 'dataVolume' | 'template' | 'hotplug';

export interface VolumeModes {
  readonly source: 'Filesystem' | 'Block';
  readonly target: 'Filesystem' | 'Block';
}

export const usualVariation: Variation = {
  namespace: 'shop',
  strategyOn: 'Always',
  strategyOff: 'Halted',
  stopBy: 'api',
  disksEach: 1,
  delayMs: 0,
  server: 'Shared',
  timeoutMs: 300_000,
};

export interface RowResult {
  readonly row: Row;
  readonly milestones: readonly Milestone[];
  /** What is wrong, as sentences; empty when the row passed. */
  readonly faults: readonly string[];
  readonly tookMs: number;
  /** Disks whose content was compared with what the guest wrote. */
  readonly verifiedDisks: number;
}

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

const migrationOf = (cast: readonly Cast[], variation: Variation): KubeObject => ({
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

const phaseOf = (object: KubeObject): unknown => (object['status'] as { readonly phase?: unknown } | undefined)?.phase;

/** Plays `row`; emits each milestone as it is seen and the result last. */
export const playRow = (
  world: World,
  row: Row,
  variation: Variation = usualVariation,
): Observable<Milestone | RowResult> =>
  defer(() => {
    const { server } = world;
    const cast = castOf(row, variation);
    const startMs = server.now();
    const seen: Milestone[] = [];
    const people$ = new Subject<Milestone>();
    const milestone$ = merge(
      people$,
      milestonesOf(server.changes$, cast, () => server.now() - startMs),
    ).pipe(
      tap((milestone) => seen.push(milestone)),
      share(),
    );
    /** Completes as soon as `holds`; looks at it with every accepted write, and besides when `also` emits. */
    const until = (holds: () => boolean, also: Observable<unknown> = EMPTY): Observable<never> =>
      merge(server.changes$, also).pipe(
        map(() => undefined),
        startWith(undefined),
        filter(() => holds()),
        take(1),
        ignoreElements(),
      );
    const act = (what: () => void): Observable<never> => defer(() => of(what())).pipe(ignoreElements());
    let letCopyPodsRun = (): void => {};
    const script = concat(
      act(() => ensureNamespace(server, variation.namespace)),
      act(() => makeMachines(world, row, cast, variation)),
      until(() => areAsTheyBegin(world, row, variation)),
      act(() => stopThoseThatAreOff(world, row, variation)),
      until(() => areOff(world, row, variation)),
      act(() => {
        if (variation.moment === undefined) holdBack(world, row, variation);
        if (variation.copyPods === 'pending') {
          letCopyPodsRun = world.nodes.holdContainers((pod) => pod.metadata.labels?.[labels.role] !== undefined);
        }
      }),
      act(() => server.create(resources.storageMigrations, migrationOf(cast, variation), 'user')),
      race(
        until(() => variation.moment === 'any' || hasCome(world, row, variation, seen), spokenOf(variation)),
        variation.patienceMs === undefined ? NEVER : timer(variation.patienceMs / world.speed).pipe(ignoreElements()),
      ),
      timer(variation.delayMs / world.speed).pipe(ignoreElements()),
      act(() =>
        change(world, row, variation, (what, machine) =>
          people$.next({ atMs: server.now() - startMs, what: `people ${what} ${machine}`, machine }),
        ),
      ),
      changeTheirMinds(world, row, variation),
      act(() => {
        release(world, row, variation);
        letCopyPodsRun();
      }),
      until(() => cast.every((machine) => seen.some(({ what }) => what === `${machine.name} is done`))),
    );
    const ended$ = race(
      concat(script, of('through' as const)),
      timer(variation.timeoutMs / world.speed).pipe(map(() => 'late' as const)),
    ).pipe(take(1), share());
    const result = ended$.pipe(
      map((ended) => resultOf(world, row, variation, cast, seen, ended, server.now() - startMs)),
    );
    return merge(milestone$.pipe(takeUntil(ended$)), result);
  });

const resultOf = (
  world: World,
  row: Row,
  variation: Variation,
  cast: readonly Cast[],
  seen: readonly Milestone[],
  ended: 'through' | 'late',
  tookMs: number,
): RowResult => {
  const lost = cast.flatMap((machine) => world.disks.lostWrites({ namespace: machine.namespace, name: machine.name }));
  return {
    row,
    milestones: seen,
    faults: [
      ...(ended === 'late' ? ['not every machine was done in time'] : []),
      ...(variation.moment === undefined && variation.flaps === undefined ? judge(row, seen) : []),
      ...lost.map(
        (loss) =>
          `${loss.vm}: ${loss.lostBlocks} blocks of ${loss.volume} on ${loss.claim} are not what the guest wrote`,
      ),
    ],
    tookMs,
    verifiedDisks: cast.reduce((sum, machine) => sum + machine.disks.length, 0),
  };
};

const makeMachines = (world: World, row: Row, cast: readonly Cast[], variation: Variation): void => {
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

const refOf = (name: string, variation: Variation) => ({ namespace: variation.namespace, name });

const isRunning = (world: World, name: string, variation: Variation): boolean => {
  const instance = world.server.read(resources.virtualMachineInstances, refOf(name, variation));
  return instance !== undefined && phaseOf(instance) === 'Running';
};

/** RerunOnFailure starts a machine when it is made; it is then stopped to be off. */
const startsByItself = (row: Row, variation: Variation): readonly string[] =>
  variation.strategyOff === 'RerunOnFailure' ? row.machines.flatMap(({ name, on }) => (on ? [] : [name])) : [];

const areAsTheyBegin = (world: World, row: Row, variation: Variation): boolean =>
  [...row.machines.flatMap(({ name, on }) => (on ? [name] : [])), ...startsByItself(row, variation)].every((name) =>
    isRunning(world, name, variation),
  );

const stopThoseThatAreOff = (world: World, row: Row, variation: Variation): void => {
  for (const name of startsByItself(row, variation)) world.people.stop(refOf(name, variation));
};

const areOff = (world: World, row: Row, variation: Variation): boolean =>
  row.machines.every(
    ({ name, on }) => on || world.server.read(resources.virtualMachineInstances, refOf(name, variation)) === undefined,
  );

/** Keeps live copies from being through before people have acted. */
const holdBack = (world: World, row: Row, variation: Variation): void => {
  for (const { name, on } of row.machines) {
    if (!on) continue;
    world.kubeVirt.nodeSide(refOf(name, variation), {
      copy: 'hold',
      ...(row.moment === 'second launcher pending' ? { target: 'hold' as const } : {}),
    });
  }
};

const release = (world: World, row: Row, variation: Variation): void => {
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
const spokenOf = ({ copyPods }: Variation): Observable<unknown> => (copyPods === 'copying' ? interval(100) : EMPTY);

/** Whether the moment of the row has come for every machine. */
const hasCome = (world: World, row: Row, variation: Variation, seen: readonly Milestone[]): boolean => {
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

/** `tell` hears of each act just before it is carried out. */
const change = (
  world: World,
  row: Row,
  variation: Variation,
  tell: (what: 'start' | 'stop', machine: string) => void,
): void => {
  for (const name of row.changed) {
    const vm = refOf(name, variation);
    const isOn = row.machines.find((machine) => machine.name === name)?.on === true;
    tell(isOn ? 'stop' : 'start', name);
    if (!isOn) {
      world.people.start(vm);
      continue;
    }
    switch (variation.stopBy) {
      case 'api':
        world.people.stop(vm);
        break;
      case 'guest shutdown':
        world.people.guestShutdown(vm);
        break;
      case 'guest crash':
        world.people.guestCrash(vm);
        break;
      case 'deleting the VMI':
        world.people.deleteVmi(vm);
        break;
      default:
        variation.stopBy satisfies never;
    }
  }
};

const isOnNow = (world: World, name: string, variation: Variation): boolean => {
  const machine = world.server.read(resources.virtualMachines, refOf(name, variation));
  const spec = machine?.['spec'] as { readonly runStrategy?: string; readonly running?: boolean } | undefined;
  if (spec?.runStrategy === 'Halted' || spec?.running === false) return false;
  return world.server.read(resources.virtualMachineInstances, refOf(name, variation)) !== undefined;
};

/** Starts what they stopped and stops what they started, again and again. */
const changeTheirMinds = (world: World, row: Row, variation: Variation): Observable<never> => {
  const { times, gapMs } = variation.flaps ?? { times: 0, gapMs: 0 };
  if (times === 0) return EMPTY;
  return interval(gapMs / world.speed).pipe(
    take(times),
    tap(() => {
      for (const name of row.changed) {
        try {
          if (isOnNow(world, name, variation)) world.people.stop(refOf(name, variation));
          else world.people.start(refOf(name, variation));
        } catch (refusal) {
          if (!(refusal instanceof KubeFailure)) throw refusal;
        }
      }
    }),
    ignoreElements(),
  );
};

/** Tells the result from the milestones before it. */
export const isResult = (item: Milestone | RowResult): item is RowResult => 'faults' in item;
