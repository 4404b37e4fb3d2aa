// The simulated API server, writes: what it accepts and what it refuses when objects are made and changed, as a real one
// does, and what those hear who look on.
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/sim/cluster.ts';
import { at, box, boxes, boxServer, pod, pods, refusal } from './apiServerFixtures.ts';

describe('create', () => {
  test('gives uid, version, generation and creation time, whatever the caller says', () => {
    const server = boxServer();
    const given = { uid: 'mine', generation: 7, creationTimestamp: '1999-01-01T00:00:00Z' };
    const { metadata } = server.create(boxes, box('a', {}, given), 'user');
    expect(metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(metadata.generation).toBe(1);
    expect(metadata.creationTimestamp).not.toBe(given.creationTimestamp);
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(0);
  });

  test('counts versions up over all kinds', () => {
    const server = boxServer();
    const first = server.create(boxes, box('a'), 'user');
    const second = server.create(pods, pod('a'), 'user');
    expect(Number(second.metadata.resourceVersion)).toBe(Number(first.metadata.resourceVersion) + 1);
  });

  test('completes generateName with five characters, the same in every run', () => {
    const named = () => {
      const server = boxServer();
      return [1, 2].map(() => server.create(boxes, box('', {}, { generateName: 'box-' }), 'user').metadata.name);
    };
    expect(named()).toEqual(named());
    expect(new Set(named()).size).toBe(2);
    for (const name of named()) expect(name).toMatch(/^box-[a-z0-9]{5}$/);
  });

  test('refuses a name that is taken', () => {
    const server = boxServer();
    server.create(boxes, box('a'), 'user');
    const failure = refusal(() => server.create(boxes, box('a'), 'user'));
    expect(failure).toMatchObject({ kind: 'status', code: 409, reason: 'AlreadyExists' });
    expect(failure.message).toBe('boxes.example.dev "a" already exists');
  });

  test('refuses a namespace that does not exist', () => {
    const failure = refusal(() => boxServer().create(boxes, box('a', {}, { namespace: 'nowhere' }), 'user'));
    expect(failure).toMatchObject({ code: 404, reason: 'NotFound', message: 'namespaces "nowhere" not found' });
  });

  test('refuses a kind that is not served', () => {
    const failure = refusal(() => boxServer().create({ ...boxes, plural: 'crates' }, box('a'), 'user'));
    expect(failure).toMatchObject({ code: 404, message: 'the server could not find the requested resource' });
  });

  test('refuses an object of another kind', () => {
    expect(refusal(() => boxServer().create(boxes, pod('a'), 'user'))).toMatchObject({
      code: 400,
      reason: 'BadRequest',
    });
  });

  test.each([
    ['an empty name', box(''), 'metadata.name: Required value'],
    ['a name in capitals', box('A'), 'metadata.name: Invalid value: "A"'],
    ['a name that is too long', box('a'.repeat(254)), 'must be no more than 253 characters'],
    [
      'a label value of 64 characters',
      box('a', {}, { labels: { vm: 'x'.repeat(64) } }),
      'must be no more than 63 bytes',
    ],
    ['a label value with a slash', box('a', {}, { labels: { vm: 'a/b' } }), 'metadata.labels: Invalid value: "a/b"'],
    ['a label key with a space', box('a', {}, { labels: { 'a b': 'c' } }), 'metadata.labels: Invalid value: "a b"'],
    [
      'an owner without uid',
      box('a', {}, { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] }),
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
    ],
    [
      'two controllers',
      box(
        'a',
        {},
        {
          ownerReferences: ['1', '2'].map((uid) => ({
            apiVersion: 'v1',
            kind: 'Pod',
            name: 'p',
            uid,
            controller: true,
          })),
        },
      ),
      'Only one reference can have Controller set to true',
    ],
  ])('refuses %s', (_what, object, words) => {
    const failure = refusal(() => boxServer().create(boxes, object, 'user'));
    expect(failure).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(failure.message).toContain(words);
  });

  test('drops a status that comes with a new object of a kind with a status subresource', () => {
    const made = boxServer().create(boxes, { ...box('a'), status: { done: true } }, 'user');
    expect(made['status']).toBeUndefined();
  });

  test('hands out objects that cannot be changed, and leaves the caller his own', () => {
    const server = boxServer();
    const mine = { size: { x: 1 } };
    const made = server.create(boxes, box('a', mine), 'user');
    mine.size.x = 2;
    expect(server.read(boxes, at('a'))?.['spec']).toEqual({ size: { x: 1 } });
    expect(Object.isFrozen(made['spec']) && Object.isFrozen(made.metadata)).toBe(true);
  });
});

