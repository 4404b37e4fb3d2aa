// Live volume migrations on the simulated KubeVirt: how they begin, succeed, fail and are cancelled (contract §1 to §3, §5).
import { describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import { model } from '../../src/sim/kubevirt/model.ts';
import { backToA, createWeb, live, toB, type World, web } from './kubevirtWorld.ts';

const volumesChange = ({ vmi }: World) => model.conditionOf(vmi()?.status?.conditions, 'VolumesChange');
const phases = ({ vmims }: World): readonly (string | undefined)[] => vmims().map(({ status }) => status?.phase);
const claims = (volumes: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[] | undefined) =>
  (volumes ?? []).map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName);

const createWithTwoDisks = ({ user }: World): void => {
  const disks = [
    { claim: 'a0', target: 'b0' },
    { claim: 'a1', target: 'b1' },
  ];
  user.createVm({ name: 'web', disks });
};
const bothToB = ({ user }: World): void => user.setClaims(web, { disk0: 'b0', disk1: 'b1' }, 'Migration');

describe('a live migration that succeeds', () => {
  test('names B in VM and VMI from the first second, while the guest is on A', () => {
    live({}, [
      [0, createWeb('Always')],
      [3, toB],
      [
        3.5,
        (world) => {
          expect(claims(world.vmi()?.spec.volumes)).toEqual(['b']);
          expect(volumesChange(world)?.status).toBe('True');
          expect(world.vmi()?.status?.migratedVolumes).toHaveLength(1);
          expect(world.runsOn()).toEqual(['a']);
          expect(world.vmims()).toHaveLength(0);
        },
      ],
    ]);
  });

  test('makes the VMIM within the throttle of five seconds, with its labels and priority', () => {
    live({}, [
      [0, createWeb('Always')],
      [6, toB],
      [10.9, (world) => expect(world.vmims()).toHaveLength(0)],
      [
        11.2,
        (world) => {
          const [vmim] = world.vmims();
          expect(vmim?.metadata.labels).toEqual({
            'kubevirt.io/volume-update-migration': 'web',
            'kubevirt.io/vmi-name': 'web',
          });
          expect(vmim?.spec).toEqual({ vmiName: 'web', priority: 'user-triggered' });
        },
      ],
    ]);
  });

  test('switches over before nodeName moves, and clears VolumesChange and migratedVolumes at the end', () => {
    const seen: string[] = [];
    live({}, [
      [
        0,
        (world) => {
          world.server.changes$.subscribe(({ resource }) => {
            const state = world.vmi()?.status?.migrationState;
            if (resource.plural !== 'virtualmachineinstances' || state === undefined) return;
            const at = `${state.targetNodeDomainReadyTimestamp === undefined ? 'source' : 'target'} ${world.vmi()?.status?.nodeName} ${world.runsOn()}`;
            if (seen.at(-1) !== at) seen.push(at);
          });
          createWeb('Always')(world);
        },
      ],
      [3, toB],
      [
        15,
        (world) => {
          expect(seen).toEqual(['source node1 a', 'target node1 b', 'target node2 b']);
          expect(volumesChange(world)).toBeUndefined();
          expect(world.vmi()?.status?.migratedVolumes).toBeUndefined();
          expect(world.vmi()?.status?.migrationState).toMatchObject({ completed: true, targetNode: 'node2' });
          expect(phases(world)).toEqual(['Succeeded']);
          expect(world.vm().status?.volumeUpdateState?.volumeMigrationState).toBeDefined();
          expect(world.disks.lostWrites(web)).toEqual([]);
        },
      ],
    ]);
  });

  test('leaves the finished source pod, which names A, until the VMI goes', () => {
    live({}, [
      [0, createWeb('Always')],
      [3, toB],
      [15, (world) => expect(world.launchers().map(({ status }) => status?.phase)).toEqual(['Succeeded', 'Running'])],
      [15, ({ user }) => user.stop(web)],
      [19, (world) => expect([world.pods().length, world.vmims().length]).toEqual([0, 0])],
      [19, ({ user }) => user.start(web)],
      [
        23,
        (world) => {
          expect(world.runsOn()).toEqual(['b']);
          expect(world.disks.boots.at(-1)).toMatchObject({ claim: 'b', lostBlocks: 0 });
        },
      ],
    ]);
  });

  test('moves all RWO disks of a VM together', () => {
    live({}, [
      [0, createWithTwoDisks],
      [3, bothToB],
      [15, (world) => expect([world.runsOn(), world.disks.lostWrites(web)]).toEqual([['b0', 'b1'], []])],
    ]);
  });

  test('moves hotplugged disks through attachment pods, which alone mount them', () => {
    live({}, [
      [
        0,
        ({ user }) =>
          user.createVm({
            name: 'web',
            disks: [
              { claim: 'a0', target: 'b0' },
              { claim: 'a1', target: 'b1', hotplug: true },
            ],
          }),
      ],
      [
        4,
        (world) => {
          expect(world.runsOn()).toEqual(['a0', 'a1']);
          const [launcher] = world.launchers();
          const attachment = world.pods().find(({ metadata }) => metadata.labels?.['kubevirt.io'] === 'hotplug-disk');
          expect(model.controllerUid(attachment ?? world.vm())).toBe(launcher?.metadata.uid);
          expect(claims(launcher?.spec.volumes).filter(Boolean)).toEqual(['a0']);
          expect(claims(attachment?.spec.volumes).filter(Boolean)).toEqual(['a1']);
        },
      ],
      [4, bothToB],
      [
        18,
        (world) => {
          expect(world.runsOn()?.toSorted()).toEqual(['b0', 'b1']);
          expect(world.disks.lostWrites(web)).toEqual([]);
          const attached = world.pods().filter(({ metadata }) => metadata.labels?.['kubevirt.io'] === 'hotplug-disk');
          expect(attached.map(({ spec }) => claims(spec.volumes).filter(Boolean))).toEqual([['b1']]);
        },
      ],
    ]);
  });
});

