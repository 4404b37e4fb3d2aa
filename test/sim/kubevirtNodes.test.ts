// The nodes: scheduling, claims that only one node may use, how pods end, and claims themselves.
import { asyncScheduler, delay, NEVER, Observable, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import { createWeb, live, toB, type World, web } from './kubevirtWorld.ts';

const pod =
  (name: string, claims: readonly string[], more: object = {}) =>
  ({ server }: World): void => {
    server.create(
      resources.pods,
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default' },
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'main', image: 'x' }],
          volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
          ...more,
        },
      },
      'user',
    );
  };
const on = (node: string) => ({ nodeSelector: { 'kubernetes.io/hostname': node } });
const claim =
  (name: string, accessModes: readonly string[] = ['ReadWriteOnce'], storageClassName?: string) =>
  ({ user }: World): void =>
    user.createClaim(
      { namespace: 'default', name },
      { accessModes, ...(storageClassName === undefined ? {} : { storageClassName }) },
    );
const phaseOf = ({ pods }: World, name: string) => pods().find(({ metadata }) => metadata.name === name)?.status?.phase;
const nodeOf = ({ pods }: World, name: string) => pods().find(({ metadata }) => metadata.name === name)?.spec.nodeName;
const claimPhase = ({ server }: World, name: string) =>
  (
    server.read(resources.persistentVolumeClaims, { namespace: 'default', name })?.['status'] as
      | { phase?: string }
      | undefined
  )?.phase;

describe('claims', () => {
  test('a ReadWriteOnce claim keeps a pod on another node waiting until its users have ended', () => {
    live({}, [
      [0, claim('disk')],
      [0, pod('first', ['disk'], on('node1'))],
      [1, pod('second', ['disk'], on('node2'))],
      [1, pod('third', ['disk'], on('node1'))],
      [
        5,
        (world) =>
          expect(['first', 'second', 'third'].map((name) => phaseOf(world, name))).toEqual([
            'Running',
            'Pending',
            'Running',
          ]),
      ],
      [5, ({ user }) => user.deletePod({ namespace: 'default', name: 'first' })],
      [8, (world) => expect(phaseOf(world, 'second')).toBe('Pending')],
      [8, ({ user }) => user.deletePod({ namespace: 'default', name: 'third' })],
      [10, (world) => expect(phaseOf(world, 'second')).toBe('Running')],
    ]);
  });

  test('a ReadWriteMany claim may be used on both nodes, a ReadWriteOncePod claim by one pod', () => {
    live({}, [
      [0, claim('shared', ['ReadWriteMany'])],
      [0, claim('single', ['ReadWriteOncePod'])],
      [0, pod('one', ['shared', 'single'], on('node1'))],
      [1, pod('two', ['shared'], on('node2'))],
      [1, pod('three', ['single'], on('node1'))],
      [
        5,
        (world) =>
          expect(['one', 'two', 'three'].map((name) => phaseOf(world, name))).toEqual([
            'Running',
            'Running',
            'Pending',
          ]),
      ],
    ]);
  });

  test('is bound when it is made, or with its first consumer when its class waits for one', () => {
    live({ nodes: { waitForFirstConsumer: ['lazy'] } }, [
      [0, claim('eager')],
      [0, claim('waiting', ['ReadWriteOnce'], 'lazy')],
      [1, (world) => expect([claimPhase(world, 'eager'), claimPhase(world, 'waiting')]).toEqual(['Bound', 'Pending'])],
      [1, pod('consumer', ['waiting'])],
      [3, (world) => expect([claimPhase(world, 'waiting'), phaseOf(world, 'consumer')]).toEqual(['Bound', 'Running'])],
    ]);
  });

  test('in use is not deleted before its last user has ended', () => {
    live({}, [
      [0, claim('disk')],
      [0, pod('user', ['disk'])],
      [
        3,
        ({ server }) => server.remove(resources.persistentVolumeClaims, { namespace: 'default', name: 'disk' }, 'user'),
      ],
      [4, (world) => expect(claimPhase(world, 'disk')).toBe('Bound')],
      [4, ({ user }) => user.deletePod({ namespace: 'default', name: 'user' })],
      [6, (world) => expect(claimPhase(world, 'disk')).toBeUndefined()],
    ]);
  });

  test('keeps a pod Pending that names one which does not exist', () => {
    live({}, [
      [0, pod('early', ['disk'])],
      [5, (world) => expect([nodeOf(world, 'early'), phaseOf(world, 'early')]).toEqual(['node1', 'Pending'])],
      [5, claim('disk')],
      [7, (world) => expect(phaseOf(world, 'early')).toBe('Running')],
    ]);
  });
});

