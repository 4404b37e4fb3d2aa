// One performance in virtual time: a simulated cluster, a daemon that can be killed and started anew, the laws watching,
// and a script. It ends with the script, with the first law that is broken, or when the time is up; nothing is left over.
import { asyncScheduler, catchError, type Observable, Subject, Subscription, throwError, timeout } from 'rxjs';
import { daemon } from '../../src/daemon.ts';
import type { Happening } from '../../src/effects/happening.ts';
import { type KubeApi, KubeFailure } from '../../src/kube/api.ts';
import type { RequestFault, RequestInfo } from '../../src/sim/cluster.ts';
import { daemonOptions } from '../../src/sim/scenario/daemonOptions.ts';
import { type World, type WorldOptions, world as worldOf } from '../../src/sim/scenario/world.ts';
import type { Network } from './network.ts';
import type { Machine } from './sight.ts';
import { inVirtualTime } from './virtualTime.ts';
import { isDaemon, type Watch, watchOver } from './watchOver.ts';

export interface StageOptions {
  readonly cast: readonly Machine[];
  readonly world?: WorldOptions;
  /** Absent: nothing goes wrong between daemon and server. */
  readonly network?: Network;
  /** Besides: what happens to the requests of the n-th daemon, 1 for the first. */
  readonly onRequest?: (request: RequestInfo, instance: number) => RequestFault | undefined;
  /** The performance has failed when it is not through after this time, in ms. */
  readonly limitMs?: number;
  /** Numbers from 0 to 1 for the daemon's back-offs. */
  readonly random?: () => number;
}

export interface Stage {
  readonly world: World;
  readonly watch: Watch;
  /** Starts a daemon; one that runs is killed first. */
  start(): void;
  /** Ends the daemon as a crash does: what was sent may still land. */
  kill(): void;
  /** Tells the daemon to end, as SIGTERM does. */
  tellToEnd(): void;
  /** Starts a daemon beside the one that runs, which ends when the returned function is called. */
  startBeside(): (end: 'killed' | 'told') => void;
  readonly happenings: Happening[];
  /** How many daemons were started. */
  readonly instances: () => number;
}

/** One daemon on the stage, and how it is told to end. */
interface Running {
  readonly work: Subscription;
  readonly stop$: Subject<void>;
}

/** How long the daemon waits for an answer, in ms: less than its start-up hold, as Config demands. */
export const requestTimeoutMs = 1500;

/** The client's own time-out, which the simulated port leaves to whoever calls it. */
const impatient = (api: KubeApi): KubeApi => {
  const within = <T>(request: Observable<T>): Observable<T> =>
    request.pipe(
      timeout(requestTimeoutMs),
      catchError((error: unknown) =>
        throwError(() => (error instanceof KubeFailure ? error : new KubeFailure('unknown', 'no answer in time'))),
      ),
    );
  return {
    list: (resource, options) => within(api.list(resource, options)),
    watch: api.watch,
    get: (resource, ref) => within(api.get(resource, ref)),
    create: (resource, object) => within(api.create(resource, object)),
    patch: (resource, ref, patch, options) => within(api.patch(resource, ref, patch, options)),
    remove: (resource, ref, options) => within(api.remove(resource, ref, options)),
    log: (ref, options) => within(api.log(ref, options)),
  };
};

const usualBlindMs = 12;
const usualRevertMs = 25;

/** Performs `script` and returns its last value; throws on a broken law, an error, or when it takes too long. */
export const perform = <T>(options: StageOptions, script: (stage: Stage) => Observable<T>): T => {
  let outcome: { readonly value: T } | undefined;
  let failure: unknown;
  let recent: readonly string[] = [];
  inVirtualTime(() => {
    const all = new Subscription();
    const world = worldOf(options.world);
    all.add(() => world.unsubscribe());
    const isPerfect = options.network === undefined && options.onRequest === undefined;
    const settings = daemonOptions(1, options.random ?? (() => 0.5));
    const startedMs = new Map<string, number>();
    let running: Running = { work: Subscription.EMPTY, stop$: new Subject() };
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      recent = watch.recent(60);
      // Not from within: whoever speaks now has to finish first.
      asyncScheduler.schedule(() => all.unsubscribe());
    };
    const fail = (reason: unknown): void => {
      failure ??= reason;
      end();
    };
    const watch = watchOver(world, options.cast, {
      bounds: {
        settleMs: settings.settleMs,
        startupHoldMs: settings.startupHoldMs,
        cutOverQuietMs: settings.limits.cutOverQuietMs,
        blindMs: usualBlindMs,
        revertMs: isPerfect ? usualRevertMs : undefined,
      },
      ageOf: (actor) => world.server.now() - (startedMs.get(actor) ?? Number.NEGATIVE_INFINITY),
      network: options.network,
      lag: { vmCacheMs: options.world?.kubeVirt?.vmCacheDelayMs ?? 0, revertMs: usualRevertMs },
      onBroken: (report) => fail(new Error(report)),
    });
    all.add(watch.subscription);
    const happenings: Happening[] = [];
    let instances = 0;
    const startDaemon = (): Running => {
      instances += 1;
      const actor = `daemon ${instances}`;
      startedMs.set(actor, world.server.now());
      const instance = instances;
      const network = options.network?.options;
      const port = world.server.port({
        ...network,
        actor,
        onRequest: (request) => options.onRequest?.(request, instance) ?? network?.onRequest?.(request),
      });
      const stop$ = new Subject<void>();
      const work = daemon(isPerfect ? port : impatient(port), settings, stop$).subscribe({
        next: (each) => happenings.push(each),
        error: fail,
      });
      all.add(work);
      return { work, stop$ };
    };
    const stage: Stage = {
      world,
      watch,
      happenings,
      instances: () => instances,
      kill: () => running.work.unsubscribe(),
      tellToEnd: () => running.stop$.next(),
      start: () => {
        running.work.unsubscribe();
        running = startDaemon();
      },
      startBeside: () => {
        const older = running;
        running = startDaemon();
        return (end) => (end === 'told' ? older.stop$.next() : older.work.unsubscribe());
      },
    };
    all.add(asyncScheduler.schedule(() => fail(new Error('the time is up')), options.limitMs ?? 3_600_000));
    all.add(
      script(stage).subscribe({
        next: (value) => {
          outcome = { value };
        },
        error: fail,
        complete: end,
      }),
    );
  });
  if (failure !== undefined) {
    const reason = failure instanceof Error ? failure : new Error(String(failure));
    if (!reason.message.startsWith('LAW BROKEN')) reason.message += `\n  the last writes:\n  ${recent.join('\n  ')}`;
    throw reason;
  }
  if (outcome === undefined) throw new Error('the script ended without a result');
  return outcome.value;
};

export { isDaemon };