describe('a live migration that does not begin', () => {
  test('without strategy Migration asks for a restart; the strategy added later begins it', () => {
    live({}, [
      [0, createWeb('Always')],
      [3, ({ user }) => user.setClaims(web, { disk0: 'b' })],
      [
        4,
        (world) =>
          expect([world.condition('RestartRequired'), claims(world.vmi()?.spec.volumes)]).toEqual(['True', ['a']]),
      ],
      [4, toB],
      [15, (world) => expect([world.condition('RestartRequired'), world.runsOn()]).toEqual([undefined, ['b']])],
    ]);
  });

  test('is refused while an RWO disk would stay behind', () => {
    live({}, [
      [0, createWithTwoDisks],
      [3, ({ user }) => user.setClaims(web, { disk0: 'b0' }, 'Migration')],
      [
        12,
        (world) => {
          const condition = model.conditionOf(world.vm().status?.conditions, 'RestartRequired');
          expect(condition?.message).toBe(
            'cannot migrate the VM. The volume disk1 is RWO and not included in the migration volumes',
          );
          expect([world.vmims().length, world.runsOn()]).toEqual([0, ['a0', 'a1']]);
        },
      ],
      [12, bothToB],
      [24, (world) => expect(world.runsOn()).toEqual(['b0', 'b1'])],
    ]);
  });

  test('waits for a target that does not exist', () => {
    live({}, [
      [0, createWeb('Always')],
      [3, ({ user }) => user.setClaims(web, { disk0: 'late' }, 'Migration')],
      [
        8,
        (world) => {
          expect(volumesChange(world)).toMatchObject({ status: 'False' });
          expect(volumesChange(world)?.message).toContain("One of the destination volumes doesn't exist");
          expect(world.condition('RestartRequired')).toBeUndefined();
          world.user.createClaim({ namespace: 'default', name: 'late' }, {});
        },
      ],
      [20, (world) => expect(world.runsOn()).toEqual(['late'])],
    ]);
  });

  test('never has a VMIM when KubeVirt is not told to migrate, nor while it is being deployed', () => {
    for (const settings of [{ workloadUpdateMethods: [] }, { phase: 'Deploying' }]) {
      live({ kubeVirt: { settings } }, [
        [0, createWeb('Always')],
        [3, toB],
        [60, (world) => expect([volumesChange(world)?.status, world.vmims().length]).toEqual(['True', 0])],
      ]);
    }
  });

  test('is not acted on under rollout strategy Stage', () => {
    live({ kubeVirt: { settings: { rolloutStrategy: 'Stage' } } }, [
      [0, createWeb('Always')],
      [3, toB],
      [20, (world) => expect([claims(world.vmi()?.spec.volumes), world.runsOn()]).toEqual([['a'], ['a']])],
    ]);
  });
});

