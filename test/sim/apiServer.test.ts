// The simulated API server, writes: what it accepts and what it refuses, as a real one does.
import { describe, expect, test } from 'vitest';
import type { KubeObject, Resource } from '../../src/kube/api.ts';
import type { Change, Json } from '../../src/sim/cluster.ts';
import {
  at,
  box,
  boxes,
  boxServer,
  claim,
  claims,
  inVirtualTime,
  pod,
  pods,
  refusal,
  timeline,
} from './apiServerFixtures.ts';

const namespaces: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };
const namespace = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

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

describe('remove', () => {
  test('refuses another uid than the one that was meant', () => {
    const server = boxServer();
    server.create(boxes, box('a'), 'user');
    const failure = refusal(() => server.remove(boxes, at('a'), 'user', { uid: 'other' }));
    expect(failure).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(failure.message).toContain('the UID in the precondition (other) does not match the UID in record');
    expect(server.read(boxes, at('a'))).toBeDefined();
  });

  test('waits for finalizers, and the object goes with the last of them', () => {
    const server = boxServer();
    server.create(boxes, box('a', {}, { finalizers: ['example.dev/one', 'example.dev/two'] }), 'user');
    server.remove(boxes, at('a'), 'user');
    expect(server.read(boxes, at('a'))?.metadata.deletionTimestamp).toBeDefined();
    const only = (finalizers: string[]) =>
      server.patch(boxes, at('a'), { type: 'merge', body: { metadata: { finalizers } } }, 'user');
    only(['example.dev/two']);
    expect(server.read(boxes, at('a'))).toBeDefined();
    only([]);
    expect(server.read(boxes, at('a'))).toBeUndefined();
  });

  test('refuses a new finalizer once deletion has begun', () => {
    const server = boxServer();
    server.create(boxes, box('a', {}, { finalizers: ['example.dev/one'] }), 'user');
    server.remove(boxes, at('a'), 'user');
    const body = { metadata: { finalizers: ['example.dev/one', 'example.dev/new'] } };
    const failure = refusal(() => server.patch(boxes, at('a'), { type: 'merge', body }, 'user'));
    expect(failure.code).toBe(422);
    expect(failure.message).toContain('no new finalizers can be added if the object is being deleted');
  });

  test('leaves a pod on a node until the kubelet removes it with no grace', () => {
    const server = boxServer();
    server.create(pods, pod('p', { nodeName: 'n1' }), 'user');
    server.remove(pods, at('p'), 'user');
    expect(server.read(pods, at('p'))?.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    server.remove(pods, at('p'), 'user', { gracePeriodSeconds: 60 });
    expect(server.read(pods, at('p'))?.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    server.remove(pods, at('p'), 'kubelet', { gracePeriodSeconds: 0 });
    expect(server.read(pods, at('p'))).toBeUndefined();
  });

  test('removes a pod at once that no node has', () => {
    const server = boxServer();
    server.create(pods, pod('p'), 'user');
    server.remove(pods, at('p'), 'user');
    expect(server.read(pods, at('p'))).toBeUndefined();
  });

  test('tells the deletion under a version of its own', () => {
    const server = boxServer();
    const made = server.create(boxes, box('a'), 'user');
    const seen: Change[] = [];
    server.changes$.subscribe((change) => seen.push(change));
    server.remove(boxes, at('a'), 'someone');
    expect(seen).toMatchObject([{ type: 'deleted', actor: 'someone', previous: made }]);
    expect(Number(seen[0]?.object.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
  });
});

describe('core kinds', () => {
  test('a pod mounts only volumes it has', () => {
    const containers = [{ name: 'c', image: 'i', volumeDevices: [{ name: 'disk', devicePath: '/dev/x' }] }];
    const failure = refusal(() => boxServer().create(pods, pod('p', { containers }), 'user'));
    expect(failure.message).toBe('Pod "p" is invalid: spec.containers[0].volumeDevices[0].name: Not found: "disk"');
  });

  test('a pod keeps the spec it was made with, once it has a node', () => {
    const server = boxServer();
    server.create(pods, pod('p'), 'user');
    server.patch(pods, at('p'), { type: 'merge', body: { spec: { nodeName: 'n1' } } }, 'scheduler');
    const other = { type: 'merge', body: { spec: { nodeName: 'n2' } } } as const;
    expect(refusal(() => server.patch(pods, at('p'), other, 'user'))).toMatchObject({ code: 422 });
    const restart = { type: 'merge', body: { spec: { restartPolicy: 'Never' } } } as const;
    expect(refusal(() => server.patch(pods, at('p'), restart, 'user')).message).toContain('pod updates may not change');
  });

  test('a claim may grow, but not change its class', () => {
    const server = boxServer();
    server.create(claims, claim('c', { storageClassName: 'slow' }), 'user');
    const grow = { spec: { resources: { requests: { storage: '2Gi' } } } };
    server.patch(claims, at('c'), { type: 'merge', body: grow }, 'user');
    const move = { spec: { storageClassName: 'fast' } };
    expect(refusal(() => server.patch(claims, at('c'), { type: 'merge', body: move }, 'user'))).toMatchObject({
      code: 422,
    });
  });

  test('a namespace that is deleted takes all that is in it with it, and takes nothing new', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      server.create(namespaces, namespace('shop'), 'user');
      server.create(boxes, box('a', {}, { namespace: 'shop', finalizers: ['example.dev/one'] }), 'user');
      server.create(pods, pod('p', {}, { namespace: 'shop' }), 'user');
      server.remove(namespaces, { name: 'shop' }, 'user');
      const failure = refusal(() => server.create(boxes, box('b', {}, { namespace: 'shop' }), 'user'));
      expect(failure).toMatchObject({ code: 403, reason: 'Forbidden' });
      timeline(scheduler, {
        500: () => {
          expect(server.all(pods, 'shop')).toEqual([]);
          expect(server.read(namespaces, { name: 'shop' })?.['status']).toEqual({ phase: 'Terminating' });
          server.patch(
            boxes,
            { namespace: 'shop', name: 'a' },
            { type: 'merge', body: { metadata: { finalizers: null } } },
            'user',
          );
        },
        1000: () => expect(server.read(namespaces, { name: 'shop' })).toBeUndefined(),
      });
    }));

  const events: Resource = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };
  const regarding = { kind: 'Box', namespace: 'default', name: 'a' };
  const event = (more: Json): KubeObject => ({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: at('e'),
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding,
    note: 'moved',
    action: 'Move',
    reason: 'Moved',
    type: 'Normal',
    reportingController: 'transship',
    reportingInstance: 'transship-0',
    ...more,
  });

  test('an event of events.k8s.io shows in the core group', () => {
    const server = boxServer();
    server.create(events, event({}), 'user');
    const shown = server.read({ ...events, group: '' }, at('e'));
    expect(shown).toMatchObject({ involvedObject: regarding, message: 'moved', source: { component: 'transship' } });
  });

  test.each<readonly [string, Json, number, string]>([
    ['a time with milliseconds', { eventTime: '2026-01-01T00:00:00.000Z' }, 400, 'six digits'],
    ['no time', { eventTime: undefined }, 422, 'eventTime: Required value'],
    ['no instance', { reportingInstance: '' }, 422, 'reportingInstance: Required value'],
    ['no action', { action: undefined }, 422, 'action: Required value'],
    ['a type of its own', { type: 'Info' }, 422, 'type: Invalid value: "Info"'],
    ['a note that is too long', { note: 'x'.repeat(1025) }, 422, 'can have at most 1024 characters'],
    ['an object elsewhere', { regarding: { ...regarding, namespace: 'x' } }, 422, 'does not match event.namespace'],
  ])('an event is refused with %s', (_what, more, code, words) => {
    const failure = refusal(() => boxServer().create(events, event(more), 'user'));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(words);
  });

  test('an event keeps what it said', () => {
    const server = boxServer();
    server.create(events, event({}), 'user');
    const patch = (body: Json) => server.patch(events, at('e'), { type: 'merge', body }, 'user');
    expect(refusal(() => patch({ note: 'other' }))).toMatchObject({ code: 422 });
    patch({ series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' } });
    expect(server.read({ ...events, group: '' }, at('e'))).toMatchObject({ series: { count: 2 } });
  });

  test('a lease has times with microseconds', () => {
    const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true };
    const lease = (renewTime: string) => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: at('l'),
      spec: { renewTime },
    });
    const server = boxServer();
    expect(refusal(() => server.create(leases, lease('2026-01-01T00:00:00Z'), 'user'))).toMatchObject({ code: 400 });
    expect(server.create(leases, lease('2026-01-01T00:00:00.000000Z'), 'user')['spec']).toBeDefined();
  });
});

