// The keys of a copy server: asked for until they are there, for a server without them never starts.
import { map, merge, mergeMap, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { groupKeys, makeKeys } from '../../../src/effects/groupKeys.ts';
import { KubeFailure } from '../../../src/kube/api.ts';
import { client, server, stoppedFacts } from '../../core/builders.ts';
import { marbles } from '../marbles.ts';
import { answer, effectStage, type Scene, told, unanswered } from './effectStage.ts';

const pending = server(['web-1'], { phase: 'Pending' });
const scenes: Readonly<Record<string, Scene>> = {
  /** The server waits for its keys. */
  p: { facts: { 'web-1': stoppedFacts() }, pods: [pending] },
  /** It runs, so it has them. */
  r: { pods: [{ ...pending, phase: 'Running' }, client('web-1')] },
  /** There is no server. */
  e: { facts: { 'web-1': stoppedFacts() }, pods: [] },
};
const make = 'create copy-server-keys';
const words = { K: make };

/** A quota that was counted anew meanwhile: nothing was made (it is not AlreadyExists). */
const quota = new KubeFailure('status', 'Operation cannot be fulfilled on resourcequotas', {
  code: 409,
  reason: 'Conflict',
});

const throttled = new KubeFailure('status', 'too many requests', { code: 429, reason: 'TooManyRequests' });

describe('the keys of a copy server', () => {
  test.each([
    ['a conflict', quota, 'createKeys conflict'],
    ['no answer', unanswered, 'createKeys unknown'],
    ['a refusal', throttled, 'createKeys refused'],
  ])('are asked for again after %s until the server runs', (_, failure, failed) =>
    marbles((helpers) => {
      const stage = effectStage(helpers, { answers: { [make]: answer(helpers, '#', '100', failure) } });
      const wakes = stage.migrationWakes(helpers.hot<Scene>('p-------------------r------|', scenes));
      const out = groupKeys(wakes, new Set(), stage.deps).pipe(map(told));
      helpers.expectObservable(stage.sent).toBe('            K---K-------K', words);
      helpers.expectObservable(out).toBe('                   f---f-------f--------------|', { f: failed });
    }),
  );

  test('are asked for once where they were made', () =>
    marbles((helpers) => {
      const stage = effectStage(helpers);
      const wakes = stage.migrationWakes(helpers.hot<Scene>('p---p---------------r------|', scenes));
      const out = groupKeys(wakes, new Set(), stage.deps).pipe(map(told));
      helpers.expectObservable(stage.sent).toBe('            K', words);
      helpers.expectObservable(out).toBe('                   d--------------------------|', { d: 'createKeys done' });
    }));

  test('are there when their name is taken, and are not asked for again', () =>
    marbles((helpers) => {
      const taken = new KubeFailure('status', 'already exists', { code: 409, reason: 'AlreadyExists' });
      const stage = effectStage(helpers, { answers: { [make]: answer(helpers, '#', '100', taken) } });
      const wakes = stage.migrationWakes(helpers.hot<Scene>('p---p---------------r------|', scenes));
      const out = groupKeys(wakes, new Set(), stage.deps).pipe(map(told));
      helpers.expectObservable(stage.sent).toBe('            K', words);
      helpers.expectObservable(out).toBe('                   d--------------------------|', { d: 'createKeys done' });
    }));

  test('are asked for by one alone where the server is seen before its making is answered', () =>
    marbles((helpers) => {
      const stage = effectStage(helpers, { answers: { [make]: answer(helpers, '--(a|)', '170') } });
      const made = new Set<string>();
      const key = { namespace: 'shop', migration: 'move' };
      const asked = () => makeKeys(key, pending, made, stage.deps).pipe(map(told));
      const out = merge(asked(), timer(1).pipe(mergeMap(asked)));
      helpers.expectObservable(stage.sent).toBe('            K', words);
      helpers.expectObservable(out).toBe('                   --(d|)', { d: 'createKeys done' });
    }));

  test('are forgotten with their server, and not before it is seen', () =>
    marbles((helpers) => {
      const stage = effectStage(helpers);
      const unseen = new Set(['uid-next']);
      const wakes = stage.migrationWakes(helpers.hot<Scene>('e-p---r---e--|', scenes));
      helpers.expectObservable(groupKeys(wakes, unseen, stage.deps).pipe(map(told))).toBe('--d----------|', {
        d: 'createKeys done',
      });
      helpers.flush();
      expect([...unseen]).toEqual(['uid-next']);
    }));

  test('are asked for again although a request under way fails after the last event', () =>
    marbles((helpers) => {
      const stage = effectStage(helpers);
      const under = new Set([pending.uid]);
      const wakes = stage.migrationWakes(helpers.hot<Scene>('p--------------------------|', scenes));
      const out = groupKeys(wakes, under, stage.deps).pipe(map(told));
      helpers.cold('-------f|').subscribe(() => under.clear());
      helpers.expectObservable(stage.sent).toBe('            ----------------K', words);
      helpers.expectObservable(out).toBe('                   ----------------d----------|', { d: 'createKeys done' });
    }));
});
