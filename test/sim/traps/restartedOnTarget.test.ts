// A VM that KubeVirt starts again by itself on a half-copied B (contract §0.2, §4.1).
import { describe, expect, test } from 'vitest';
import type { RequestInfo } from '../../../src/sim/cluster.ts';
import { networkOf } from '../network.ts';
import {
  act,
  after,
  goodNetwork,
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
    const content = ({ world }: Scene, claim: string) => world.disks.content(web.namespace, claim);
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
    const content = ({ world }: Scene, claim: string) => world.disks.content(web.namespace, claim);
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
      after(1000),
    );
    expect(scene.stage.watch.isSpoiled(web)).toBe(true);
  });
});
