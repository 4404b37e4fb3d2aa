// Tells the world outside how the daemon fares: log lines, metrics and readiness, from what the streams hear and what
// the effects do. A side branch: nothing is ever decided from it.
import type { Log } from './core/log.ts';
import type { Kept } from './core/objects.ts';
import { keyText } from './core/reading.ts';
import type { Happening } from './effects/happening.ts';
import type { Resource } from './kube/api.ts';
import { resources } from './kube/resources.ts';
import type { Metrics, Observed, ObservedMode } from './observe/metrics.ts';
import { signalTeller } from './signalTeller.ts';
import type { Snapshot } from './streams/snapshot.ts';
import type { Store } from './streams/store.ts';
import type { WatchSignal } from './streams/watchSignal.ts';

export interface Report {
  onSignal(resource: Resource, signal: WatchSignal<Kept>): void;
  onSnapshot(snapshot: Snapshot): void;
  onHappening(happening: Happening): void;
  /** What the metrics read at a scrape. */
  observed(): Observed;
  /** Why the daemon is not ready, a line for each reason; none when it is. */
  notReady(): readonly string[];
}

export interface ReportOptions {
  readonly log: Log;
  /** Made after the report, because it reads from it. */
  readonly metrics: () => Metrics;
  readonly now: () => number;
}

const storesOf = (snapshot: Snapshot): readonly (readonly [string, Store<Kept>])[] => [
  [resources.virtualMachines.plural, snapshot.virtualMachines],
  [resources.virtualMachineInstances.plural, snapshot.instances],
  [resources.virtualMachineInstanceMigrations.plural, snapshot.attempts],
  [resources.pods.plural, snapshot.pods],
  [resources.persistentVolumeClaims.plural, snapshot.claims],
  [resources.storageMigrations.plural, snapshot.migrations],
  [resources.kubeVirts.plural, snapshot.settings],
];

/** Makes the report of one daemon. */
export const report = ({ log, metrics, now }: ReportOptions): Report => {
  let latest: Snapshot | undefined;
  let wasReady = false;
  const tellSignal = signalTeller(log, metrics, now);
  return {
    onSignal: (resource, signal) => tellSignal(resource.plural, signal),
    onSnapshot: (snapshot) => {
      latest = snapshot;
      if (wasReady || !storesOf(snapshot).every(([, store]) => store.synced)) return;
      wasReady = true;
      log.info('Every kind was listed: Transship is ready', {
        storageMigrations: snapshot.migrations.size,
        virtualMachines: snapshot.virtualMachines.size,
      });
    },
    onHappening: (happening) => {
      switch (happening.kind) {
        case 'reacted':
          metrics().reacted(happening.ms / 1000);
          break;
        case 'switched':
          metrics().modeSwitched(happening.from, happening.to);
          log.info('A machine has settled in another mode', {
            machine: keyText(happening.key),
            from: happening.from,
            to: happening.to,
          });
          break;
        case 'command':
          tellCommand(happening, log, metrics());
          break;
        default:
          happening satisfies never;
      }
    },
    observed: () => observedIn(latest, now()),
    notReady: () => (latest === undefined ? ['nothing was listed yet'] : troublesIn(latest)),
  };
};

const tellCommand = (happening: Extract<Happening, { kind: 'command' }>, log: Log, metrics: Metrics): void => {
  const { command, outcome, cause, record, detail } = happening;
  metrics.commandDone(command, outcome);
  // The server of a group goes with its last client, and pods that are through are only cleared away.
  const cancels =
    outcome === 'done' && cause !== undefined && cause !== 'finished' && happening.key.machine !== undefined;
  if (cancels) metrics.cancelled(cause);
  const fields = {
    machine: keyText(happening.key),
    command,
    outcome,
    ...(cause === undefined ? {} : { cause }),
    ...(record === undefined ? {} : { record }),
    ...(detail === '' ? {} : { detail }),
  };
  if (outcome === 'refused' || outcome === 'unknown') log.warn('A write was not carried out', fields);
  else if (outcome === 'conflict' || command === 'status' || command === 'event') log.debug('A write was made', fields);
  else log.info('A write was made', fields);
};

const troublesIn = (snapshot: Snapshot): readonly string[] =>
  storesOf(snapshot).flatMap(([kind, { synced, trouble }]) => {
    if (synced) return trouble === undefined ? [] : [`watch ${kind}: broken: ${trouble.message}`];
    return [`watch ${kind}: not synced: ${trouble?.message ?? 'being listed'}`];
  });

const count = <K extends string>(counts: Partial<Record<K, number>>, name: K): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

const observedIn = (snapshot: Snapshot | undefined, nowMs: number): Observed => {
  const virtualMachines: Partial<Record<ObservedMode, number>> = {};
  const storageMigrations: Record<string, number> = {};
  const phases = new Map<string, { kind: 'live' | 'offline'; phase: string; count: number }>();
  for (const migration of snapshot?.migrations.all() ?? []) {
    const isTrue = (type: string): boolean =>
      migration.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ===
      true;
    const phase = (['Succeeded', 'Failed', 'NeedsAttention', 'Progressing'] as const).find(isTrue) ?? 'Pending';
    count(storageMigrations, phase);
    for (const entry of migration.status?.virtualMachines ?? []) {
      count(virtualMachines, entry.mode.toLowerCase() as ObservedMode);
      const kind = kindOf(entry.record);
      if (kind === undefined) continue;
      const known = phases.get(`${kind} ${entry.phase}`) ?? { kind, phase: entry.phase, count: 0 };
      phases.set(`${kind} ${entry.phase}`, { ...known, count: known.count + 1 });
    }
  }
  return {
    virtualMachines,
    virtualMachinePhases: [...phases.values()],
    storageMigrations,
    copies: copiesIn(snapshot),
    watches: (snapshot === undefined ? [] : storesOf(snapshot)).map(([kind, store]) => ({
      kind,
      synced: store.synced && store.trouble === undefined,
      lastEventAgeSeconds: store.lastEventMs === undefined ? undefined : Math.max(0, nowMs - store.lastEventMs) / 1000,
      objects: store.size,
      malformed: [...store.malformed()].length,
    })),
  };
};

const copiesIn = (snapshot: Snapshot | undefined): Observed['copies'] => {
  const running = [...(snapshot?.migrations.all() ?? [])]
    .flatMap((migration) => migration.status?.virtualMachines ?? [])
    .flatMap(({ volumes }) => volumes.flatMap(({ copy }) => copy ?? []));
  const sum = (field: 'bytes' | 'total' | 'bytesPerSecond'): number =>
    running.reduce((total, copy) => total + copy[field], 0);
  return {
    running: running.length,
    bytes: sum('bytes'),
    expectedBytes: sum('total'),
    bytesPerSecond: sum('bytesPerSecond'),
  };
};

type Entry = NonNullable<NonNullable<ReturnType<Snapshot['migrations']['get']>>['status']>['virtualMachines'];
type MachineRecord = NonNullable<Entry>[number]['record'];

/** By which way a machine is being moved or was moved; undefined before either has begun. */
const kindOf = (record: MachineRecord): 'live' | 'offline' | undefined => {
  if (record?.completed !== undefined) return record.completed.by === 'Live' ? 'live' : 'offline';
  if (record?.live !== undefined || record?.switchedOver !== undefined) return 'live';
  return record?.offline === undefined ? undefined : 'offline';
};
