// Metrics in Prometheus' format, a side branch: what happens is counted here, what is gets read when it is scraped
// (observed.ts). Guarantees a bounded number of time series (boundLabel.ts) and that recording never throws.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { boundLabel } from './boundLabel.ts';
import { metricFamilies as families, type MetricFamily } from './metricFamilies.ts';
import type { Observed, ObservedMode } from './observed.ts';

export type { Observed, ObservedMode, ObservedWatch } from './observed.ts';

/** What became of a write: `unknown` was sent and not answered, so it may or may not have taken effect. */
export type CommandOutcome = 'done' | 'conflict' | 'refused' | 'unknown';

/** What the rest of the daemon reports. Each method is cheap and may be called from anywhere. */
export interface Metrics {
  /** `command` is the kind of a command, for example `stopCopy`. */
  commandDone(command: string, outcome: CommandOutcome): void;
  /** `cause` is a short constant, for example `vmStarted`. */
  cancelled(cause: string): void;
  /** Does nothing when both are the same. */
  modeSwitched(from: ObservedMode, to: ObservedMode): void;
  /** `kind` is the plural of the kind of object, here and below. */
  watchEvent(kind: string, type: 'listed' | 'applied' | 'deleted' | 'bookmark' | 'error'): void;
  watchRestarted(kind: string): void;
  /** Time from the arrival of an event to the sending of the first write that it caused. */
  reacted(seconds: number): void;
  /** The page that Prometheus reads. Rejects if the reader of gauges throws. */
  exposition(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface MetricsOptions {
  readonly version: string;
  /** Called once for each scrape. */
  readonly observe: () => Observed;
  /** Metrics of the process itself (memory, CPU, event loop); true if absent. */
  readonly processMetrics?: boolean;
}

const modes = ['live', 'offline', 'hold', 'done'] as const satisfies readonly ObservedMode[];

/** Many times what exists of each; only a mistake gets there. */
const mostLabelValues = 64;

const settingsOf = (family: MetricFamily, registry: Registry) => ({
  name: family.name,
  help: family.help,
  labelNames: [...family.labels],
  registers: [registry],
});

/** The gauges that are computed at a scrape: set by one function, all from one reading. */
function observedGauges(registry: Registry): (observed: Observed) => void {
  const gauge = (family: MetricFamily) => new Gauge(settingsOf(family, registry));
  const virtualMachines = gauge(families.virtualMachines);
  const virtualMachinePhases = gauge(families.virtualMachinePhases);
  const storageMigrations = gauge(families.storageMigrations);
  const copiesRunning = gauge(families.copiesRunning);
  const copyBytes = gauge(families.copyBytes);
  const copyExpectedBytes = gauge(families.copyExpectedBytes);
  const copyRate = gauge(families.copyRate);
  const watchSynced = gauge(families.watchSynced);
  const watchLastEventAge = gauge(families.watchLastEventAge);
  const storeObjects = gauge(families.storeObjects);
  const malformedObjects = gauge(families.malformedObjects);
  const machinePhase = boundLabel(mostLabelValues);
  const migrationPhase = boundLabel(mostLabelValues);
  const watchedKind = boundLabel(mostLabelValues);
  return (observed) => {
    for (const mode of modes) {
      virtualMachines.set({ mode }, observed.virtualMachines[mode] ?? 0);
    }
    // Reset, so that a phase nobody is in any more is not shown with its last number; inc, because several may be `other`.
    virtualMachinePhases.reset();
    for (const { kind, phase, count } of observed.virtualMachinePhases) {
      virtualMachinePhases.inc({ kind, phase: machinePhase(phase) }, count);
    }
    storageMigrations.reset();
    for (const [phase, count] of Object.entries(observed.storageMigrations)) {
      storageMigrations.inc({ phase: migrationPhase(phase) }, count);
    }
    copiesRunning.set(observed.copies.running);
    copyBytes.set(observed.copies.bytes);
    copyExpectedBytes.set(observed.copies.expectedBytes);
    copyRate.set(observed.copies.bytesPerSecond);
    watchLastEventAge.reset();
    for (const watch of observed.watches) {
      const kind = watchedKind(watch.kind);
      watchSynced.set({ kind }, watch.synced ? 1 : 0);
      storeObjects.set({ kind }, watch.objects);
      malformedObjects.set({ kind }, watch.malformed);
      if (watch.lastEventAgeSeconds !== undefined) {
        watchLastEventAge.set({ kind }, watch.lastEventAgeSeconds);
      }
    }
  };
}

function eventRecorder(registry: Registry): Omit<Metrics, 'exposition'> {
  const counter = (family: MetricFamily) => new Counter(settingsOf(family, registry));
  const commands = counter(families.commands);
  const cancels = counter(families.cancels);
  const modeSwitches = counter(families.modeSwitches);
  const watchEvents = counter(families.watchEvents);
  const watchRestarts = counter(families.watchRestarts);
  const reaction = new Histogram({
    ...settingsOf(families.reaction, registry),
    buckets: [...families.reaction.buckets],
  });
  const commandName = boundLabel(mostLabelValues);
  const causeName = boundLabel(mostLabelValues);
  const kindName = boundLabel(mostLabelValues);
  return {
    commandDone: (command, outcome) => commands.inc({ command: commandName(command), outcome }),
    cancelled: (cause) => cancels.inc({ cause: causeName(cause) }),
    modeSwitched: (from, to) => {
      if (from !== to) {
        modeSwitches.inc({ from, to });
      }
    },
    watchEvent: (kind, type) => watchEvents.inc({ kind: kindName(kind), type }),
    watchRestarted: (kind) => watchRestarts.inc({ kind: kindName(kind) }),
    reacted: (seconds) => {
      // A clock that was set back must not bring a negative time into the sum.
      if (Number.isFinite(seconds)) {
        reaction.observe(Math.max(0, seconds));
      }
    },
  };
}

/** The metrics of one process. Two of them share nothing. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  if (options.processMetrics ?? true) {
    collectDefaultMetrics({ register: registry });
  }
  const setGauges = observedGauges(registry);
  const recorder = eventRecorder(registry);
  new Gauge(settingsOf(families.buildInfo, registry)).set(
    { version: options.version, node_version: process.versions.node },
    1,
  );
  return {
    ...recorder,
    exposition: async () => {
      setGauges(options.observe());
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