describe('garbage collection', () => {
  const owned = (name: string, ...uids: readonly (string | undefined)[]): KubeObject =>
    box(
      name,
      {},
      {
        ownerReferences: uids.map((uid = '') => ({ apiVersion: 'example.dev/v1', kind: 'Box', name: 'owner', uid })),
      },
    );

  test('deletes what an object owned, some time after it is gone', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer({ garbageMs: 10 });
      const owner = server.create(boxes, box('owner'), 'user');
      server.create(boxes, owned('child', owner.metadata.uid), 'user');
      server.remove(boxes, at('owner'), 'user');
      timeline(scheduler, {
        5: () => expect(server.read(boxes, at('child'))).toBeDefined(),
        20: () => expect(server.read(boxes, at('child'))).toBeUndefined(),
      });
    }));

  test('goes by uid: an owner of the same name that came later keeps nothing alive', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      const owner = server.create(boxes, box('owner'), 'user');
      server.create(boxes, owned('child', owner.metadata.uid), 'user');
      server.remove(boxes, at('owner'), 'user');
      server.create(boxes, box('owner'), 'user');
      timeline(scheduler, { 100: () => expect(server.read(boxes, at('child'))).toBeUndefined() });
    }));

  test('deletes an object that was made after its owner was gone', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      server.create(boxes, owned('orphan', 'never-there'), 'user');
      timeline(scheduler, { 100: () => expect(server.read(boxes, at('orphan'))).toBeUndefined() });
    }));

  test('keeps an object that has another owner, without the reference to the one that is gone', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      const [gone, stays] = ['gone', 'stays'].map((name) => server.create(boxes, box(name), 'user').metadata.uid);
      server.create(boxes, owned('child', gone, stays), 'user');
      server.remove(boxes, at('gone'), 'user');
      timeline(scheduler, {
        100: () => expect(server.read(boxes, at('child'))?.metadata.ownerReferences).toMatchObject([{ uid: stays }]),
      });
    }));
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
