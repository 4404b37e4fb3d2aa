// The machine itself changes: it needs a restart (contract §1.3), is deleted and made again under its name, or has a
// namesake in another namespace.
import { describe, expect, test } from 'vitest';
import { resources } from '../../../src/kube/resources.ts';
import { sight } from '../sight.ts';
import { isDaemon } from '../stage.ts';
import { accepted, deleteMigration, lossless, migration, ourPatch } from './fixtures.ts';
import { act, letPass, machineOf, play, type Scene, type Step, sourcesOf, stays, steps, until, web } from './trap.ts';

const vmGone: Step = until(
  'the VM to be gone',
  ({ world }) => world.server.read(resources.virtualMachines, web) === undefined,
);

describe('RestartRequired', () => {
  /** An edit that a running guest does not take over. */
  const edit: Step = act(({ world }) => {
    const body = { spec: { template: { spec: { hostname: 'other' } } } };
    world.server.patch(resources.virtualMachines, web, { type: 'merge', body }, 'user');
  });
  const needsRestart = (scene: Scene): boolean =>
    scene.vm().status?.conditions?.some(({ type, status }) => type === 'RestartRequired' && status === 'True') === true;

  test('that was there before: refused, and nothing is patched; after a restart it is moved', () => {
    const scene = play(
      { asksLater: true },
      edit,
      until('RestartRequired', needsRestart),
      steps.ask,
      steps.attention('RestartRequired'),
      stays('unpatched', (now) => now.vmWrites().length === 0, 60_000),
      act(({ world }) => world.people.restart(web)),
      steps.movedForGood(),
    );
    lossless(scene);
  });

  test('that comes after it was accepted, before the patch: attention, and nothing is patched', () => {
    const scene = play(
      {},
      accepted,
      edit,
      steps.attention('RestartRequired'),
      stays('unpatched', (now) => now.vmWrites().length === 0, 60_000),
      act(({ world }) => world.people.restart(web)),
      steps.movedForGood(),
    );
    lossless(scene);
  });

  test('that comes after our patch, at any time: nothing half-copied is ever booted, and after a stop it is moved', () => {
    for (const delayMs of [0, 3, 8, 15, 30, 200, 1500, 2900, 3100, 3500, 4050, 5000, 6000, 6500]) {
      const scene = play(
        {},
        ourPatch,
        letPass(delayMs),
        edit,
        letPass(60_000),
        steps.stop(),
        steps.off(),
        letPass(20_000),
        act(({ world }) => {
          // Given up with a reason: any change of spec tries again.
          for (const paused of [true, false])
            world.server.patch(
              resources.storageMigrations,
              migration,
              { type: 'merge', body: { spec: { paused } } },
              'user',
            );
        }),
        steps.movedForGood(),
      );
      lossless(scene);
    }
  });
});

describe('deleted and made again under the same name', () => {
  const remake = (on: boolean): Step =>
    act(({ world }) => {
      world.people.createVm({
        name: web.name,
        namespace: web.namespace,
        runStrategy: on ? 'Always' : 'Halted',
        disks: web.disks.map(({ volume, source }) => ({ name: volume, claim: source })),
      });
    });
  /** Everything the daemons wrote or deleted after that moment, except notes, events and copy pods that go. */
  const touched = (scene: Scene, uid: string | undefined): readonly string[] =>
    scene.changes
      .filter(({ actor, object }) => isDaemon(actor) && object.metadata.uid === uid)
      .map((change) => sight.describe(change));

  test.each([
    ['live', true, steps.copyingLive()],
    ['offline', false, steps.copyingOffline()],
  ] as const)('in the middle of a copy, %s: the new one is not touched, and the copy is ended', (_, on, copying) => {
    for (const gapMs of [0, 50, 4000]) {
      let uid: string | undefined;
      let madeMs = 0;
      const scene = play(
        { players: [{ machine: web, on }] },
        steps.holdCopy(),
        copying,
        act(({ world }) => world.people.deleteVm(web)),
        vmGone,
        letPass(gapMs),
        remake(on),
        act((now) => {
          uid = now.vm().metadata.uid;
          madeMs = now.world.server.now();
        }),
        steps.attention('VirtualMachineGone'),
        until('the copy pods to be gone', (now) => now.copyPods().length === 0),
        letPass(60_000),
        act((now) => {
          expect(sight.sideOf(now.vm(), web)).toBe('source');
          expect(now.runsOn()).toEqual(on ? sourcesOf(web) : undefined);
        }),
      );
      expect(touched(scene, uid)).toEqual([]);
      const born = scene.changes.filter(
        ({ type, actor, resource }) => type === 'added' && isDaemon(actor) && resource.plural === 'pods',
      );
      expect(born.every(({ object }) => Date.parse(String(object.metadata.creationTimestamp)) <= madeMs)).toBe(true);
      lossless(scene);
    }
  });

  test('after it is moved: the new one stays as it is', () => {
    const scene = play(
      {},
      until('it is moved', (now) => now.isDone()),
      letPass(3000),
      act(({ world }) => world.people.deleteVm(web)),
      vmGone,
      remake(false),
      letPass(60_000),
    );
    expect(scene.vmWrites().filter(({ object }) => object.metadata.uid === scene.vm().metadata.uid)).toEqual([]);
    expect(scene.says().phase).toBe('Moved');
  });
});

describe('machines of the same name in two namespaces', () => {
  const here = machineOf('web', 1, 'shop');
  const there = machineOf('web', 1, 'store');
  const players = [{ machine: here }, { machine: there }];

  test('one is stopped in the middle: the other goes on undisturbed', () => {
    const scene = play(
      { players },
      steps.holdCopy(here),
      steps.copyingLive(here),
      steps.stop(here),
      until('the other is moved', (now) => now.isDone(there)),
      act((now) => expect(now.vmWrites(there)).toHaveLength(1)),
      until('the one is moved', (now) => now.isDone(here)),
      act((now) => expect(now.copyPods(there)).toEqual([])),
      steps.movedForGood(here),
      steps.movedForGood(there),
    );
    lossless(scene, here);
    lossless(scene, there);
    const strangers = scene.changes.filter(
      ({ type, actor, resource, object }) =>
        type === 'added' && isDaemon(actor) && resource.plural === 'pods' && object.metadata.namespace === 'store',
    );
    expect(strangers).toEqual([]);
  });

  test('one migration is deleted in the middle: only its machine is taken back', () => {
    const scene = play(
      { players },
      steps.holdCopy(here),
      steps.holdCopy(there),
      steps.copyingLive(here),
      steps.copyingLive(there),
      deleteMigration,
      until('it is gone', ({ world }) => world.server.all(resources.storageMigrations).length === 1),
      steps.releaseCopy(there),
      steps.movedForGood(there),
      act((now) => {
        expect(now.vmWrites(there)).toHaveLength(1);
        expect(sight.sideOf(now.vm(here), here)).toBe('source');
      }),
    );
    lossless(scene, here);
    lossless(scene, there);
  });

  test('one off, one on: each is moved in its own way', () => {
    const scene = play(
      { players: [{ machine: here, on: false }, { machine: there }] },
      steps.movedForGood(here),
      steps.movedForGood(there),
    );
    expect(scene.world.disks.clashes).toEqual([]);
  });
});
