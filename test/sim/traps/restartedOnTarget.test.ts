// A VM that KubeVirt starts again by itself on a half-copied B (contract §0.2, §4.1).
import { describe, expect, test } from 'vitest';
import type { RequestInfo } from '../../../src/sim/cluster.ts';
import { networkOf } from '../network.ts';
import { slowRevert } from './fixtures.ts';
import {
  act,
  goodNetwork,
  letPass,
  play,
  type Scene,
  type Step,
  sourcesOf,
  stays,
  steps,
  targetsOf,
  until,
  web,
} from './trap.ts';

const [source = '', target = ''] = [...sourcesOf(web), ...targetsOf(web)];

/** Every end after which KubeVirt starts the machine with no further word from anybody. */
const ends: readonly {
  readonly runStrategy: 'Always' | 'RerunOnFailure' | 'Once';
  readonly how: string;
  readonly end: Step;
}[] = [
  { runStrategy: 'Always', how: 'the guest shuts down', end: act(({ world }) => world.people.guestShutdown(web)) },
  { runStrategy: 'Always', how: 'the guest crashes', end: act(({ world }) => world.people.guestCrash(web)) },
  { runStrategy: 'Always', how: 'the VMI is deleted', end: act(({ world }) => world.people.deleteVmi(web)) },
  { runStrategy: 'RerunOnFailure', how: 'the guest crashes', end: act(({ world }) => world.people.guestCrash(web)) },
  { runStrategy: 'Once', how: 'the VMI is deleted', end: act(({ world }) => world.people.deleteVmi(web)) },
];

const bootsOf = ({ world }: Scene) => world.disks.boots.map(({ claim, lostBlocks }) => ({ claim, lostBlocks }));
const content = ({ world }: Scene, claim: string) => world.disks.content(web.namespace, claim);

describe.each(ends)('$runStrategy, $how in the middle of a live copy', ({ runStrategy, end }) => {
  const players = [{ machine: web, runStrategy }];

  test('is taken back in time: the guest boots on A, and is moved in the end', () => {
    play(
      { players },
      steps.holdCopy(),
      steps.copyingLive(),
      end,
      until('a second boot', (scene) => bootsOf(scene).length === 2),
      act((scene) => {
        expect(bootsOf(scene)).toEqual([
          { claim: source, lostBlocks: 0 },
          { claim: source, lostBlocks: 0 },
        ]);
      }),
      steps.releaseCopy(),
      steps.movedForGood(),
    );
  });

  test('with nobody there to take it back: B is not reverted under the guest; a person who stops it and names A loses nothing that was on A', () => {
    let onSource: unknown;
    play(
      { players, network: goodNetwork() },
      steps.holdCopy(),
      steps.copyingLive(),
      steps.killDaemon,
      end,
      until('a boot on B', (scene) => bootsOf(scene).at(-1)?.claim === target),
      act((scene) => {
        onSource = content(scene, source);
        expect(bootsOf(scene).at(-1)?.lostBlocks).toBeGreaterThan(0);
      }),
      steps.running(),
      steps.startDaemon,
      steps.attention('SwitchOverUnknown'),
      stays('the VM as it is', (scene) => scene.runsOn()?.[0] === target && scene.copyPods().length === 0, 120_000),
      act((scene) => expect(content(scene, source)).toEqual(onSource)),
      steps.stop(),
      steps.off(),
      stays('the VM as it is', (scene) => scene.copyPods().length === 0, 30_000),
      // Only a person can know that the guest had not switched over, and says so as docs/what-cannot-be-kept.md §3 tells.
      act(({ world }) => world.people.setClaims(web, { disk0: source }, 'Replacement')),
      until('it is moved', (scene) => scene.isDone()),
      act((scene) => {
        expect(content(scene, source)).toEqual(onSource);
        expect(content(scene, target)).toEqual(onSource);
      }),
    );
  });

  test('with a daemon that sees it and cannot write: on hold until a person stops it, then put back on A and moved', () => {
    let onSource: unknown;
    let isCut = false;
    const request = ({ verb, resource }: RequestInfo) =>
      isCut && verb === 'patch' && resource.plural === 'virtualmachines'
        ? ({ kind: 'refuse', code: 500, reason: 'InternalError' } as const)
        : undefined;
    const scene = play(
      { players, network: networkOf({ request }) },
      steps.holdCopy(),
      steps.copyingLive(),
      act(() => {
        isCut = true;
      }),
      end,
      until('a boot on B', (now) => bootsOf(now).at(-1)?.claim === target),
      act((now) => {
        onSource = content(now, source);
      }),
      steps.running(),
      act(() => {
        isCut = false;
      }),
      steps.attention('BootedOnIncompleteTarget'),
      stays('the VM as it is', (now) => now.runsOn()?.[0] === target && now.copyPods().length === 0, 120_000),
      act((now) => expect(content(now, source)).toEqual(onSource)),
      steps.stop(),
      until('it is moved', (now) => now.isDone()),
      act((now) => {
        expect(content(now, source)).toEqual(onSource);
        expect(content(now, target)).toEqual(onSource);
      }),
      letPass(1000),
    );
    expect(scene.stage.watch.isSpoiled(web)).toBe(true);
  });
});

