// What the real KubeVirt does wrong, or too early, or not at all, and the simulated one with it (contract §0, §4).
import { describe, expect, test } from 'vitest';
import { backToA, createWeb, live, toB, type World, web } from './kubevirtWorld.ts';

const slowCopy = { kubeVirt: { liveCopyMs: 60_000 } };
/** Begins a live copy that is half done at 10 s. */
const copying = (
  runStrategy: Parameters<typeof createWeb>[0],
): readonly (readonly [number, (world: World) => void])[] => [
  [0, createWeb(runStrategy)],
  [0.1, ({ user }) => (runStrategy === 'Manual' ? user.start(web) : undefined)],
  [3, toB],
];
const claimOfVmi = ({ vmi }: World) => vmi()?.spec.volumes?.[0]?.persistentVolumeClaim?.claimName;
const printed = ({ vm }: World) => vm().status?.printableStatus;
const lastBoot = ({ disks }: World) => disks.boots.at(-1);

describe('a guest that ends in the middle of a copy', () => {
  test('stopped: the VM asks for manual recovery and cannot be started until its volumes are back', () => {
    live(slowCopy, [
      ...copying('Always'),
      [10, ({ user }) => user.stop(web)],
      [
        14,
        (world) => {
          expect([printed(world), world.condition('ManualRecoveryRequired')]).toEqual(['Stopped', 'True']);
          expect(() => world.user.start(web)).toThrow('VM recovery required');
          backToA(world);
        },
      ],
      [
        15,
        (world) => {
          expect([world.condition('ManualRecoveryRequired'), world.condition('VolumesChange')]).toEqual([
            undefined,
            undefined,
          ]);
          world.user.start(web);
        },
      ],
      [19, (world) => expect([world.runsOn(), world.disks.lostWrites(web)]).toEqual([['a'], []])],
    ]);
  });

  test('shut down with Always: KubeVirt boots the half-copied B, and it looks like a success', () => {
    live(slowCopy, [
      ...copying('Always'),
      [10, ({ user }) => user.guestShutdown(web)],
      [
        16,
        (world) => {
          expect([printed(world), world.runsOn(), claimOfVmi(world)]).toEqual(['Running', ['b'], 'b']);
          expect([world.condition('VolumesChange'), world.condition('ManualRecoveryRequired')]).toEqual([
            undefined,
            undefined,
          ]);
          expect([world.vmi()?.status?.migratedVolumes, world.vmims().length]).toEqual([undefined, 0]);
          expect(lastBoot(world)).toMatchObject({ claim: 'b' });
          expect(lastBoot(world)?.lostBlocks).toBeGreaterThan(0);
        },
      ],
    ]);
  });

  test('crashed with RerunOnFailure, deleted with Once: the same', () => {
    live(slowCopy, [
      ...copying('RerunOnFailure'),
      [10, ({ user }) => user.guestCrash(web)],
      [16, (world) => expect([world.runsOn(), lastBoot(world)?.lostBlocks === 0]).toEqual([['b'], false])],
    ]);
    live(slowCopy, [
      ...copying('Once'),
      [10, ({ user }) => user.deleteVmi(web)],
      [16, (world) => expect([world.runsOn(), lastBoot(world)?.lostBlocks === 0]).toEqual([['b'], false])],
    ]);
  });

  test('shut down with RerunOnFailure: not started again, manual recovery asked for', () => {
    live(slowCopy, [
      ...copying('RerunOnFailure'),
      [10, ({ user }) => user.guestShutdown(web)],
      [16, (world) => expect([world.vmi(), world.condition('ManualRecoveryRequired')]).toEqual([undefined, 'True'])],
    ]);
  });

  test('deleted with Always and reverted at once: boots A with everything on it', () => {
    live(slowCopy, [
      ...copying('Always'),
      [10, ({ user }) => user.deleteVmi(web)],
      [10.1, backToA],
      [
        16,
        (world) => {
          expect([world.runsOn(), claimOfVmi(world), world.condition('ManualRecoveryRequired')]).toEqual([
            ['a'],
            'a',
            undefined,
          ]);
          expect(world.disks.boots.map(({ lostBlocks }) => lostBlocks)).toEqual([0, 0]);
        },
      ],
    ]);
  });

  test('shut down with Manual: Stopped without the condition; a start then brings it and stays queued', () => {
    live(slowCopy, [
      ...copying('Manual'),
      [10, ({ user }) => user.guestShutdown(web)],
      [
        14,
        (world) => {
          expect([printed(world), world.condition('ManualRecoveryRequired')]).toEqual(['Stopped', undefined]);
          expect(world.vmi()?.status?.phase).toBe('Succeeded');
          world.user.start(web);
        },
      ],
      [
        20,
        (world) => {
          expect([world.vmi(), world.condition('ManualRecoveryRequired')]).toEqual([undefined, 'True']);
          expect(world.vm().status?.stateChangeRequests).toEqual([{ action: 'Start' }]);
          backToA(world);
        },
      ],
      [24, (world) => expect([world.runsOn(), lastBoot(world)?.lostBlocks]).toEqual([['a'], 0])],
    ]);
  });

  test('its VMIM fails and goes with the VMI', () => {
    live(slowCopy, [
      ...copying('Always'),
      [10, ({ user }) => user.stop(web)],
      [10.9, (world) => expect(world.vmims().map(({ status }) => status?.phase)).toEqual(['Failed'])],
      [14, (world) => expect(world.vmims()).toEqual([])],
    ]);
  });
});

