// What is told of copy pods that do not get to run, and where copy pods are placed, on the simulated cluster.
import { describe, expect, test } from 'vitest';
import { KubeFailure } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { persistentVolumes } from '../../src/sim/nodes/volumeNodes.ts';
import { act, letPass, type Moment, machine, namespace, type Scene, scene, until } from './scene.ts';
import { at, type Machine } from './sight.ts';
import { isDone } from './storageMigrationFixtures.ts';

const web = machine('web');
const db = machine('db');
const off = (...machines: readonly Machine[]): Moment =>
  act((performing) => {
    for (const each of machines) performing.create(each, { runStrategy: 'Halted' });
  });
const ask = (spec: object, ...machines: readonly Machine[]): Moment =>
  act((performing) => performing.move({ ...performing.specOf(...machines), ...spec }));
const needsAttention = (performing: Scene): boolean => performing.condition('NeedsAttention').status === 'True';

/** Puts the target of a machine on the disks of one node. */
const onNode = (of: Machine, node: string): Moment =>
  act(({ world }) => {
    const name = `local-${of.name}`;
    const terms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }];
    world.server.create(
      persistentVolumes,
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name },
        spec: { nodeAffinity: { required: { nodeSelectorTerms: terms } } },
      },
      'user',
    );
    const claim = of.disks[0]?.target ?? '';
    world.server.create(
      resources.persistentVolumeClaims,
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claim, namespace },
        spec: { volumeName: name, accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
      },
      'user',
    );
  });

/** Machines whose targets are there already, each on a node of its own. */
const apart = (of: Machine, node: string): readonly Moment[] => [
  act(({ world }) => {
    const disks = of.disks.map(({ volume, source }) => ({ name: volume, claim: source }));
    world.people.createVm({ namespace, name: of.name, disks, runStrategy: 'Halted' });
  }),
  onNode(of, node),
];

describe('a copy server whose targets no one node can mount', () => {
  const both = [...apart(web, 'node1'), ...apart(db, 'node2'), letPass(1000)];

  test("is told within a minute in the scheduler's words, with the way out, and a server each is that way", () => {
    scene(
      [web, db],
      [
        ...both,
        ask({}, web, db),
        until(needsAttention),
        act((performing) => {
          expect(performing.world.server.now()).toBeLessThan(60_000);
          const { reason, message } = performing.condition('NeedsAttention');
          expect(reason).toBe('CopyPodPending');
          expect(message).toContain('2 node(s) had volume node affinity conflict');
          expect(message).toContain('set spec.transfer.server to PerVirtualMachine');
        }),
        act(({ world }) => {
          const body = { spec: { transfer: { server: 'PerVirtualMachine' } } };
          world.server.patch(resources.storageMigrations, { namespace, name: 'move' }, { type: 'merge', body }, 'user');
        }),
        until((performing) => isDone(web)(performing) && isDone(db)(performing)),
        act((performing) => expect(needsAttention(performing)).toBe(false)),
      ],
    );
  });
});

test('a server that waits for its keys is told in the words of the kubelet, and goes on when they are there', () => {
  let refuses = true;
  scene(
    [web],
    [
      act(({ world }) => {
        world.server.admit(resources.secrets, ({ object }) => {
          if (refuses) throw new KubeFailure('status', 'no Secrets today', { code: 403, reason: 'Forbidden' });
          return object;
        });
      }),
      off(web),
      ask({}, web),
      until(needsAttention),
      act((performing) => {
        expect(performing.world.server.now()).toBeLessThan(60_000);
        expect(performing.condition('NeedsAttention').message).toMatch(/FailedMount: .*secret.*not found/);
        refuses = false;
      }),
      until(isDone(web)),
      // The keys go with the server that owns them.
      until(({ world }) => world.server.all(resources.secrets, namespace).length === 0),
    ],
  );
});

test('targets that are bound to a node only when a pod mounts them are bound by the server', () => {
  scene(
    [web],
    [
      act(({ world }) => {
        const disks = web.disks.map(({ volume, source }) => ({ name: volume, claim: source }));
        world.people.createVm({ namespace, name: web.name, disks, runStrategy: 'Halted' });
      }),
      act((performing) => {
        const [machineSpec] = performing.specOf(web).virtualMachines;
        const volumes = (at(machineSpec, 'volumes') as readonly object[]).map((volume) => ({
          ...volume,
          target: { claimName: 'web-new', storageClassName: 'local' },
        }));
        performing.move({ virtualMachines: [{ name: 'web', volumes }] });
      }),
      until(isDone(web)),
    ],
    { world: { nodes: { waitForFirstConsumer: ['local'] } } },
  );
});

test('copy pods that the API server refuses are told in its words, and made when it takes them', () => {
  const words = 'pods "copy-server" is forbidden: failed quota: all: must specify limits.cpu for: copy';
  let refuses = true;
  scene(
    [web],
    [
      act(({ world }) => {
        world.server.admit(resources.pods, ({ object }) => {
          if (refuses && object.metadata.name.startsWith('copy-server')) {
            throw new KubeFailure('status', words, { code: 403, reason: 'Forbidden' });
          }
          return object;
        });
      }),
      off(web),
      ask({}, web),
      until(needsAttention),
      act((performing) => {
        expect(performing.world.server.now()).toBeLessThan(90_000);
        expect(performing.condition('NeedsAttention').reason).toBe('CopyPodRefused');
        expect(performing.condition('NeedsAttention').message).toContain(words);
        refuses = false;
      }),
      until(isDone(web)),
      act((performing) => expect(needsAttention(performing)).toBe(false)),
    ],
  );
});

const clientIn = ({ world }: Scene): unknown =>
  world.server.all(resources.pods, namespace).find(({ metadata }) => metadata.name.startsWith('copy-client'));

test('a copy pod that does not go because its node is lost is told with the node, and the copy goes on when it is gone', () => {
  let node = '';
  scene(
    [web],
    [
      off(web),
      ask({}, web),
      until((performing) => at(clientIn(performing), 'status', 'phase') === 'Running'),
      act((performing) => {
        const { world } = performing;
        const pod = clientIn(performing);
        const name = String(at(pod, 'metadata', 'name'));
        node = String(at(pod, 'spec', 'nodeName'));
        world.nodes.lose(node);
        // As the taint manager does.
        world.server.remove(resources.pods, { namespace, name }, 'taint-eviction-controller');
      }),
      until(needsAttention),
      act((performing) => {
        expect(performing.condition('NeedsAttention').reason).toBe('CopyPodLingers');
        expect(performing.condition('NeedsAttention').message).toContain(`see whether node ${node} is up`);
        performing.world.nodes.recover(node);
      }),
      until(isDone(web)),
      act((performing) => expect(needsAttention(performing)).toBe(false)),
    ],
  );
});
