// One random schedule from its seed: a fleet, people, and a network with faults and a daemon that dies now and then, in
// which no law may be broken; then quiet, in which everything must come to its end. What may remain is what law 7 leaves
// to a person, and where a person can answer, it is answered, and that too must come to its end.
import { asyncScheduler, concat, defer, filter, ignoreElements, map, type Observable, of, take, timer } from 'rxjs';
import type { KubeObject } from '../../src/kube/api.ts';
import { labels } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import { seededRandom } from '../../src/sim/apiServer/seededRandom.ts';
import type { EventFault, RequestFault } from '../../src/sim/cluster.ts';
import {
  between,
  type Fleet,
  type FleetOptions,
  oneOf,
  type PlannedMachine,
  planFleet,
} from '../../src/sim/scenario/fleet.ts';
import { letHappen, makeFleet, quieten } from '../../src/sim/scenario/playFleet.ts';
import type { WorldOptions } from '../../src/sim/scenario/world.ts';
import { type Network, networkOf } from './network.ts';
import { at, sight } from './sight.ts';
import { perform, type Stage } from './stage.ts';

export interface FleetResult {
  readonly machines: number;
  readonly done: number;
  /** Machines that were given back to people because their migration was deleted or no longer names them. */
  readonly cancelled: number;
  /** Machines left to a person, by reason. */
  readonly attention: readonly string[];
  readonly faults: readonly string[];
}

type Random = () => number;

const requestFaults: readonly [(random: Random) => RequestFault, ...((random: Random) => RequestFault)[]] = [
  () => ({ kind: 'refuse', code: 409, reason: 'Conflict' }),
  () => ({ kind: 'refuse', code: 429, reason: 'TooManyRequests', retryAfterSeconds: 1 }),
  () => ({ kind: 'refuse', code: 500, reason: 'InternalError' }),
  (random) => ({ kind: 'slow', ms: between(random, 10, 600) }),
  () => ({ kind: 'hang' }),
  (random) => ({ kind: 'land', ms: between(random, 1, 1400), answer: random() < 0.5 ? 'unknown' : 'never' }),
];

const eventFaults: readonly [(random: Random) => EventFault, ...((random: Random) => EventFault)[]] = [
  (random) => ({ kind: 'delay', ms: between(random, 5, 800) }),
  () => ({ kind: 'duplicate' }),
  () => ({ kind: 'cut' }),
  () => ({ kind: 'expire' }),
];

const planNetwork = (random: Random): Network => {
  const requestRate = random() < 0.5 ? 0 : random() * 0.15;
  const eventRate = random() < 0.5 ? 0 : random() * 0.05;
  return networkOf(
    {
      request: ({ verb }) => {
        if (random() >= requestRate) return undefined;
        const fault = oneOf(random, requestFaults)(random);
        return verb === 'watch' && fault.kind !== 'refuse' ? undefined : fault;
      },
      event: () => (random() < eventRate ? oneOf(random, eventFaults)(random) : undefined),
    },
    1,
  );
};

const worldOf = (random: Random, fleet: Fleet, network: Network): WorldOptions => {
  const cacheMs = random() < 0.08 ? between(random, 20, 300) : 0;
  // KubeVirt may start a VM from what it was: no controller can prevent that (contract §4.6).
  if (cacheMs > 0) network.trouble(0, Number.POSITIVE_INFINITY);
  const failed = new Map<string, number>();
  return {
    kubeVirt: {
      random,
      jitter: 0.4,
      vmCacheDelayMs: cacheMs,
      launcherTimeoutMs: 30_000,
      accidents: { losesMigrationRecord: 0.2, failsFirstUpdate: 0.1 },
    },
    copy: {
      durationMs: (client) => machineOfPod(fleet, client)?.offlineCopyMs ?? 1000,
      failure: (client) => {
        const machine = machineOfPod(fleet, client);
        const before = failed.get(client.metadata.name) ?? 0;
        if (machine === undefined || before >= machine.failures) return undefined;
        failed.set(client.metadata.name, before + 1);
        return { exitCode: 12, share: 0.5 };
      },
    },
  };
};

const machineOfPod = (fleet: Fleet, pod: KubeObject): PlannedMachine | undefined =>
  fleet.machines.find((machine) => machine.namespace === pod.metadata.namespace && sight.mountsAny(pod, machine));