/**
 * A guest that has ended by itself; its VM is reverted at once, and the revert is `heldUpMs` on its way. What the guest
 * then boots on, and whether its disk A is still what it was when it ended.
 */
const revertedLate = (heldUpMs: number, end: Step): 'in time' | 'too late' => {
  let onSource: unknown;
  const scene = play(
    { network: slowRevert(heldUpMs) },
    steps.copyingLive(),
    letPass(300),
    end,
    until('its end', (now) => ['Succeeded', 'Failed'].includes(now.vmi()?.status?.phase ?? '')),
    act((now) => {
      onSource = content(now, source);
    }),
    until('the next boot', (now) => bootsOf(now).length === 2),
  );
  const isOnTarget = bootsOf(scene).at(-1)?.claim === target;
  play(
    { network: slowRevert(heldUpMs) },
    steps.copyingLive(),
    letPass(300),
    end,
    until('the next boot', (now) => bootsOf(now).length === 2),
    ...(isOnTarget
      ? [
          steps.attention('BootedOnIncompleteTarget'),
          stays('A as it was', (now) => isSame(content(now, source), onSource), 120_000),
          stays('on B', (now) => now.runsOn()?.[0] === target && now.copyPods().length === 0, 1000),
          steps.stop(),
          until('it is moved', (now) => now.isDone()),
          act((now) => expect(content(now, target)).toEqual(onSource)),
        ]
      : [
          until('it is moved or told of', (now) => now.isDone() || now.says().reason === 'MigratesToItself'),
          act((now) => {
            if (!now.isDone()) now.world.people.stop(web);
          }),
          steps.movedForGood(),
        ]),
  );
  return isOnTarget ? 'too late' : 'in time';
};

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

describe.each(ends.slice(0, 2))('Always, $how, and the revert is held up', ({ end }) => {
  test('KubeVirt never copies a half-copied B over A, whenever it lands', () => {
    const seen = new Set<string>();
    for (let heldUpMs = 250; heldUpMs <= 1450; heldUpMs += 43) seen.add(revertedLate(heldUpMs, end));
    expect([...seen]).toEqual(['in time', 'too late']);
  });

  test('KubeVirt never copies a half-copied B over A when the revert lands while the next VMI is being started', () => {
    for (let heldUpMs = 530; heldUpMs <= 570; heldUpMs += 2) revertedLate(heldUpMs, end);
  });
});

describe.each(ends)('$runStrategy, $how around the patch that begins the live migration', ({ runStrategy, end }) => {
  test('the revert follows at once, and nothing half-copied is booted', () => {
    for (let delayMs = 0; delayMs <= 12; delayMs += 1) {
      const scene = play(
        { players: [{ machine: web, runStrategy }] },
        until('the record', (now) => now.changes.some(({ object }) => JSON.stringify(object).includes('"vmiUid"'))),
        letPass(delayMs),
        end,
        steps.movedForGood(),
      );
      expect(bootsOf(scene).filter(({ lostBlocks }) => lostBlocks > 0)).toEqual([]);
    }
  });
});
