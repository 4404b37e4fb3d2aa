// Says in one line at the end of a test run what came of all random schedules: how many machines were moved, and what
// was left to people. Not a test.
import type { Reporter, TestModule } from 'vitest/node';

/** What a batch of seeds came to; by reason where a person was asked. */
export interface SeedsTally {
  seeds: number;
  machines: number;
  done: number;
  cancelled: number;
  readonly asked: Record<string, number>;
  readonly left: Record<string, number>;
}

declare module 'vitest' {
  interface TaskMeta {
    seeds?: SeedsTally;
  }
}

export const emptyTally = (): SeedsTally => ({ seeds: 0, machines: 0, done: 0, cancelled: 0, asked: {}, left: {} });

export const count = (counts: Record<string, number>, name: string, times = 1): void => {
  counts[name] = (counts[name] ?? 0) + times;
};

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, times]) => `${name} ${times}`)
    .join(', ') || 'none';

/** The line; machines that were left had been answered as often as the message asks, or nobody could have helped. */
export const tallyLine = ({ seeds, machines, done, cancelled, asked, left }: SeedsTally): string =>
  `${seeds} random schedules, ${machines} machines: ${done} moved, ${cancelled} given back; ` +
  `asked of people and answered: ${listed(asked)}; left to people: ${listed(left)}`;

/** Adds up what the tests of the seeds have written down. */
export const seedsReporter = (): Reporter => ({
  onTestRunEnd: (modules: readonly TestModule[]) => {
    const sum = emptyTally();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { seeds } = test.meta();
        if (seeds === undefined) continue;
        for (const name of ['seeds', 'machines', 'done', 'cancelled'] as const) sum[name] += seeds[name];
        for (const name of ['asked', 'left'] as const) {
          for (const [reason, times] of Object.entries(seeds[name])) count(sum[name], reason, times);
        }
      }
    }
    if (sum.seeds > 0) setImmediate(() => process.stdout.write(`${tallyLine(sum)}\n`));
  },
});
