// The daemon is killed before and after each single request to the API server, and started anew: the same end state,
// no law broken (law 8). Every request of every row is such a point, and of rows in which a guest shuts down, crashes,
// or loses its VMI in the middle of a live migration while KubeVirt starts it again at once.
import { asyncScheduler } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { RequestFault, RequestInfo } from '../../src/sim/cluster.ts';
import { type Row, rows } from '../../src/sim/scenario/rows.ts';
import { usualVariation, type Variation } from '../../src/sim/scenario/variation.ts';
import { playedRow } from './playedRow.ts';
import type { Stage } from './stage.ts';

/**
 * - `before`: it never reached the server.
 * - `after`: it was carried out, and the answer found nobody.
 * - `late`: it was under way, and lands while the next daemon is at work.
 */
type Death = 'before' | 'after' | 'late';

const faultOf: Readonly<Record<Death, RequestFault>> = {
  before: { kind: 'hang' },
  after: { kind: 'land', ms: 1, answer: 'never' },
  late: { kind: 'land', ms: 1400, answer: 'never' },
};

/** From the death of a daemon to the start of the next, in ms. */
const downMs = 40;

const isWrite = ({ verb }: RequestInfo): boolean => verb === 'create' || verb === 'patch' || verb === 'remove';

const requestsOf = (row: Row, variation: Partial<Variation>): readonly RequestInfo[] => {
  const requests: RequestInfo[] = [];
  playedRow(row, variation, {
    onRequest: (request) => {
      requests.push(request);
      return undefined;
    },
  });
  return requests;
};

const diesAt = (row: Row, variation: Partial<Variation>, point: number, death: Death): void => {
  let stage: Stage | undefined;
  const onRequest = (request: RequestInfo, instance: number): RequestFault | undefined => {
    if (instance !== 1 || request.number !== point) return undefined;
    asyncScheduler.schedule(() => {
      stage?.kill();
      asyncScheduler.schedule(() => stage?.start(), downMs);
    });
    return faultOf[death];
  };
  const played = playedRow(row, { patienceMs: 8000, ...variation }, { onRequest }, (performing) => {
    stage = performing;
  });
  const { result } = played;
  if (result.faults.length === 0) return;
  const seen = result.milestones.map(({ atMs, what }) => `${atMs} ${what}`);
  expect.fail(
    [`killed ${death} request ${point}`, ...result.faults, ...seen, ...played.stage.watch.recent(60)].join('\n'),
  );
};

const restarts: readonly Partial<Variation>[] = [
  { stopBy: 'guest shutdown' },
  { stopBy: 'guest crash' },
  { stopBy: 'deleting the VMI' },
];

const cases = rows.flatMap((row) => [
  { row, variation: {} as Partial<Variation> },
  ...(row.machines.some(({ name, on }) => on && row.changed.includes(name)) ? restarts : []).map((variation) => ({
    row,
    variation,
  })),
]);

const plans = cases.map(({ row, variation }) => {
  const end: Row = { ...row, chains: [], never: [] };
  const requests = requestsOf(end, variation);
  return {
    end,
    variation,
    requests,
    writes: requests.filter(isWrite),
    how: { ...usualVariation, ...variation }.stopBy,
  };
});
const points = plans.reduce((sum, { requests, writes }) => sum + requests.length + 2 * writes.length, 0);

// A read that nobody hears the answer of is a read that never was: it has one end, a write has three.
describe(`killed at each of ${points} points`, () => {
  for (const { end, variation, requests, writes, how } of plans) {
    describe(`row ${end.number} (${how})`, () => {
      test(`the daemon dies before each of its ${requests.length} requests`, () => {
        for (const { number } of requests) diesAt(end, variation, number, 'before');
      });
      test(`the daemon dies after each of its ${writes.length} writes`, () => {
        for (const { number } of writes) diesAt(end, variation, number, 'after');
      });
      test(`the daemon dies while each of its ${writes.length} writes is under way`, () => {
        for (const { number } of writes) diesAt(end, variation, number, 'late');
      });
    });
  }
});