describe('conflicts that lose a write', () => {
  const again: readonly (readonly [number, (world: World) => void])[] = [
    [0, createWeb('Always')],
    [3, toB],
    [10, backToA],
    [20, toB],
  ];

  test('without its record a second attempt that is stopped leaves a VM that starts on B with no block', () => {
    const options = { kubeVirt: { liveCopyMs: 60_000, accidents: { losesMigrationRecord: 1 } } };
    live(options, [
      ...again,
      [
        30,
        (world) => {
          expect(world.vm().status?.volumeUpdateState).toEqual({});
          world.user.stop(web);
        },
      ],
      [
        34,
        (world) => {
          expect(world.condition('ManualRecoveryRequired')).toBeUndefined();
          world.user.start(web);
        },
      ],
      [38, (world) => expect([world.runsOn(), lastBoot(world)?.lostBlocks === 0]).toEqual([['b'], false])],
    ]);
  });

  test('a lost cancellation leaves VolumesChange True on a VM that is back on A', () => {
    live({ kubeVirt: { liveCopyMs: 60_000, accidents: { losesCancellation: 1 } } }, [
      [0, createWeb('Always')],
      [3, toB],
      [10, ({ user }) => user.stop(web)],
      [10.1, backToA],
      [
        15,
        (world) =>
          expect([printed(world), world.condition('VolumesChange'), world.condition('ManualRecoveryRequired')]).toEqual(
            ['Stopped', 'True', undefined],
          ),
      ],
    ]);
  });

  test('a failed first update shows as Failure and is repeated', () => {
    let conflicts = 0;
    const failsFirstUpdate = () => {
      conflicts += 1;
      return conflicts <= 20;
    };
    live({ kubeVirt: { accidents: { failsFirstUpdate } } }, [
      [0, createWeb('Always')],
      [3, toB],
      [3.05, (world) => expect(world.condition('Failure')).toBe('True')],
      [15, (world) => expect([world.condition('Failure'), world.runsOn()]).toEqual([undefined, ['b']])],
    ]);
  });
});

describe('a virt-controller that is behind', () => {
  const behind = { kubeVirt: { vmCacheDelayMs: 400 } };
  const busy = { kubeVirt: { vmCacheDelayMs: 400, vmRunMs: 350 } };
  const startedAndTakenBack: readonly (readonly [number, (world: World) => void])[] = [
    [0, createWeb('Halted')],
    [2, ({ user }) => user.start(web)],
    [2.1, ({ user }) => user.stop(web)],
    [
      2.2,
      (world) => {
        expect(world.vmi()).toBeUndefined();
        toB(world);
      },
    ],
  ];

  test('starts a VMI on A from a start that was taken back, after the VM was cut over, and deletes it again', () => {
    live(behind, [
      ...startedAndTakenBack,
      [2.45, (world) => expect([world.vm().spec.runStrategy, claimOfVmi(world)]).toEqual(['Halted', 'a'])],
      [6, (world) => expect([world.vmi(), printed(world)]).toEqual([undefined, 'Stopped'])],
    ]);
  });

  test('lets the guest run on A while the VM names B, and with strategy Migration copies it live by itself', () => {
    live(busy, [
      ...startedAndTakenBack,
      [2.3, ({ user }) => user.start(web)],
      [
        3.9,
        (world) =>
          expect([
            world.vm().spec.template.spec.volumes?.[0]?.persistentVolumeClaim?.claimName,
            world.runsOn(),
          ]).toEqual(['b', ['a']]),
      ],
      [
        30,
        (world) =>
          expect([world.runsOn(), world.disks.lostWrites(web), world.condition('VolumesChange')]).toEqual([
            ['b'],
            [],
            undefined,
          ]),
      ],
    ]);
  });
});

test('volumes patched while the VMI is scheduled: VMI shows B, its pod mounts A', () => {
  live({}, [
    [0, createWeb('Always')],
    [0.5, toB],
    [
      0.75,
      (world) => {
        expect(claimOfVmi(world)).toBe('b');
        expect(
          world.launchers()[0]?.spec.volumes?.find(({ name }) => name === 'disk0')?.persistentVolumeClaim?.claimName,
        ).toBe('a');
      },
    ],
  ]);
});

test('VMIs of a node that is silent for five minutes are called Failed while their guests run on', () => {
  live({}, [
    [0, createWeb('Always')],
    [3, ({ nodes }) => nodes.lose('node1')],
    [300, (world) => expect(world.vmi()?.status?.phase).toBe('Running')],
    [
      310,
      (world) => {
        expect(world.vmi()?.status?.phase).toBe('Failed');
        expect(world.vmi()?.metadata.deletionTimestamp).toBeDefined();
        expect(world.launchers().map(({ status }) => status?.phase)).toEqual(['Running']);
        expect(world.runsOn()).toEqual(['a']);
      },
    ],
  ]);
});

test.each([
  ['a disk', false, 'Scheduling'],
  ['a hotplugged disk', true, 'Pending'],
])(
  'a target launcher for %s that cannot start for fifteen minutes is given up, and its migration has failed',
  (_, hotplug, phase) => {
    live({}, [
      [
        0,
        ({ user }) =>
          user.createVm({ name: 'web', runStrategy: 'Always', disks: [{ claim: 'a', target: 'b', hotplug }] }),
      ],
      [3, ({ kube }) => kube.nodeSide(web, { target: 'hold' })],
      [4, toB],
      [
        900,
        (world) => {
          expect(world.launchers()).toHaveLength(2);
          expect(world.vmims().map(({ status }) => status?.phase)).toEqual([phase]);
        },
      ],
      [
        920,
        (world) => {
          expect(world.vmims()[0]?.status?.phase).toBe('Failed');
          expect(world.vmi()?.status?.phase).toBe('Running');
          expect(world.runsOn()).toEqual(['a']);
        },
      ],
    ]);
  },
);
