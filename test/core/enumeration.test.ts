// Every combination of the small facts through every decision, held to the laws: what no table of cases can promise.
import { expect, test } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import { factsOf } from '../../src/core/facts.ts';
import { decideGroups } from '../../src/core/groups.ts';
import { startMs } from './builders.ts';
import { clear, held, limits } from './circumstances.ts';
import { combinations } from './combinations.ts';
import { brokenByDecision, brokenByGroups } from './laws.ts';

test('no combination of facts makes a decision that breaks a law', { timeout: 60_000 }, () => {
  const broken = new Map<string, string>();
  let count = 0;
  const kinds = new Set<string>();
  for (const { view: found, pods, label } of combinations()) {
    count += 1;
    const facts = factsOf(found);
    const decided = decide(facts, clear());
    const group = { migration: found.migration, members: [facts], pods };
    const copies = decideGroups(group, { clearanceOf: () => ({ kind: 'clear' }), limits, now: startMs });
    for (const command of [...decided.commands, ...copies.begins, ...copies.ends]) kinds.add(command.kind);
    for (const rule of [
      ...brokenByDecision(facts, decided, decide(facts, held()), startMs),
      ...brokenByGroups(group, copies),
    ]) {
      if (!broken.has(rule)) broken.set(rule, label());
    }
  }
  expect(Object.fromEntries(broken)).toStrictEqual({});
  expect(count).toBeGreaterThan(100_000);
  // The combinations reach what there is to decide.
  expect([...kinds].sort()).toStrictEqual([
    'createClient',
    'createServer',
    'cutOver',
    'deletePod',
    'deleteSource',
    'record',
    'repair',
    'revert',
    'startLive',
  ]);
});
