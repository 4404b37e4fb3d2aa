// The simulated API server, patches: JSON patch, merge patch, server-side apply.
import { describe, expect, test } from 'vitest';
import type { KubeObject, Patch } from '../../src/kube/api.ts';
import { jsonPatch, type WireOperation } from '../../src/sim/apiServer/jsonPatch.ts';
import type { ApiServer, Json } from '../../src/sim/cluster.ts';
import { strategicMerge } from '../../src/sim/http/strategicMerge.ts';
import { at, box, boxes, boxServer, pod, pods, refusal } from './apiServerFixtures.ts';

const withBox = (spec: Json): readonly [ApiServer, KubeObject] => {
  const server = boxServer();
  return [server, server.create(boxes, box('a', spec), 'user')];
};

describe('JSON patch', () => {
  const cases: readonly (readonly [string, unknown, readonly WireOperation[], unknown])[] = [
    ['adds a field', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['adds at a place in a list', [1, 3], [{ op: 'add', path: '/1', value: 2 }], [1, 2, 3]],
    ['adds at the end of a list', { l: [1] }, [{ op: 'add', path: '/l/-', value: 2 }], { l: [1, 2] }],
    ['replaces', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: 2 }], { a: { b: 2 } }],
    ['removes a field', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['removes from a list', [1, 2, 3], [{ op: 'remove', path: '/1' }], [1, 3]],
    ['moves', { a: { x: 1 }, b: {} }, [{ op: 'move', from: '/a/x', path: '/b/y' }], { a: {}, b: { y: 1 } }],
    ['copies', { a: [1] }, [{ op: 'copy', from: '/a/0', path: '/a/-' }], { a: [1, 1] }],
    [
      'reads ~1 as a slash and ~0 as a tilde',
      { 'a/b': { '~': 1 } },
      [{ op: 'remove', path: '/a~1b/~0' }],
      { 'a/b': {} },
    ],
    [
      'tests objects by value',
      { a: { x: [1], y: 2 } },
      [{ op: 'test', path: '/a', value: { y: 2, x: [1] } }],
      { a: { x: [1], y: 2 } },
    ],
    ['replaces the whole', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
  ];
  test.each(cases)('%s', (_what, document, operations, expected) => {
    const before = JSON.stringify(document);
    expect(jsonPatch(document, operations)).toEqual(expected);
    expect(JSON.stringify(document)).toBe(before);
  });

  test.each<readonly [string, WireOperation]>([
    ['a test that does not hold', { op: 'test', path: '/a', value: 2 }],
    ['a test of a field that is not there', { op: 'test', path: '/x', value: 1 }],
    ['to remove what is not there', { op: 'remove', path: '/x' }],
    ['to replace what is not there', { op: 'replace', path: '/x', value: 1 }],
    ['to add below what is not there', { op: 'add', path: '/x/y', value: 1 }],
    ['an index past the end', { op: 'add', path: '/l/5', value: 1 }],
    ['an index with a leading zero', { op: 'replace', path: '/l/00', value: 1 }],
  ])('refuses %s with 422', (_what, operation) => {
    const failure = refusal(() => jsonPatch({ a: 1, l: [1] }, [operation]));
    expect(failure).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(failure.message).toBe('the server rejected our request due to an error in our request');
  });

  test('refuses an operation it does not know with 400', () => {
    expect(refusal(() => jsonPatch({}, [{ op: 'swap', path: '/a' }]))).toMatchObject({ code: 400 });
  });

  test('changes nothing when a test on the version does not hold', () => {
    const [server, made] = withBox({ size: 1 });
    server.patch(boxes, at('a'), { type: 'merge', body: { spec: { size: 2 } } }, 'user');
    const operations = [
      { op: 'test', path: '/metadata/resourceVersion', value: made.metadata.resourceVersion },
      { op: 'replace', path: '/spec/size', value: 3 },
    ] as const;
    expect(refusal(() => server.patch(boxes, at('a'), { type: 'json', operations }, 'user'))).toMatchObject({
      code: 422,
    });
    expect(server.read(boxes, at('a'))?.['spec']).toEqual({ size: 2 });
  });
});

describe('merge patch', () => {
  test('merges objects, removes by null, replaces lists', () => {
    const [server] = withBox({ a: { x: 1, y: 2 }, l: [1, 2], z: 1 });
    const body = { spec: { a: { x: null, w: 3 }, l: [3], z: null } };
    expect(server.patch(boxes, at('a'), { type: 'merge', body }, 'user')['spec']).toEqual({
      a: { y: 2, w: 3 },
      l: [3],
    });
  });

  test('refuses a stale version with 409', () => {
    const [server, made] = withBox({ size: 1 });
    server.patch(boxes, at('a'), { type: 'merge', body: { spec: { size: 2 } } }, 'user');
    const body = { metadata: { resourceVersion: made.metadata.resourceVersion }, spec: { size: 3 } };
    expect(refusal(() => server.patch(boxes, at('a'), { type: 'merge', body }, 'user'))).toMatchObject({
      code: 409,
      reason: 'Conflict',
    });
  });

  test('of the status leaves the spec alone', () => {
    const [server] = withBox({ size: 1 });
    const body = { spec: { size: 2 }, status: { n: 1 }, metadata: { labels: { a: 'b' } } };
    const made = server.patch(boxes, at('a'), { type: 'merge', body }, 'user', { subresource: 'status' });
    expect(made).toMatchObject({ spec: { size: 1 }, status: { n: 1 } });
    expect(made.metadata.labels).toBeUndefined();
  });

  test('of an object that is not there is answered 404', () => {
    const patch: Patch = { type: 'merge', body: {} };
    expect(refusal(() => boxServer().patch(boxes, at('a'), patch, 'user')).message).toBe(
      'boxes.example.dev "a" not found',
    );
  });
});

describe('server-side apply', () => {
  const apply = (server: ApiServer, manager: string, spec: Json, force = false): KubeObject =>
    server.patch(boxes, at('a'), { type: 'apply', body: box('a', spec), fieldManager: manager, force }, 'user');

  test('creates what is not there', () => {
    expect(apply(boxServer(), 'one', { size: 1 })).toMatchObject({ metadata: { generation: 1 }, spec: { size: 1 } });
  });

  test('leaves alone what others wrote, and removes what it applied before and now leaves out', () => {
    const server = boxServer();
    apply(server, 'one', { size: 1, colour: 'red' });
    server.patch(boxes, at('a'), { type: 'merge', body: { spec: { other: true } } }, 'user');
    expect(apply(server, 'one', { size: 1 })['spec']).toEqual({ size: 1, other: true });
  });

  test('refuses to take a field from another manager, unless forced', () => {
    const server = boxServer();
    apply(server, 'one', { size: 1 });
    const failure = refusal(() => apply(server, 'two', { size: 2 }));
    expect(failure).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(failure.message).toContain('conflict with "one": .spec.size');
    expect(apply(server, 'two', { size: 2 }, true)['spec']).toEqual({ size: 2 });
    expect(refusal(() => apply(server, 'one', { size: 1 }))).toMatchObject({ code: 409 });
  });

  test('shares a field on which two managers agree, and keeps it when one lets go', () => {
    const server = boxServer();
    apply(server, 'one', { size: 1 });
    apply(server, 'two', { size: 1 });
    expect(apply(server, 'one', {})['spec']).toEqual({ size: 1 });
    expect(apply(server, 'two', {})['spec']).toEqual({});
  });

  test('merges lists of objects by their keys', () => {
    const server = boxServer();
    const container = (name: string) => ({ name, image: `registry.example/${name}:1` });
    const put = (manager: string, names: readonly string[]) => {
      const body = pod('p', { containers: names.map(container) });
      return server.patch(pods, at('p'), { type: 'apply', body, fieldManager: manager, force: false }, 'user');
    };
    const names = (made: KubeObject) =>
      (made['spec'] as { containers: { name: string }[] }).containers.map(({ name }) => name);
    expect(names(put('one', ['x', 'y']))).toEqual(['x', 'y']);
    expect(names(put('two', ['y']))).toEqual(['x', 'y']);
  });

  test('refuses a stale version', () => {
    const server = boxServer();
    const made = apply(server, 'one', { size: 1 });
    apply(server, 'one', { size: 2 });
    const body = box('a', { size: 3 }, { resourceVersion: made.metadata.resourceVersion ?? '' });
    const patch: Patch = { type: 'apply', body, fieldManager: 'one', force: true };
    expect(refusal(() => server.patch(boxes, at('a'), patch, 'user'))).toMatchObject({ code: 409 });
  });
});

describe('strategic merge patch', () => {
  test('merges lists by key, and deletes items by directive', () => {
    const document = {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '1' },
      ],
      args: ['x'],
    };
    const patch = {
      containers: [
        { name: 'a', image: '2' },
        { name: 'b', $patch: 'delete' },
      ],
      args: ['y'],
    };
    expect(strategicMerge(document, patch)).toEqual({ containers: [{ name: 'a', image: '2' }], args: ['y'] });
  });

  test('replaces, and takes from lists of plain values', () => {
    expect(strategicMerge({ a: { x: 1 } }, { a: { $patch: 'replace', y: 2 } })).toEqual({ a: { y: 2 } });
    expect(strategicMerge({ finalizers: ['a', 'b'] }, { '$deleteFromPrimitiveList/finalizers': ['a'] })).toEqual({
      finalizers: ['b'],
    });
  });
});
