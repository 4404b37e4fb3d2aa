// The simulated API server, deletion: what is removed at once, what waits for finalizers and grace periods, and what goes
// with its owner.
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/api.ts';
import type { Change } from '../../src/sim/cluster.ts';
import { at, box, boxes, boxServer, inVirtualTime, pod, pods, refusal, timeline } from './apiServerFixtures.ts';

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
