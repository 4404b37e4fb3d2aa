// Each row under each of the faults that break controllers (style §5): the daemon restarted in the middle, events missed,
// late or told twice, and requests that are slow, fail, hang, or land after the caller gave up. The same end state as
// without, and no law broken on the way.
import { asyncScheduler } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { RequestInfo } from '../../src/sim/cluster.ts';
import { type Row, rows } from '../../src/sim/scenario/rows.ts';
import type { Variation } from '../../src/sim/scenario/variation.ts';
import { type Faults, networkOf, sometimes } from './network.ts';
import { playedRow } from './playedRow.ts';
import type { Stage } from './stage.ts';

/** What is asked of a row when things go wrong: its end. In which order is asked where nothing does (rows.test.ts). */
const endOf = (row: Row): Row => ({ ...row, chains: [], never: [] });

const seeds = [1, 2, 3, 4, 5, 6];

const passes = (
  row: Row,
  faults: Faults,
  seed: number,
  variation: Partial<Variation> = {},
  direct?: (stage: Stage) => void,
): void => {
  const { result, stage } = playedRow(
    endOf(row),
    { patienceMs: 8000, ...variation },
    { network: networkOf(faults, seed) },
    direct,
  );
  if (result.faults.length === 0) return;
  const seen = result.milestones.map(({ atMs, what }) => `${atMs} ${what}`);
  expect.fail([`seed ${seed}`, ...result.faults, ...seen, ...stage.watch.recent(60)].join('\n'));
};

const isWrite = ({ verb }: RequestInfo): boolean => verb === 'create' || verb === 'patch' || verb === 'remove';
const writesOnly =
  <T>(fault: (request: RequestInfo, random: () => number) => T | undefined) =>
  (request: RequestInfo, random: () => number): T | undefined =>
    isWrite(request) ? fault(request, random) : undefined;

const between = (random: () => number, least: number, most: number): number =>
  Math.round(least + random() * (most - least));

const refuse = (code: number, reason: string) => ({ kind: 'refuse', code, reason }) as const;

/** By name, each at a rate at which nearly every run meets several. */
const faults: Readonly<Record<string, Faults>> = {
  'watches are cut': { event: sometimes(0.03, () => ({ kind: 'cut' })) },
  'watches expire': { event: sometimes(0.02, () => ({ kind: 'expire' })) },
  'some events are late': { event: sometimes(0.1, (random) => ({ kind: 'delay', ms: between(random, 5, 900) })) },
  'all events are late': { event: sometimes(1, (random) => ({ kind: 'delay', ms: between(random, 50, 150) })) },
  'every event is told twice': { event: sometimes(1, () => ({ kind: 'duplicate' })) },
  'requests are slow': { request: sometimes(0.5, (random) => ({ kind: 'slow', ms: between(random, 20, 600) })) },
  'writes meet conflicts': { request: writesOnly(sometimes(0.25, () => refuse(409, 'Conflict'))) },
  'requests are throttled': {
    request: sometimes(0.2, () => ({ ...refuse(429, 'TooManyRequests'), retryAfterSeconds: 1 })),
  },
  'the server fails': { request: sometimes(0.2, () => refuse(500, 'InternalError')) },
  'requests hang': { request: sometimes(0.1, () => ({ kind: 'hang' })) },
  'answers are lost': { request: writesOnly(sometimes(0.2, () => ({ kind: 'land', ms: 1, answer: 'unknown' }))) },
  'requests land after the caller gave up': {
    request: writesOnly(
      sometimes(0.15, (random) => ({
        kind: 'land',
        ms: between(random, 100, 6000),
        answer: random() < 0.5 ? 'unknown' : 'never',
      })),
    ),
  },
};

for (const row of rows) {
  describe(`row ${row.number}, ${row.title}`, () => {
    for (const [name, fault] of Object.entries(faults)) {
      test(name, () => {
        for (const seed of seeds) passes(row, fault, seed);
      });
    }
    test('the daemon is restarted in the middle', () => {
      const network = { request: () => undefined };
      for (let atMs = 2100; atMs < 14_000; atMs += 311) {
        passes(row, network, 1, {}, (stage) => {
          asyncScheduler.schedule(() => stage.start(), atMs);
        });
      }
    });
  });
}