/** The daemon dies at random and is away for a moment or for longer. */
const planDeaths = (random: Random, stage: Stage, network: Network, untilMs: number): void => {
  const deaths = random() < 0.5 ? 0 : between(random, 1, 3);
  for (let count = 0; count < deaths; count += 1) {
    const awayMs = random() < 0.6 ? between(random, 0, 100) : between(random, 100, 6000);
    asyncScheduler.schedule(
      () => {
        stage.kill();
        network.trouble(stage.world.server.now(), awayMs + 100);
        asyncScheduler.schedule(() => stage.start(), awayMs);
      },
      between(random, 0, untilMs),
    );
  }
};

interface Standing {
  readonly machine: PlannedMachine;
  readonly kind: 'done' | 'attention' | 'cancelled' | 'open';
  readonly why: string;
}

const entryFor = (stage: Stage, { namespace, name }: PlannedMachine): unknown => {
  for (const migration of stage.world.server.all(resources.storageMigrations, namespace)) {
    const entries = at(migration, 'status', 'virtualMachines');
    const found = (Array.isArray(entries) ? entries : []).find((each) => at(each, 'name') === name);
    if (found !== undefined) return found;
  }
  return undefined;
};

const isNamed = (stage: Stage, { namespace, name }: PlannedMachine): boolean =>
  stage.world.server.all(resources.storageMigrations, namespace).some((migration) => {
    const wanted = at(migration, 'spec', 'virtualMachines');
    return (
      migration.metadata.deletionTimestamp === undefined &&
      (Array.isArray(wanted) ? wanted : []).some((each) => at(each, 'name') === name)
    );
  });

const standingOf = (stage: Stage, machine: PlannedMachine): Standing => {
  const entry = entryFor(stage, machine);
  const standing = (kind: Standing['kind'], why: string): Standing => ({ machine, kind, why });
  if (entry === undefined) {
    return isNamed(stage, machine) ? standing('open', 'it has no entry') : standing('cancelled', '');
  }
  const reason = String(at(entry, 'reason'));
  if (at(entry, 'mode') === 'Done') return standing('done', reason);
  if (at(entry, 'phase') === 'NeedsAttention' || at(entry, 'phase') === 'Refused') return standing('attention', reason);
  return standing('open', `${at(entry, 'phase')}: ${at(entry, 'message')} Waits for ${at(entry, 'waitingFor')}`);
};

const areAllSettled = (stage: Stage, fleet: Fleet): boolean =>
  fleet.machines.every((machine) => standingOf(stage, machine).kind !== 'open') &&
  stage.world.server.all(resources.storageMigrations).every(({ metadata }) => metadata.deletionTimestamp === undefined);

/** A person compares the disks, as the message asks, and says which are good (contract §4.2). */
const sayWhichIsGood = (stage: Stage, machine: PlannedMachine): void => {
  const { world } = stage;
  const ref = { namespace: machine.namespace, name: machine.name };
  const onTarget = machine.disks.every((disk) => world.disks.missing(machine, disk.volume, disk.target) === 0);
  const wanted = onTarget ? 'target' : 'source';
  const isThere = sight.sideOf(world.server.read(resources.virtualMachines, ref), machine) === wanted;
  const claims = isThere ? [] : machine.disks.map((disk) => [disk.volume, disk[wanted]] as const);
  world.people.setClaims(ref, Object.fromEntries(claims), 'Replacement');
};

/** People do what the messages ask of them. */
const answer = (stage: Stage, fleet: Fleet): void => {
  for (const machine of fleet.machines) {
    const { why } = standingOf(stage, machine);
    if (why === 'SwitchOverUnknown') sayWhichIsGood(stage, machine);
    if (why === 'BootedOnIncompleteTarget') {
      stage.world.people.stop({ namespace: machine.namespace, name: machine.name });
    }
    if (why === 'RanOnce') {
      stage.world.people.setRunStrategy({ namespace: machine.namespace, name: machine.name }, 'Halted');
    }
  }
};

/** Why a person may be left with a machine, and only where something went wrong that no daemon can mend. */
const excusable = (standing: Standing, stage: Stage): boolean => {
  if (standing.why === 'BootedOnIncompleteTarget') return stage.watch.isSpoiled(standing.machine);
  return false;
};

