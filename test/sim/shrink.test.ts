// That a failing schedule is shrunk: with a daemon whose guard is broken, to the few parts that the failure needs, and
// what remains fails in the same way when it is played again from its names alone.
import { describe, expect, test } from 'vitest';
import type { RequestFault, RequestInfo } from '../../src/sim/cluster.ts';
import { playing, shrunkFailure } from './failure.ts';
import { keeping, partsOf, planSchedule } from './schedule.ts';
import { shrink } from './shrink.ts';

/** Reverts are never sent. All else goes well, so nothing excuses what comes of it. */
const withoutReverts = ({ verb, resource, body }: RequestInfo): RequestFault | undefined => {
  if (verb !== 'patch' || resource.plural !== 'virtualmachines') return undefined;
  const { operations } = body as { readonly operations: readonly { readonly op: string; readonly value?: unknown }[] };
  const named = operations.filter(({ op }) => op !== 'test').map(({ value }) => JSON.stringify(value ?? ''));
  return named.some((value) => /"(?:claimName|name)":"[^"]*-old"/.test(value)) ? { kind: 'hang' } : undefined;
};

describe('a failing schedule', () => {
  test('keeps the parts that the failure needs and no others', () => {
    const parts = Array.from({ length: 40 }, (_, index) => `a${index}`);
    const needs = (kept: ReadonlySet<string>): boolean => kept.has('a7') && kept.has('a31');
    const { parts: kept, plays } = shrink(parts, needs);
    expect(kept).toEqual(['a7', 'a31']);
    expect(plays).toBeLessThan(40);
  });

  test('is given up shrinking after so many plays, at what has failed last', () => {
    const parts = Array.from({ length: 40 }, (_, index) => `a${index}`);
    const { parts: kept, plays } = shrink(parts, (some) => [...some].filter((name) => name > 'a2').length > 20, 10);
    expect(plays).toBe(10);
    expect(kept.length).toBeLessThan(40);
    expect(kept.filter((name) => name > 'a2').length).toBeGreaterThan(20);
  });

  test('of a daemon without its reverts comes down to a machine and who stops it', () => {
    const onRequest = withoutReverts;
    for (let seed = 1; seed <= 60; seed += 1) {
      const schedule = planSchedule(seed);
      const found = partsOf(schedule).length < 30 ? undefined : playing(schedule, { onRequest });
      if (found?.kind !== 'failed' || !found.failure.kind.startsWith('LAW BROKEN')) continue;
      const { parts, message } = shrunkFailure(schedule, found.failure, { onRequest });
      expect(parts.length).toBeLessThanOrEqual(partsOf(schedule).length / 5);
      const again = playing(keeping(planSchedule(seed), new Set(parts)), { onRequest });
      expect(again).toMatchObject({ kind: 'failed', failure: { kind: found.failure.kind } });
      expect(playing(keeping(planSchedule(seed), new Set(parts)))).toMatchObject({ kind: 'passed' });
      expect(message).toContain(`TRANSSHIP_SEED=${seed} TRANSSHIP_KEEP=${parts.join(',')} npx vitest run`);
      expect(message).toMatch(/people, vm\d+: /);
      return;
    }
    expect.fail('no seed has failed');
  });
});
