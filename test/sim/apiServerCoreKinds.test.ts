// The simulated API server, core kinds: the rules that a real one has for each of them beyond those for all.
import { describe, expect, test } from 'vitest';
import type { KubeObject, Resource } from '../../src/kube/api.ts';
import type { Json } from '../../src/sim/cluster.ts';
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
