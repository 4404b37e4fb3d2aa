// The simulated KubeVirt: run strategies, start and stop, and what its webhooks refuse (contract §1.1, §4.1, §6, §7).
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { createWeb, live, toB, type World, web } from './kubevirtWorld.ts';

const printed = ({ vm }: World): string | undefined => vm().status?.printableStatus;
const requests = ({ vm }: World): readonly string[] =>
  (vm().status?.stateChangeRequests ?? []).map(({ action }) => action);

describe('run strategies', () => {
  test('Always runs the guest on the claim the VM names', () => {
    live({}, [
      [0, createWeb('Always')],
      [
        3,
        (world) => {
          expect(printed(world)).toBe('Running');
          expect(world.condition('Ready')).toBe('True');
          expect(world.runsOn()).toEqual(['a']);
        },
      ],
    ]);
  });

  test('a stop of Always halts the VM, and VMI and pods go', () => {
    live({}, [
      [0, createWeb('Always')],
      [3, ({ user }) => user.stop(web)],
      [3.2, (world) => expect(printed(world)).toBe('Stopping')],
      [
        6,
        (world) => {
          expect(world.vm().spec.runStrategy).toBe('Halted');
          expect(printed(world)).toBe('Stopped');
          expect([world.vmi(), world.pods().length]).toEqual([undefined, 0]);
        },
      ],
    ]);
  });

  test('spec.running is kept as spec.running by start and stop', () => {
    live({}, [
      [0, createWeb('stopped')],
      [1, ({ user }) => user.start(web)],
      [
        4,
        (world) => {
          expect(world.vm().spec.running).toBe(true);
          expect(world.vm().spec.runStrategy).toBeUndefined();
          expect(world.runsOn()).toEqual(['a']);
          world.user.stop(web);
        },
      ],
      [7, (world) => expect([world.vm().spec.running, world.vmi()]).toEqual([false, undefined])],
    ]);
  });

  test('Manual queues a Start and forgets it when the VMI runs', () => {
    live({}, [
      [0, createWeb('Manual')],
      [1, (world) => expect(world.vmi()).toBeUndefined()],
      [
        1,
        (world) => {
          world.user.start(web);
          expect(requests(world)).toEqual(['Start']);
        },
      ],
      [4, (world) => expect([requests(world), world.runsOn()]).toEqual([[], ['a']])],
    ]);
  });

  test('Manual leaves the VMI of a guest that shut down; the next start queues a Stop before the Start', () => {
    live({}, [
      [0, createWeb('Manual')],
      [1, ({ user }) => user.start(web)],
      [4, ({ user }) => user.guestShutdown(web)],
      [
        7,
        (world) => {
          expect(world.vmi()?.status?.phase).toBe('Succeeded');
          expect(world.launchers().map(({ status }) => status?.phase)).toEqual(['Succeeded']);
          world.user.start(web);
          expect(requests(world)).toEqual(['Stop', 'Start']);
        },
      ],
      [11, (world) => expect([requests(world), world.runsOn()]).toEqual([[], ['a']])],
    ]);
  });

  test('RerunOnFailure starts again after a crash and not after a shutdown', () => {
    live({}, [
      [0, createWeb('RerunOnFailure')],
      [3, ({ user }) => user.guestCrash(web)],
      [
        8,
        (world) => {
          expect(world.runsOn()).toEqual(['a']);
          world.user.guestShutdown(web);
        },
      ],
      [14, (world) => expect([world.vmi(), printed(world)]).toEqual([undefined, 'Stopped'])],
    ]);
  });

  test('Always starts again after a shutdown, with a new VMI', () => {
    let first: string | undefined;
    live({}, [
      [0, createWeb('Always')],
      [
        3,
        ({ user, vmi }) => {
          first = vmi()?.metadata.uid;
          user.guestShutdown(web);
        },
      ],
      [
        8,
        (world) => {
          expect(world.runsOn()).toEqual(['a']);
          expect(world.vmi()?.metadata.uid).not.toBe(first);
        },
      ],
    ]);
  });

  test('Once makes a new VMI when the VMI was deleted', () => {
    live({}, [
      [0, createWeb('Once')],
      [3, ({ user }) => user.deleteVmi(web)],
      [8, (world) => expect(world.runsOn()).toEqual(['a'])],
    ]);
  });

  test('a paused start shows the VM as Paused until it is unpaused', () => {
    live({}, [
      [0, createWeb('Halted')],
      [1, ({ user }) => user.start(web, true)],
      [
        5,
        (world) => {
          expect(printed(world)).toBe('Paused');
          world.user.unpause(web);
        },
      ],
      [6, (world) => expect(printed(world)).toBe('Running')],
    ]);
  });

  test('a deleted VM goes after its VMI', () => {
    live({}, [
      [0, createWeb('Always')],
      [3, ({ user }) => user.deleteVm(web)],
      [3.1, (world) => expect(printed(world)).toBe('Terminating')],
      [
        7,
        ({ server, vmi }) =>
          expect([server.read(resources.virtualMachines, web), vmi()]).toEqual([undefined, undefined]),
      ],
    ]);
  });
});

