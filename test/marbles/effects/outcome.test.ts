// Failures as values: which of them say that nothing was done, and which that nobody knows.
import { of, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { outcomeOf, readOf } from '../../../src/effects/outcome.ts';
import { statusPatch } from '../../../src/effects/statusPatch.ts';
import { KubeFailure } from '../../../src/kube/api.ts';
import { storageMigration } from '../../core/builders.ts';
import { marbles } from '../marbles.ts';

const answered = (code: number) => new KubeFailure('status', 'said so', { code });
const failures: readonly [string, KubeFailure, string][] = [
  ['404: the object is gone', answered(404), 'conflict'],
  ['409: another version, or the name is taken', answered(409), 'conflict'],
  ['422: a test of the patch does not hold', answered(422), 'conflict'],
  ['403: not allowed', answered(403), 'refused'],
  ['429: too many requests', answered(429), 'refused'],
  ['503: not now', answered(503), 'refused'],
  ['500: gave up in the middle', answered(500), 'unknown'],
  ['504: gave up waiting', answered(504), 'unknown'],
  ['never reached', new KubeFailure('unreachable', 'no route'), 'refused'],
  ['never answered', new KubeFailure('unknown', 'reset'), 'unknown'],
];

describe('outcomeOf', () => {
  test.each(failures)('%s', (_what, failure, kind) => {
    marbles(({ cold, expectObservable }) => {
      const { message } = failure;
      expectObservable(outcomeOf(cold('---#', {}, failure))).toBe('---(o|)', { o: { kind, message } });
    });
  });

  test('what a request answers is done; a bug stays a bug', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const request = cold('--a|');
      expectObservable(outcomeOf(request), '-^----!').toBe('---d|', { d: { kind: 'done', value: 'a' } });
      expectSubscriptions(request.subscriptions).toBe('    -^--!');
      const bug = new TypeError('undefined is not a function');
      expectObservable(outcomeOf(cold('--#', {}, bug))).toBe('--#', {}, bug);
    });
  });

  test('a request that is given up is cut off', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const request = cold('-----a|');
      expectObservable(outcomeOf(request), '^--!').toBe('-');
      expectSubscriptions(request.subscriptions).toBe(' ^--!');
    });
  });
});

describe('readOf', () => {
  test('takes an object that is not there for an answer, and leaves nothing uncertain', () => {
    marbles(({ expectObservable }) => {
      const read = (failure: KubeFailure) => readOf(throwError(() => failure));
      expectObservable(read(answered(404))).toBe('(d|)', { d: { kind: 'done', value: undefined } });
      expectObservable(read(answered(409))).toBe('(c|)', { c: { kind: 'conflict', message: 'said so' } });
      expectObservable(read(answered(500))).toBe('(r|)', { r: { kind: 'refused', message: 'said so' } });
      const silent = new KubeFailure('unknown', 'reset');
      expectObservable(read(silent)).toBe('(r|)', { r: { kind: 'refused', message: 'reset' } });
      const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
      expectObservable(readOf(of(object))).toBe('(d|)', { d: { kind: 'done', value: object } });
    });
  });
});

describe('statusPatch', () => {
  const entry = (name: string, message: string) => ({
    name,
    mode: 'Hold' as const,
    phase: '',
    reason: '',
    message,
    waitingFor: '',
    volumes: [],
  });
  const before = { summary: '0/2', virtualMachines: [entry('a', 'one'), entry('b', 'two')] };
  const migration = { ...storageMigration(), status: before };
  const guard = { op: 'test', path: '/metadata/resourceVersion', value: '100' };

  test('sends nothing when nothing has changed, whatever the order of keys', () => {
    const { summary, virtualMachines } = before;
    expect(statusPatch(migration, { virtualMachines, summary })).toStrictEqual([]);
  });

  test('sends what has changed, and lands only on the version it was made for', () => {
    const after = { summary: '1/2', virtualMachines: [entry('a', 'one'), entry('b', 'three')] };
    expect(statusPatch(migration, after)).toStrictEqual([
      guard,
      { op: 'add', path: '/status/summary', value: '1/2' },
      { op: 'replace', path: '/status/virtualMachines/1', value: entry('b', 'three') },
    ]);
  });

  test.each([
    ['one has left', [entry('b', 'two')]],
    ['they have another order', [entry('b', 'two'), entry('a', 'one')]],
  ])('replaces the whole list when %s', (_what, virtualMachines) => {
    expect(statusPatch(migration, { summary: '0/2', virtualMachines })).toStrictEqual([
      guard,
      { op: 'add', path: '/status/virtualMachines', value: virtualMachines },
    ]);
  });

  test('makes a status where there is none', () => {
    const after = { summary: '0/0' };
    expect(statusPatch({ ...migration, status: undefined }, after)).toStrictEqual([
      guard,
      { op: 'add', path: '/status', value: after },
    ]);
  });
});