const judgeOne = (stage: Stage, { machine, kind, why }: Standing): readonly string[] => {
  const name = `${machine.namespace}/${machine.name}`;
  if (stage.watch.isSpoiled(machine)) return [];
  const lost = stage.world.disks
    .lostWrites(machine)
    .map(
      (loss) => `${name}: ${loss.lostBlocks} blocks of ${loss.volume} on ${loss.claim} are not what the guest wrote`,
    );
  const side = sight.sideOf(
    stage.world.server.read(resources.virtualMachines, { namespace: machine.namespace, name: machine.name }),
    machine,
  );
  const wrongSide = kind === 'done' && side !== 'target' ? [`${name} is done and stands on ${side}`] : [];
  const open = kind === 'open' ? [`${name} did not come to an end: ${why}`] : [];
  return [...lost, ...wrongSide, ...open];
};

const judge = (stage: Stage, fleet: Fleet): FleetResult => {
  const standings = fleet.machines.map((machine) => standingOf(stage, machine));
  const attention = standings.filter(({ kind }) => kind === 'attention');
  const pods = stage.world.server
    .all(resources.pods)
    .filter((pod) => pod.metadata.labels?.[labels.role] !== undefined)
    .map((pod) => `${pod.metadata.name} was left behind`);
  return {
    machines: standings.length,
    done: standings.filter(({ kind }) => kind === 'done').length,
    cancelled: standings.filter(({ kind }) => kind === 'cancelled').length,
    attention: attention.map(({ why }) => why),
    faults: [
      ...standings.flatMap((standing) => judgeOne(stage, standing)),
      ...attention
        .filter((standing) => !excusable(standing, stage))
        .map(({ machine, why }) => `${machine.namespace}/${machine.name} was left to a person: ${why}`),
      ...pods,
      ...stage.world.server
        .all(resources.storageMigrations)
        .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
        .map(({ metadata }) => `StorageMigration ${metadata.name} was deleted and does not go`),
    ],
  };
};

const latestEndMs = 900_000;

export interface FleetPerformance {
  readonly fleet: Fleet;
  readonly network?: Network;
  readonly world?: WorldOptions;
  readonly random: Random;
  /** The daemon dies now and then. */
  readonly mortal?: boolean;
}

export interface PlayedFleet {
  readonly result: FleetResult;
  readonly stage: Stage;
  readonly fleet: Fleet;
}

/** Performs a fleet; throws when a law is broken. */
export const performFleet = ({ fleet, network, world, random, mortal }: FleetPerformance): PlayedFleet =>
  perform(
    {
      cast: fleet.machines,
      random,
      limitMs: latestEndMs * 6,
      ...(network === undefined ? {} : { network }),
      ...(world === undefined ? {} : { world }),
    },
    (stage) => {
      const act = (what: () => void): Observable<never> => defer(() => of(what())).pipe(ignoreElements());
      const settled = (): Observable<never> =>
        timer(0, 2000).pipe(
          filter((count) => areAllSettled(stage, fleet) || count * 2000 > latestEndMs),
          take(1),
          ignoreElements(),
        );
      return concat(
        act(() => makeFleet(stage.world, fleet)),
        timer(between(random, 0, 4000)).pipe(ignoreElements()),
        act(() => {
          stage.start();
          if (mortal === true && network !== undefined) planDeaths(random, stage, network, fleet.quietAtMs);
          letHappen(stage.world, fleet);
        }),
        timer(fleet.quietAtMs + 1).pipe(ignoreElements()),
        act(() => {
          network?.calm();
          quieten(stage.world, fleet);
        }),
        timer(10_000).pipe(ignoreElements()),
        settled(),
        // One answer may bring up the next question.
        ...[1, 2, 3].flatMap(() => [act(() => answer(stage, fleet)), timer(20_000).pipe(ignoreElements()), settled()]),
        defer(() => of(judge(stage, fleet))),
      ).pipe(map((result) => ({ result, stage, fleet })));
    },
  );

/** Plays the schedule of a seed. */
export const playedFleet = (seed: number, options: FleetOptions = {}): PlayedFleet => {
  const random = seededRandom(seed * 7919 + 17);
  for (let count = 0; count < 8; count += 1) random();
  const fleet = planFleet(random, options);
  const network = planNetwork(random);
  return performFleet({ fleet, network, world: worldOf(random, fleet, network), random, mortal: true });
};
