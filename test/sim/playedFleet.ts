// Plays a random schedule: a fleet, people, a network with faults and daemons that end now and then, in which no law may
// be broken; then quiet, in which everything must come to its end. What may remain is what law 7 leaves to a person, and
// where a person can answer, it is answered, and that too must come to its end.
import { asyncScheduler, concat, defer, filter, ignoreElements, map, type Observable, of, take, timer } from 'rxjs';
import type { KubeObject } from '../../src/kube/api.ts';
import { seededRandom } from '../../src/sim/apiServer/seededRandom.ts';
import type { Fleet, PlannedMachine } from '../../src/sim/scenario/fleet.ts';
import { letHappen, makeFleet, quieten } from '../../src/sim/scenario/playFleet.ts';
import type { WorldOptions } from '../../src/sim/scenario/world.ts';
import { answerAll } from './answers.ts';
import type { Network } from './network.ts';
import { networkWith } from './plannedFaults.ts';
import { isContested, type PlannedEnd, type Schedule } from './schedule.ts';
import { sight } from './sight.ts';
import { perform, type Stage, type StageOptions } from './stage.ts';
import { areAllSettled, type FleetResult, judgeFleet } from './standing.ts';

const machineOfPod = (fleet: Fleet, pod: KubeObject): PlannedMachine | undefined =>
  fleet.machines.find((machine) => machine.namespace === pod.metadata.namespace && sight.mountsAny(pod, machine));

const worldOf = ({ fleet, seed, cacheMs }: Schedule): WorldOptions => {
  const failed = new Map<string, number>();
  return {
    kubeVirt: {
      random: seededRandom(seed * 31 + 5),
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

/** A daemon that has just listed everything knows what the one before it knew. */
const catchUpMs = 100;

const carryOutEnd = (stage: Stage, network: Network, end: PlannedEnd): void => {
  const blind = (forMs: number): void => network.trouble(stage.world.server.now(), forMs + catchUpMs);
  if (end.kind === 'handover') {
    const endOlder = stage.startBeside();
    asyncScheduler.schedule(() => {
      endOlder(end.told ? 'told' : 'killed');
      blind(0);
    }, end.bothMs);
    return;
  }
  if (end.kind === 'restart') stage.tellToEnd();
  else stage.kill();
  blind(end.awayMs);
  asyncScheduler.schedule(() => stage.start(), end.awayMs);
};

/** Longer than the longest that KubeVirt itself waits for anything: 15 minutes for a target launcher. */
const latestEndMs = 2_000_000;
const rounds = 4;

export interface FleetPerformance {
  readonly fleet: Fleet;
  readonly random: () => number;
  readonly network?: Network;
  readonly world?: WorldOptions;
  /** From the making of the machines to the start of the first daemon, in ms. Default drawn. */
  readonly beginsMs?: number;
  readonly onRequest?: StageOptions['onRequest'];
  /** Called with the start of the first daemon. */
  readonly direct?: (stage: Stage) => void;
  /** Two daemons work against each other for a while. */
  readonly isContested?: boolean;
  /** Hears of each act that was carried out, by name. */
  readonly told?: (act: string) => void;
}

export interface PlayedFleet {
  readonly result: FleetResult;
  readonly stage: Stage;
  readonly fleet: Fleet;
  /** The reasons for which a person was asked, each as often as he was. */
  readonly asked: readonly string[];
}

/** Performs a fleet; throws when a law is broken. */
export const performFleet = (performance: FleetPerformance): PlayedFleet => {
  const { fleet, network, world, random, onRequest, direct, told } = performance;
  const asked: string[] = [];
  const act = (what: () => void): Observable<never> => defer(() => of(what())).pipe(ignoreElements());
  const wait = (ms: number): Observable<never> => timer(ms).pipe(ignoreElements());
  const script = (stage: Stage): Observable<PlayedFleet> => {
    const settled = (): Observable<never> =>
      timer(0, 2000).pipe(
        filter((count) => areAllSettled(stage, fleet) || count * 2000 > latestEndMs),
        take(1),
        ignoreElements(),
      );
    /** One answer may bring up the next question. */
    const answering = (left: number): Observable<never> =>
      defer(() => {
        const answered = left > 0 ? answerAll(stage, fleet, performance.isContested === true) : [];
        asked.push(...answered);
        return answered.length === 0 ? of() : concat(wait(20_000), settled(), answering(left - 1));
      });
    return concat(
      act(() => makeFleet(stage.world, fleet)),
      wait(performance.beginsMs ?? Math.floor(random() * 4000)),
      act(() => {
        stage.start();
        direct?.(stage);
        letHappen(stage.world, fleet, ({ what }) => told?.(what));
      }),
      wait(fleet.quietAtMs + 1),
      act(() => {
        network?.calm();
        quieten(stage.world, fleet);
      }),
      wait(10_000),
      settled(),
      answering(rounds),
      wait(20_000),
      settled(),
      defer(() => of(judgeFleet(stage, fleet))),
    ).pipe(map((result) => ({ result, stage, fleet, asked })));
  };
  return perform(
    {
      cast: fleet.machines,
      random,
      limitMs: latestEndMs * (rounds + 2),
      ...(network === undefined ? {} : { network }),
      ...(world === undefined ? {} : { world }),
      ...(onRequest === undefined ? {} : { onRequest }),
    },
    script,
  );
};

/** Plays a schedule; throws when a law is broken. `told` hears by name of all that happens, as often as it does. */
export const playedSchedule = (
  schedule: Schedule,
  { told = () => undefined, onRequest }: Pick<FleetPerformance, 'told' | 'onRequest'> = {},
): PlayedFleet => {
  const { fleet, seed, ends, beginsMs } = schedule;
  const { network, begin } = networkWith(schedule.faults, told);
  const direct = (stage: Stage): void => {
    begin();
    for (const end of ends) {
      asyncScheduler.schedule(() => {
        told(`daemon: ${end.kind}`);
        carryOutEnd(stage, network, end);
      }, end.atMs);
    }
  };
  return performFleet({
    fleet,
    network,
    world: worldOf(schedule),
    random: seededRandom(seed * 17 + 3),
    beginsMs,
    direct,
    isContested: ends.some(isContested),
    told,
    ...(onRequest === undefined ? {} : { onRequest }),
  });
};
