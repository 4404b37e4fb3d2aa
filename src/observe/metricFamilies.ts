// Every metric of our own, declared once: the registry (metrics.ts) is built from this table and docs/metrics.md is
// held to it. No label may hold the name of a machine, claim or namespace: the number of time series must not grow
// with the cluster (style §3, rule 11). The process's own metrics (process_*, nodejs_*) come from the library.

export interface MetricFamily {
  readonly name: `transship_${string}`;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

export const metricFamilies = {
  virtualMachines: {
    name: 'transship_virtual_machines',
    type: 'gauge',
    help: 'Virtual machines named in a StorageMigration, by what they need now: live, offline, hold or done.',
    labels: ['mode'],
  },
  virtualMachinePhases: {
    name: 'transship_virtual_machine_phases',
    type: 'gauge',
    help: 'Virtual machines being moved, by kind of migration (live or offline) and the phase shown in status.',
    labels: ['kind', 'phase'],
  },
  storageMigrations: {
    name: 'transship_storage_migrations',
    type: 'gauge',
    help: 'StorageMigration objects, by the phase their conditions show.',
    labels: ['phase'],
  },
  copiesRunning: {
    name: 'transship_offline_copies_running',
    type: 'gauge',
    help: 'Disks of stopped machines that are being copied and have told how far they are.',
    labels: [],
  },
  copyBytes: {
    name: 'transship_offline_copy_position_bytes',
    type: 'gauge',
    help: 'How far the offline copies that run are, all together, in bytes of their sources.',
    labels: [],
  },
  copyExpectedBytes: {
    name: 'transship_offline_copy_size_bytes',
    type: 'gauge',
    help: 'Size of the sources of the offline copies that run, all together.',
    labels: [],
  },
  copyRate: {
    name: 'transship_offline_copy_bytes_per_second',
    type: 'gauge',
    help: 'Rate of the offline copies that run, all together, as rsync tells it.',
    labels: [],
  },
  commands: {
    name: 'transship_commands_total',
    type: 'counter',
    help: 'Writes to the API server that were decided on, by command and outcome: done, conflict, refused or unknown.',
    labels: ['command', 'outcome'],
  },
  cancels: {
    name: 'transship_cancels_total',
    type: 'counter',
    help: 'Copies and live migrations that were cancelled before their end, by cause.',
    labels: ['cause'],
  },
  modeSwitches: {
    name: 'transship_mode_switches_total',
    type: 'counter',
    help: 'Virtual machines that went from one mode to another.',
    labels: ['from', 'to'],
  },
  watchSynced: {
    name: 'transship_watch_synced',
    type: 'gauge',
    help: 'Whether the whole list of a kind was read and its watch is followed without trouble: 1 or 0.',
    labels: ['kind'],
  },
  watchLastEventAge: {
    name: 'transship_watch_last_event_age_seconds',
    type: 'gauge',
    help: 'Time since anything, bookmarks included, was heard from the watch of a kind; absent before the first event.',
    labels: ['kind'],
  },
  watchEvents: {
    name: 'transship_watch_events_total',
    type: 'counter',
    help: 'What was heard of a kind, by type: listed, applied (added or changed), deleted, bookmark or error.',
    labels: ['kind', 'type'],
  },
  watchRestarts: {
    name: 'transship_watch_restarts_total',
    type: 'counter',
    help: 'How often a watch was opened again after it had ended or broken.',
    labels: ['kind'],
  },
  storeObjects: {
    name: 'transship_store_objects',
    type: 'gauge',
    help: 'Objects of a kind that are kept in memory.',
    labels: ['kind'],
  },
  malformedObjects: {
    name: 'transship_malformed_objects',
    type: 'gauge',
    help: 'Objects of a kind that the API server holds and that could not be understood; each is logged.',
    labels: ['kind'],
  },
  reaction: {
    name: 'transship_reaction_seconds',
    type: 'histogram',
    help: 'Time from the arrival of an event to the sending of the first write that it caused; waiting that is meant (settling, start-up hold) excluded.',
    labels: [],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  buildInfo: {
    name: 'transship_build_info',
    type: 'gauge',
    help: 'Always 1; the labels tell which version runs on which Node.js.',
    labels: ['version', 'node_version'],
  },
} as const satisfies Record<string, MetricFamily>;
