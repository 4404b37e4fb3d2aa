// The switch-over against a cancel (contract §3, §4.3, §4.6): whoever wins, the guest's disk is the VM's disk in the end.
import { describe, expect, test } from 'vitest';
import { resources } from '../../../src/kube/resources.ts';
import { at, sight } from '../sight.ts';
import { backOnSource, deleteMigration, migration, slowRevert } from './fixtures.ts';
import {
  act,
  attempt,
  goodNetwork,
  letPass,
  play,
  type Scene,
  type Step,
  sourcesOf,
  steps,
  targetsOf,
  until,
  web,
} from './trap.ts';

const readyAt = (scene: Scene): unknown => scene.vmi()?.status?.migrationState?.targetNodeDomainReadyTimestamp;
const isGone = ({ world }: Scene): boolean => world.server.read(resources.storageMigrations, migration) === undefined;

/** From the sign of a half-done copy to the switch-over, in ms: the same in every performance until people act. */
const toSwitchOverMs = (): number => {
  let fromMs = 0;
  let untilMs = 0;
  play(
    {},
    steps.copyingLive(),
    act(({ world }) => {
      fromMs = world.server.now();
    }),
    until('the switch-over', (scene) => readyAt(scene) !== undefined),
    act(({ world }) => {
      untilMs = world.server.now();
    }),
  );
  return untilMs - fromMs;
};

const strategiesWritten = (scene: Scene): readonly unknown[] =>
  scene.vmWrites().map(({ object }) => at(object, 'spec', 'updateVolumesStrategy'));
const sidesWritten = (scene: Scene): readonly string[] =>
  scene.vmWrites().map(({ object }) => sight.sideOf(object, web));

/** Milliseconds before the switch-over at which somebody cancels; the revert then lands so long after it. */
const races = [
  { beforeMs: 5, afterMs: 1 },
  { beforeMs: 30, afterMs: 2 },
  { beforeMs: 30, afterMs: 8 },
  { beforeMs: 60, afterMs: 40 },
  { beforeMs: 90, afterMs: 150 },
  { beforeMs: 150, afterMs: 300 },
];
const switchOverMs = toSwitchOverMs();

describe.each(races)('a cancel $beforeMs ms before the switch-over whose revert lands $afterMs ms after it', (race) => {
  const network = () => slowRevert(race.beforeMs + race.afterMs - 4);
  const theSwitchOverWins: readonly Step[] = [steps.copyingLive(), letPass(switchOverMs - race.beforeMs)];

  test('by deleting the StorageMigration: repaired to B with strategy Replacement, nothing is lost after stop and start', () => {
    const scene = play(
      { network: network() },
      ...theSwitchOverWins,
      deleteMigration,
      until('the switch-over', (now) => readyAt(now) !== undefined),
      until('the revert', (now) => sidesWritten(now).includes('source')),
      until('the StorageMigration to be gone', isGone),
      act((now) => {
        expect(sidesWritten(now)).toEqual(['target', 'source', 'target']);
        expect(strategiesWritten(now)).toEqual(['Migration', 'Migration', 'Replacement']);
      }),
      letPass(20_000),
      act((now) => expect(now.runsOn()).toEqual(targetsOf(web))),
      steps.stop(),
      steps.off(),
      steps.start(),
      steps.running(),
      letPass(3000),
      act((now) => expect(now.runsOn()).toEqual(targetsOf(web))),
    );
    expect(scene.world.disks.lostWrites(web)).toEqual([]);
    expect(scene.world.disks.boots.map(({ lostBlocks }) => lostBlocks)).toEqual([0, 0]);
  });

  test('by pausing the guest and deleting: a paused guest is no different', () => {
    const scene = play(
      { network: network() },
      ...theSwitchOverWins,
      act(({ world }) => world.people.pause(web)),
      deleteMigration,
      until('the StorageMigration to be gone', isGone),
      letPass(20_000),
      attempt(({ world }) => world.people.unpause(web)),
      letPass(3000),
      steps.stop(),
      steps.off(),
      steps.start(),
      steps.running(),
      letPass(3000),
    );
    expect(scene.world.disks.lostWrites(web)).toEqual([]);
  });
});

test('the cancel at any moment around the switch-over: nothing is lost, and the VM names the disk of its guest', () => {
  for (let offsetMs = -900; offsetMs <= 900; offsetMs += 47) {
    const scene = play(
      { network: goodNetwork() },
      steps.copyingLive(),
      letPass(switchOverMs + offsetMs),
      deleteMigration,
      until('the StorageMigration to be gone', isGone),
      letPass(30_000),
      act((now) => {
        const side = sight.sideOf(now.vm(), web);
        expect(now.runsOn()).toEqual(side === 'target' ? targetsOf(web) : sourcesOf(web));
      }),
      steps.stop(),
      steps.off(),
      steps.start(),
      steps.running(),
      letPass(3000),
    );
    expect(scene.world.disks.lostWrites(web)).toEqual([]);
  }
});

describe.each(['a stop', 'a shutdown', 'a crash', 'a VMI deleted'] as const)('%s around the switch-over', (how) => {
  const end: Step = act(({ world }) => {
    if (how === 'a stop') world.people.stop(web);
    else if (how === 'a shutdown') world.people.guestShutdown(web);
    else if (how === 'a crash') world.people.guestCrash(web);
    else world.people.deleteVmi(web);
  });

  test.each([0, 200])('nothing is lost when the revert takes %i ms', (revertMs) => {
    for (let offsetMs = -700; offsetMs <= 500; offsetMs += 61) {
      play(
        { network: slowRevert(revertMs) },
        steps.copyingLive(),
        letPass(switchOverMs + offsetMs),
        end,
        steps.movedForGood(),
      );
    }
  });
});

test('a target domain that is detected is not a switch-over: stopped then, the VM goes back to A and is copied from there', () => {
  for (const delayMs of [0, 1, 5, 50, 500, 1500]) {
    const scene = play(
      {},
      steps.copyingLive(),
      letPass(delayMs),
      act((now) => {
        expect(now.vmi()?.status?.migrationState).toMatchObject({ targetNodeDomainDetected: true });
        expect(readyAt(now)).toBeUndefined();
      }),
      steps.stop(),
      backOnSource,
      steps.copyingOffline(),
      steps.movedForGood(),
    );
    expect(sidesWritten(scene)).toEqual(['target', 'source', 'target']);
  }
});