describe('pods', () => {
  test('report how their containers ended, with the termination message', () => {
    live(
      {
        nodes: {
          runners: [
            ({ metadata }) => of({ exitCode: metadata.name === 'good' ? 0 : 3, message: 'bye' }).pipe(delay(1000)),
          ],
        },
      },
      [
        [0, pod('good', [])],
        [0, pod('bad', [])],
        [
          3,
          (world) => {
            expect([phaseOf(world, 'good'), phaseOf(world, 'bad')]).toEqual(['Succeeded', 'Failed']);
            const statuses = world.pods().map(({ status }) => status?.['containerStatuses']);
            expect(statuses).toMatchObject([
              [{ state: { terminated: { exitCode: 0, message: 'bye' } } }],
              [{ state: { terminated: { exitCode: 3, message: 'bye' } } }],
            ]);
          },
        ],
      ],
    );
  });

  test('that do not stop are killed after their grace period, and only then removed', () => {
    live({ nodes: { runners: [() => NEVER] } }, [
      [0, pod('stubborn', [], { terminationGracePeriodSeconds: 5 })],
      [2, ({ user }) => user.deletePod({ namespace: 'default', name: 'stubborn' })],
      [6.9, (world) => expect(phaseOf(world, 'stubborn')).toBe('Running')],
      [8, (world) => expect(phaseOf(world, 'stubborn')).toBeUndefined()],
    ]);
  });

  test('without a node go at once when they are deleted', () => {
    live({}, [
      [0, ({ nodes }) => nodes.hold(() => true)],
      [0, pod('held', [])],
      [3, (world) => expect([nodeOf(world, 'held'), phaseOf(world, 'held')]).toEqual([undefined, 'Pending'])],
      [3, ({ user }) => user.deletePod({ namespace: 'default', name: 'held' })],
      [3, (world) => expect(phaseOf(world, 'held')).toBeUndefined()],
    ]);
  });

  test('of a lost node stay Terminating until the node is back', () => {
    live({}, [
      [0, pod('far', [], on('node2'))],
      [3, ({ nodes }) => nodes.lose('node2')],
      [3, ({ user }) => user.deletePod({ namespace: 'default', name: 'far' })],
      [600, (world) => expect(phaseOf(world, 'far')).toBe('Running')],
      [600, ({ nodes }) => nodes.recover('node2')],
      [601, (world) => expect(phaseOf(world, 'far')).toBeUndefined()],
    ]);
  });

  test('that ended on a lost node are reported when the node is back', () => {
    live({ nodes: { runners: [() => of({ exitCode: 0 }).pipe(delay(5000))] } }, [
      [0, pod('far', [])],
      [3, ({ nodes }) => nodes.lose('node1')],
      [20, (world) => expect(phaseOf(world, 'far')).toBe('Running')],
      [20, ({ nodes }) => nodes.recover('node1')],
      [21, (world) => expect(phaseOf(world, 'far')).toBe('Succeeded')],
    ]);
  });

  test('that fit no node say so, and are placed when one opens', () => {
    live({ nodes: { names: ['node1'] } }, [
      [0, createWeb('Always')],
      [3, toB],
      [
        12,
        (world) => {
          const [, target] = world.launchers();
          expect(target?.status?.conditions).toMatchObject([
            { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' },
          ]);
          expect(world.runsOn()).toEqual(['a']);
        },
      ],
    ]);
    live({}, [
      [0, ({ nodes }) => nodes.cordon('node2')],
      [0, createWeb('Always')],
      [3, toB],
      [12, (world) => expect(world.runsOn()).toEqual(['a'])],
      [12, ({ nodes }) => nodes.uncordon('node2')],
      [20, (world) => expect(world.runsOn()).toEqual(['b'])],
    ]);
  });
});

test('the second virt-launcher of a VM can be held back and let go', () => {
  live({}, [
    [0, ({ kube }) => kube.nodeSide(web, { target: 'hold' })],
    [0, createWeb('Always')],
    [3, toB],
    [20, (world) => expect(world.launchers().map(({ status }) => status?.phase)).toEqual(['Running', 'Pending'])],
    [20, ({ kube }) => kube.nodeSide(web, { target: 'release' })],
    [28, (world) => expect(world.runsOn()).toEqual(['b'])],
  ]);
});

describe('Secrets', () => {
  const secret =
    (name: string, data: object) =>
    ({ server }: World): void => {
      const metadata = { name, namespace: 'default' };
      server.create(resources.secrets, { apiVersion: 'v1', kind: 'Secret', metadata, data }, 'user');
    };
  const mounting = (items?: readonly { readonly key: string; readonly path: string }[]) =>
    pod('mounting', [], { volumes: [{ name: 'keys', secret: { secretName: 'keys', items } }] });
  const events = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true } as const;
  const failures = ({ server }: World) =>
    server.all(events, 'default').map(({ reason, message, count }) => ({ reason, message, count }));
  const waiting = ({ pods }: World) => pods()[0]?.status?.['containerStatuses'];

  test('that are missing keep a pod in ContainerCreating, tried less and less often, and an Event says so', () => {
    live({}, [
      [0, mounting()],
      [
        // Tried at 0.23 s, and then 0.5 s, 1 s and 2 s after each other.
        4,
        (world) => {
          expect(phaseOf(world, 'mounting')).toBe('Pending');
          expect(waiting(world)).toMatchObject([{ state: { waiting: { reason: 'ContainerCreating' } } }]);
          const message = 'MountVolume.SetUp failed for volume "keys" : secret "keys" not found';
          expect(failures(world)).toEqual([{ reason: 'FailedMount', message, count: 4 }]);
        },
      ],
      [4, secret('keys', {})],
      [7, (world) => expect(phaseOf(world, 'mounting')).toBe('Pending')],
      [9, (world) => expect(phaseOf(world, 'mounting')).toBe('Running')],
    ]);
  });

  test('have to hold every key that is asked for', () => {
    live({}, [
      [0, secret('keys', { psk: '' })],
      [0, mounting([{ key: 'password', path: 'password' }])],
      [1, (world) => expect(phaseOf(world, 'mounting')).toBe('Pending')],
      [
        1,
        (world) =>
          expect(failures(world)[0]?.message).toBe(
            'MountVolume.SetUp failed for volume "keys" : references non-existent secret key: password',
          ),
      ],
    ]);
  });

  test('that never come do not keep a pod from being deleted, and its claims are free again', () => {
    live({}, [
      [0, claim('single', ['ReadWriteOncePod'])],
      [
        0,
        pod('stuck', [], {
          volumes: [
            { name: 'keys', secret: { secretName: 'keys' } },
            { name: 'disk', persistentVolumeClaim: { claimName: 'single' } },
          ],
        }),
      ],
      [1, pod('next', ['single'])],
      [3, (world) => expect([phaseOf(world, 'stuck'), phaseOf(world, 'next')]).toEqual(['Pending', 'Pending'])],
      [3, ({ user }) => user.deletePod({ namespace: 'default', name: 'stuck' })],
      [5, (world) => expect([phaseOf(world, 'stuck'), phaseOf(world, 'next')]).toEqual([undefined, 'Running'])],
    ]);
  });

  test('are looked for again on a node that was lost meanwhile', () => {
    live({}, [
      [0, mounting()],
      [1, ({ nodes }) => nodes.lose('node1')],
      [2, secret('keys', {})],
      [60, (world) => expect(phaseOf(world, 'mounting')).toBe('Pending')],
      [60, ({ nodes }) => nodes.recover('node1')],
      [61, (world) => expect(phaseOf(world, 'mounting')).toBe('Running')],
    ]);
  });
});

test('every pod has an address of its own', () => {
  live({}, [
    [0, pod('one', [])],
    [0, pod('two', [])],
    [2, ({ pods }) => expect(new Set(pods().map(({ status }) => status?.['podIP'])).size).toBe(2)],
    [2, ({ pods }) => expect(pods()[0]?.status?.['podIP']).toMatch(/^10\.244\.0\.\d+$/)],
  ]);
});

test('containers that are killed have been unsubscribed when the pod says that it has ended', () => {
  let killedMs = 0;
  const runner = () => new Observable<never>(() => () => (killedMs ||= asyncScheduler.now()));
  live({ nodes: { runners: [runner], removeMs: 60_000 } }, [
    [0, pod('stubborn', [], { terminationGracePeriodSeconds: 5 })],
    [2, ({ user }) => user.deletePod({ namespace: 'default', name: 'stubborn' })],
    [8, (world) => expect([phaseOf(world, 'stubborn'), killedMs]).toEqual(['Failed', 7000])],
  ]);
});
