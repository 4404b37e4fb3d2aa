// What the benchmark has found, and how it is shown: the same numbers as a table for people and as JSON. Pure.
import type { CountedMigration } from './countRequests.ts';
import { median, percentile } from './statistics.ts';

export interface SyncRun {
  readonly startToReadyMs: number;
  readonly firstRequestToReadyMs: number;
  readonly residentMiB: number;
  /** Processor time of the daemon since its start, which other work on the machine does not make longer. */
  readonly cpuSeconds: number;
}

export interface ReactionSample {
  readonly how: string;
  readonly latenciesMs: readonly number[];
}

export interface Results {
  readonly machines: number;
  readonly migrating: number;
  readonly objects: number;
  readonly megabytes: number;
  readonly sync: readonly SyncRun[];
  readonly reactions: readonly ReactionSample[];
  readonly requests: readonly CountedMigration[];
  /** What was not as it must be; the numbers mean nothing then. */
  readonly faults: readonly string[];
}

interface Line {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The design's target; absent where it has none. */
  readonly target: number | undefined;
}

const line = (what: string, value: number, unit: string, target?: number): Line => ({ what, value, unit, target });

const mostRequests = { live: 6, offline: 12 };

const linesOf = ({ sync, reactions, requests }: Results): readonly Line[] => [
  line('first sync, process start to ready, median', median(sync.map((run) => run.startToReadyMs)) / 1000, 's', 5),
  line('  from the first request to ready, median', median(sync.map((run) => run.firstRequestToReadyMs)) / 1000, 's'),
  line('  processor time of the daemon, median', median(sync.map((run) => run.cpuSeconds)), 's'),
  line('resident memory after it, median', median(sync.map((run) => run.residentMiB)), 'MiB', 250),
  ...reactions.flatMap(({ how, latenciesMs }) => [
    line(`revert, ${how} (${latenciesMs.length}), p50`, percentile(latenciesMs, 0.5), 'ms', 5),
    line('  p99', percentile(latenciesMs, 0.99), 'ms', 25),
    line('  max', Math.max(...latenciesMs), 'ms'),
  ]),
  ...requests.flatMap(({ way, machines, perMachine, requests: counts, idleRequests }) => [
    line(`requests, ${way}, of ${machines}, each`, perMachine, '', mostRequests[way]),
    line('  without Events', perMachine - (counts['create events'] ?? 0) / machines, ''),
    ...Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => line(`  ${name}`, count / machines, '')),
    line(
      '  while idle for 10 minutes',
      Object.values(idleRequests).reduce((sum, each) => sum + each, 0),
      '',
      0,
    ),
  ]),
];

const numberText = (value: number): string => value.toFixed(Number.isInteger(value) ? 0 : value < 100 ? 2 : 0);

const rowOf = ({ what, value, unit, target }: Line): string => {
  const verdict = target === undefined ? '' : `${value <= target ? 'reached' : 'missed '}  (<= ${target})`;
  return `${what.padEnd(58)} ${numberText(value).padStart(8)} ${unit.padEnd(4)} ${verdict}`.trimEnd();
};

/** The table for people. */
export const tableOf = (results: Results): string => {
  const { machines, migrating, objects, megabytes, faults } = results;
  const title = `${machines} machines, ${migrating} of them migrating live; ${objects} objects, ${megabytes.toFixed(0)} MB`;
  return `${[title, '', ...linesOf(results).map(rowOf), '', ...faults.map((fault) => `FAULT: ${fault}`)].join('\n').trimEnd()}\n`;
};

const summary = (sample: readonly number[]) => ({
  samples: sample.length,
  p50: percentile(sample, 0.5),
  p90: percentile(sample, 0.9),
  p99: percentile(sample, 0.99),
  max: Math.max(...sample),
});

/** The same for programs: one JSON object. */
export const jsonOf = ({ reactions, ...rest }: Results): string => {
  const reactionMs = Object.fromEntries(reactions.map(({ how, latenciesMs }) => [how, summary(latenciesMs)]));
  return `${JSON.stringify({ ...rest, reactionMs }, undefined, 2)}\n`;
};
