// What KubeVirt's own marks are not worth (contract §0.3, §4.1, §4.6): ManualRecoveryRequired that is late or missing,
// its record of the volumes lost, VolumesChange that stays. None of them is relied upon.
import { describe, expect, test } from 'vitest';
import { resources } from '../../../src/kube/resources.ts';
import { sight } from '../sight.ts';
import { backOnSource, deleteMigration, lossless, migration } from './fixtures.ts';
import { act, attempt, letPass, play, type Scene, type Step, sourcesOf, steps, targetsOf, until, web } from './trap.ts';

const condition = (scene: Scene, type: string): string | undefined =>
  scene.vm().status?.conditions?.find((each) => each.type === type)?.status;

/** A live migration that is begun, taken back by deleting its StorageMigration, and asked for again on the same VMI. */
const secondAttempt: readonly Step[] = [
  steps.holdCopy(),
  steps.copyingLive(),
  deleteMigration,
  until('it to be taken back', ({ world }) => world.server.read(resources.storageMigrations, migration) === undefined),
  letPass(3000),
  steps.ask,
  steps.copyingLive(),
];

describe('a record that KubeVirt loses on the second attempt', () => {
  const world = { kubeVirt: { accidents: { losesMigrationRecord: 1 } } };

  test.each(['stop', 'shutdown', 'crash', 'deletion of the VMI'] as const)(
    'a %s in the middle of it is taken back all the same',
    (how) => {
      for (const runStrategy of ['Always', 'Manual', 'RerunOnFailure'] as const) {
        const scene = play(
          { world, players: [{ machine: web, runStrategy }] },
          ...secondAttempt,
          act((now) => expect(now.vm().status?.volumeUpdateState?.volumeMigrationState).toBeUndefined()),
          act(({ world: { people } }) => {
            if (how === 'stop') people.stop(web);
            else if (how === 'shutdown') people.guestShutdown(web);
            else if (how === 'crash') people.guestCrash(web);
            else people.deleteVmi(web);
          }),
          backOnSource,
          act((now) => expect(condition(now, 'ManualRecoveryRequired')).toBeUndefined()),
          steps.releaseCopy(),
          letPass(2500),
          attempt(({ world: { people } }) => people.start(web)),
          steps.movedForGood(),
        );
        lossless(scene);
      }
    },
  );
});

describe('a cancellation that KubeVirt loses', () => {
  const world = { kubeVirt: { accidents: { losesCancellation: 1 } } };

  test('on a VM that is stopped: VolumesChange stays True, and the VM is copied offline all the same', () => {
    const scene = play(
      { world },
      steps.holdCopy(),
      steps.copyingLive(),
      steps.stop(),
      steps.copyingOffline(),
      act((now) => expect(condition(now, 'VolumesChange')).toBe('True')),
      steps.movedForGood(),
    );
    lossless(scene);
  });

  test('on a VM that is stopped and started: moved live in the end', () => {
    const scene = play(
      { world },
      steps.holdCopy(),
      steps.copyingLive(),
      steps.stop(),
      steps.off(),
      letPass(1500),
      act((now) => expect(condition(now, 'VolumesChange')).toBe('True')),
      steps.start(),
      steps.running(),
      steps.releaseCopy(),
      steps.movedForGood(),
    );
    lossless(scene);
  });

  test('on a guest that runs on: KubeVirt finishes the copy, and the VM is repaired to B', () => {
    const scene = play(
      { world },
      steps.holdCopy(),
      steps.copyingLive(),
      deleteMigration,
      backOnSource,
      letPass(20_000),
      act((now) => {
        expect(now.runsOn()).toEqual(sourcesOf(web));
        // Whatever KubeVirt still does is watched to its end.
        expect(now.world.server.read(resources.storageMigrations, migration)).toBeDefined();
      }),
      steps.releaseCopy(),
      until(
        'the StorageMigration to be gone',
        (now) => now.world.server.read(resources.storageMigrations, migration) === undefined,
      ),
      act((now) => {
        expect(now.runsOn()).toEqual(targetsOf(web));
        expect(sight.sideOf(now.vm(), web)).toBe('target');
        expect(now.vm().spec.updateVolumesStrategy).toBe('Replacement');
      }),
      letPass(10_000),
      steps.stop(),
      steps.off(),
      steps.start(),
      steps.running(),
      letPass(3000),
    );
    lossless(scene);
  });
});

test('ManualRecoveryRequired that never comes: shut down with Manual and started at once, the guest boots A', () => {
  for (const delayMs of [0, 40, 1050, 1100, 1150, 1300, 2000, 4000]) {
    const scene = play(
      { players: [{ machine: web, runStrategy: 'Manual' }] },
      steps.holdCopy(),
      steps.copyingLive(),
      act(({ world }) => world.people.guestShutdown(web)),
      letPass(delayMs),
      attempt(({ world }) => world.people.start(web)),
      act((now) => expect(condition(now, 'ManualRecoveryRequired')).toBeUndefined()),
      steps.releaseCopy(),
      steps.movedForGood(),
    );
    lossless(scene);
  }
});

test('a first update that KubeVirt repeats shows a Failure that is none', () => {
  let conflicts = 0;
  const failsFirstUpdate = (): boolean => {
    conflicts += 1;
    return conflicts <= 20;
  };
  const scene = play({ world: { kubeVirt: { accidents: { failsFirstUpdate } } } }, steps.movedForGood());
  expect(conflicts).toBeGreaterThan(20);
  expect(scene.vmWrites()).toHaveLength(1);
  lossless(scene);
});
