// A VMI that is gone together with its VMIM (contract §0.5) while the daemon is restarted: attention only where it really
// cannot be known whether the guest had switched over, and never a guess.
import { describe, expect, test } from 'vitest';
import { resources } from '../../../src/kube/resources.ts';
import { at } from '../sight.ts';
import { act, goodNetwork, letPass, play, type Scene, type Step, sourcesOf, steps, until, web } from './trap.ts';

const [source = ''] = sourcesOf(web);

const ends: Readonly<Record<string, Step>> = {
  stopped: act(({ world }) => world.people.stop(web)),
  'shut down': act(({ world }) => world.people.guestShutdown(web)),
  crashed: act(({ world }) => world.people.guestCrash(web)),
  'deleted as a VMI': act(({ world }) => world.people.deleteVmi(web)),
};

const sawNoEnd = (scene: Scene, vmiUid: string | undefined): boolean => scene.vmi()?.metadata.uid !== vmiUid;

/** The record says that a live migration is under way. */
const isOpen = ({ world }: Scene): boolean => {
  const [migration] = world.server.all(resources.storageMigrations);
  const live = at(migration, 'status', 'virtualMachines', '0', 'record', 'live');
  return live !== undefined && at(live, 'endedAt') === undefined;
};

test('seen by a daemon that was there all the time: the VMI and its VMIM go, and nothing is asked', () => {
  for (const end of Object.values(ends)) {
    const scene = play(
      {},
      steps.copyingLive(),
      end,
      until('both to be gone', (now) => now.vmims().length === 0),
      steps.movedForGood(),
    );
    const asked = scene.changes.filter(({ object }) => JSON.stringify(object).includes('SwitchOverUnknown'));
    expect(asked).toEqual([]);
  }
});

/** The daemon is killed so long after the end began, and the next one comes so long after that. */
const restarts = [0, 2, 30, 400, 900, 1300, 1600].flatMap((killedMs) =>
  [40, 700, 1500, 4000].map((downMs) => ({ killedMs, downMs })),
);

describe.each(Object.keys(ends))('%s with Manual, the daemon restarted in that moment', (how) => {
  const end = ends[how] ?? steps.stop();

  test('it is moved without a word as long as the VMI is there to tell; else a person is asked, and believed', () => {
    const outcomes = new Set<string>();
    for (const { killedMs, downMs } of restarts) {
      let vmiUid: string | undefined;
      let isUnknowable = false;
      play(
        { players: [{ machine: web, runStrategy: 'Manual' }], network: goodNetwork() },
        steps.holdCopy(),
        steps.copyingLive(),
        act((scene) => {
          vmiUid = scene.vmi()?.metadata.uid;
        }),
        end,
        letPass(killedMs),
        steps.killDaemon,
        letPass(downMs),
        act((scene) => {
          // Nothing that is left tells what its guest wrote last: neither the VMI, nor that somebody saw it end on A.
          isUnknowable = sawNoEnd(scene, vmiUid) && isOpen(scene);
        }),
        steps.startDaemon,
        until(
          'it is moved, or a person is asked',
          (scene) => scene.isDone() || scene.says().reason === 'SwitchOverUnknown',
        ),
        act((scene) => {
          const isAsked = scene.says().reason === 'SwitchOverUnknown';
          outcomes.add(isAsked ? 'asked' : 'moved');
          expect(isAsked).toBe(isUnknowable);
          if (!isAsked) return;
          expect(sawNoEnd(scene, vmiUid)).toBe(true);
          expect(scene.copyPods()).toEqual([]);
          scene.world.people.setClaims(web, { disk0: source }, 'Replacement');
        }),
        steps.releaseCopy(),
        steps.movedForGood(),
      );
    }
    expect(outcomes).toContain('moved');
    if (how !== 'shut down' && how !== 'crashed') expect(outcomes).toContain('asked');
  });
});