describe('what is refused', () => {
  test('a start of Always, a start of what runs, a stop of what does not', () => {
    live({}, [
      [0, createWeb('Always')],
      [3, ({ user }) => expect(() => user.start(web)).toThrow('VM is already running')],
      [3, ({ user }) => user.stop(web)],
      [7, ({ user }) => expect(() => user.stop(web)).toThrow('VM is not running')],
    ]);
    live({}, [
      [0, createWeb('Once')],
      [0.02, ({ user, vmi }) => expect(() => vmi() ?? user.start(web)).toThrow('does not support manual start')],
    ]);
  });

  test('a VM with both running and runStrategy, or with a template no volume names', () => {
    live({}, [
      [0, createWeb('Halted')],
      [
        1,
        ({ server }) => {
          const patch = (spec: object) => () =>
            server.patch(resources.virtualMachines, web, { type: 'merge', body: { spec } }, 'user');
          expect(patch({ running: true })).toThrow('exactly one of running and runStrategy');
          const dataVolumeTemplates = [{ metadata: { name: 'x' }, spec: {} }];
          expect(patch({ dataVolumeTemplates })).toThrow("must be referenced in the VMI template's 'volumes' list");
        },
      ],
    ]);
  });

  test('an edit of a VMI; an edit of its status is dropped without a word', () => {
    live({}, [
      [0, createWeb('Always')],
      [
        3,
        ({ server, vmi }) => {
          const patch = (body: object): KubeObject =>
            server.patch(resources.virtualMachineInstances, web, { type: 'merge', body }, 'user');
          expect(() => patch({ spec: { volumes: [] } })).toThrow('update of VMI object is restricted');
          patch({ status: { phase: 'Failed' } });
          expect(vmi()?.status?.phase).toBe('Running');
        },
      ],
    ]);
  });

  test('a second migration of a VMI while the first is not finished', () => {
    live({ kubeVirt: { liveCopyMs: 60_000 } }, [
      [0, createWeb('Always')],
      [3, toB],
      [10, ({ user }) => expect(() => user.migrate(web)).toThrow('in-flight migration detected')],
    ]);
  });
});

test('a VMI is held by both controllers until its status was taken over and its pods are gone', () => {
  live({}, [
    [0, createWeb('Always')],
    [
      3,
      ({ vmi, user }) => {
        expect(vmi()?.metadata.finalizers).toEqual([
          'kubevirt.io/virtualMachineControllerFinalize',
          'kubevirt.io/foregroundDeleteVirtualMachine',
        ]);
        user.stop(web);
      },
    ],
    [
      4.3,
      ({ vmi, pods }) => {
        expect(vmi()?.metadata.finalizers).toEqual(['kubevirt.io/foregroundDeleteVirtualMachine']);
        expect(pods()).toHaveLength(1);
      },
    ],
  ]);
});

test('a VM that waits for a claim says so and starts when the claim comes', () => {
  live({}, [
    [0, createWeb('Halted')],
    [1, ({ user }) => user.setClaims(web, { disk0: 'later' })],
    [2, ({ user }) => user.start(web)],
    [4, (world) => expect([printed(world), world.pods().length]).toEqual(['ErrorPvcNotFound', 0])],
    [4, ({ user }) => user.createClaim({ namespace: 'default', name: 'later' }, {})],
    [8, (world) => expect(world.runsOn()).toEqual(['later'])],
  ]);
});