describe('a live migration that is cancelled', () => {
  test('by a revert: VMI back on A, VMIM aborted seconds later, the guest undisturbed', () => {
    live({ kubeVirt: { liveCopyMs: 60_000 } }, [
      [0, createWeb('Always')],
      [3, toB],
      [12, backToA],
      [
        12.2,
        (world) => {
          expect(volumesChange(world)).toMatchObject({ status: 'False', reason: 'VolumesChangeCancellation' });
          expect(claims(world.vmi()?.spec.volumes)).toEqual(['a']);
          expect(world.vmi()?.status?.migratedVolumes).toBeUndefined();
          expect(world.vm().status?.volumeUpdateState).toEqual({});
          expect(phases(world)).toEqual(['Running']);
        },
      ],
      [
        20,
        (world) => {
          expect(world.vmi()?.status?.migrationState).toMatchObject({
            abortRequested: true,
            abortStatus: 'Succeeded',
            failed: true,
            completed: true,
          });
          expect(world.vmims()).toHaveLength(0);
          expect(world.launchers().map(({ status }) => status?.phase)).toEqual(['Running', 'Failed']);
          expect([world.runsOn(), world.disks.lostWrites(web)]).toEqual([['a'], []]);
        },
      ],
    ]);
  });

  test('by a revert just after the switch-over ends clean on A while the guest is on B', () => {
    live({ kubeVirt: { handOverMs: 1600 } }, [
      [0, createWeb('Always')],
      [3, toB],
      [
        8.5,
        (world) => {
          expect(world.vmi()?.status?.migrationState?.targetNodeDomainReadyTimestamp).toBeDefined();
          expect(world.vmi()?.status?.nodeName).toBe('node1');
          backToA(world);
        },
      ],
      [
        16,
        (world) => {
          expect([claims(world.vmi()?.spec.volumes), phases(world)]).toEqual([['a'], ['Succeeded']]);
          expect(world.vm().status?.printableStatus).toBe('Running');
          expect(volumesChange(world)).toBeUndefined();
          expect(world.runsOn()).toEqual(['b']);
          world.user.setClaims(web, { disk0: 'b' }, 'Replacement');
        },
      ],
      [17, (world) => expect([world.condition('RestartRequired'), world.vmims().length]).toEqual(['True', 1])],
    ]);
  });

  test('by anything but a full revert fails and goes on', () => {
    live({ kubeVirt: { liveCopyMs: 10_000 } }, [
      [0, createWeb('Always')],
      [3, toB],
      [9, ({ user }) => user.setClaims(web, { disk0: 'c' })],
      [10, (world) => expect([world.condition('Failure'), phases(world)]).toEqual(['True', ['Running']])],
      [20, (world) => expect(world.runsOn()).toEqual(['b'])],
    ]);
  });

  test('by deleting the VMIM is only begun again', () => {
    live({ kubeVirt: { liveCopyMs: 6000 } }, [
      [0, createWeb('Always')],
      [3, toB],
      [
        8,
        ({ server, vmims }) =>
          server.remove(resources.virtualMachineInstanceMigrations, vmims()[0]?.metadata ?? web, 'user'),
      ],
      [30, (world) => expect([phases(world), world.runsOn()]).toEqual([['Succeeded'], ['b']])],
    ]);
  });
});

describe('attempts that fail', () => {
  test('are repeated for ever, with a back-off of 20, 40 and 80 seconds, and five are kept', () => {
    const targets: number[] = [];
    live({}, [
      [
        0,
        (world) => {
          world.kube.nodeSide(web, { copy: 'fail' });
          world.server.changes$.subscribe(({ resource, type, object }) => {
            const target = object.metadata.labels?.['kubevirt.io/migrationJobUID'] !== undefined;
            if (resource.plural === 'pods' && type === 'added' && target)
              targets.push(Math.round(world.server.now() / 1000));
          });
          createWeb('Always')(world);
        },
      ],
      [3, toB],
      [
        1500,
        (world) => {
          const gaps = targets.map((at, index) => at - (targets[index - 1] ?? at)).slice(1, 4);
          for (const [index, expected] of [20, 40, 80].entries()) {
            expect(gaps[index]).toBeGreaterThanOrEqual(expected);
            expect(gaps[index]).toBeLessThan(expected + 6);
          }
          expect(phases(world).filter((phase) => phase === 'Failed')).toHaveLength(5);
          expect(world.runsOn()).toEqual(['a']);
        },
      ],
    ]);
  });

  test('end when the nodes copy again', () => {
    live({}, [
      [
        0,
        (world) => {
          world.kube.nodeSide(web, { copy: 'fail' });
          createWeb('Always')(world);
        },
      ],
      [3, toB],
      [15, ({ kube }) => kube.nodeSide(web, { copy: 'succeed' })],
      [60, (world) => expect([phases(world), world.runsOn()]).toEqual([['Failed', 'Succeeded'], ['b']])],
    ]);
  });
});

test('no more than two migrations leave a node at once', () => {
  const names = ['one', 'two', 'three'];
  live({ kubeVirt: { liveCopyMs: 10_000 } }, [
    [
      0,
      ({ user }) => {
        for (const name of names) user.createVm({ name, disks: [{ claim: `${name}-a`, target: `${name}-b` }] });
      },
    ],
    [
      3,
      ({ user }) => {
        for (const name of names) user.setClaims({ namespace: 'default', name }, { disk0: `${name}-b` }, 'Migration');
      },
    ],
    [12, (world) => expect([...phases(world)].sort()).toEqual(['Pending', 'Running', 'Running'])],
    [45, (world) => expect(phases(world)).toEqual(['Succeeded', 'Succeeded', 'Succeeded'])],
  ]);
});