describe('replace', () => {
  test('refuses a stale version', () => {
    const server = boxServer();
    const first = server.create(boxes, box('a', { size: 1 }), 'user');
    server.replace(boxes, { ...first, spec: { size: 2 } }, 'user');
    const failure = refusal(() => server.replace(boxes, { ...first, spec: { size: 3 } }, 'user'));
    expect(failure).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(failure.message).toContain('the object has been modified; please apply your changes to the latest version');
  });

  test('refuses the uid of an object that was there before', () => {
    const server = boxServer();
    server.create(boxes, box('a'), 'user');
    expect(refusal(() => server.replace(boxes, box('a', {}, { uid: 'other' }), 'user'))).toMatchObject({ code: 409 });
  });

  test('counts the generation up for the spec, not for metadata or status', () => {
    const server = boxServer();
    server.create(boxes, box('a', { size: 1 }), 'user');
    const labelled = server.replace(boxes, box('a', { size: 1 }, { labels: { x: 'y' } }), 'user');
    expect(labelled.metadata.generation).toBe(1);
    const withStatus = server.replace(boxes, { ...labelled, status: { n: 1 } }, 'user', { subresource: 'status' });
    expect(withStatus.metadata.generation).toBe(1);
    expect(server.replace(boxes, box('a', { size: 2 }), 'user').metadata.generation).toBe(2);
  });

  test('keeps the status when the spec is written, and everything else when the status is', () => {
    const server = boxServer();
    const made = server.create(boxes, box('a', { size: 1 }), 'user');
    const status = { subresource: 'status' } as const;
    server.replace(boxes, { ...made, spec: { size: 9 }, status: { n: 1 } }, 'user', status);
    expect(server.read(boxes, at('a'))).toMatchObject({ spec: { size: 1 }, status: { n: 1 } });
    server.replace(boxes, { ...box('a', { size: 2 }), status: { n: 5 } }, 'user');
    expect(server.read(boxes, at('a'))).toMatchObject({ spec: { size: 2 }, status: { n: 1 } });
  });

  test('answers a write that changes nothing with the same version, and tells nobody', () => {
    const server = boxServer();
    const made = server.create(boxes, box('a', { size: 1 }), 'user');
    const seen: Change[] = [];
    server.changes$.subscribe((change) => seen.push(change));
    expect(server.replace(boxes, box('a', { size: 1 }), 'user')).toBe(made);
    expect(seen).toEqual([]);
  });
});

describe('those who look on', () => {
  test('a webhook may refuse a write, and may change it', () => {
    const server = boxServer();
    server.admit(boxes, ({ operation, object, actor }) => {
      if (operation === 'delete' && actor !== 'controller') throw new Error('not for you');
      return { ...object, spec: { ...(object['spec'] as object), seen: true } };
    });
    expect(server.create(boxes, box('a', { size: 1 }), 'user')['spec']).toEqual({ size: 1, seen: true });
    expect(() => server.remove(boxes, at('a'), 'user')).toThrow('not for you');
    expect(server.read(boxes, at('a'))).toBeDefined();
  });

  test('hear of changes in order, even when one of them writes at once', () => {
    const server = boxServer();
    const seen: string[] = [];
    server.changes$.subscribe(({ object }) => {
      if (object.metadata.name === 'a') server.create(boxes, box('b'), 'user');
    });
    server.changes$.subscribe(({ object }) => seen.push(object.metadata.name));
    server.create(boxes, box('a'), 'user');
    expect(seen).toEqual(['a', 'b']);
  });

  test('a subresource that nobody handles is not found', () => {
    const server = boxServer();
    const calls: string[] = [];
    server.subresource('sub.example.dev', 'boxes', 'open', (ref) => calls.push(ref.name));
    server.call('sub.example.dev', 'boxes', 'open', at('a'), {}, 'user');
    expect(calls).toEqual(['a']);
    expect(refusal(() => server.call('sub.example.dev', 'boxes', 'shut', at('a'), {}, 'user'))).toMatchObject({
      code: 404,
    });
  });
});
