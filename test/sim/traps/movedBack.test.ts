// A guest that KubeVirt moves from B back to A, told so by a revert that landed late, while the daemon's repairs do not
// get through in time (what-cannot-be-kept §1, §9): the machine is never called moved before its guest is on B for good.
import { asyncScheduler } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { RequestFault, RequestInfo } from '../../../src/sim/cluster.ts';
import { type Network, networkOf } from '../network.ts';
import { sight } from '../sight.ts';
import { act, letPass, play, type Scene, sourcesOf, stays, steps, until, web } from './trap.ts';

/** What happens to the patches of the VM, by their number: 1 begins the live migration, 2 is the revert. */
const patching = (faultOf: (count: number) => RequestFault | undefined): Network => {
  let count = 0;
  const request = ({ verb, resource }: RequestInfo): RequestFault | undefined => {
    if (verb !== 'patch' || resource.plural !== 'virtualmachines') return undefined;
    count += 1;
    return faultOf(count);
  };
  return networkOf({ request });
};

const refused = { kind: 'refuse', code: 500, reason: 'InternalError' } as const;
const isOnSource = (scene: Scene): boolean =>
  scene.runsOn()?.[0] === sourcesOf(web)[0] && scene.vmi()?.status?.migrationState?.endTimestamp !== undefined;
const movedBack = (vmims: number) =>
  until('it is moved back', (scene) => scene.vmims().length === vmims && isOnSource(scene));
const sideOfVm = (scene: Scene): string => sight.sideOf(scene.vm(), web);

/** Virtual time, in ms, in which the guest is on A again, and after that. */
const afterTheMoveMs = [12_000, 13_400, 15_000];

describe.each(afterTheMoveMs)('after the switch-over, with repairs that get through from %i ms on', (repairsMs) => {
  test('it is moved once more, and nothing is lost', () => {
    const network = patching((count) => {
      if (count === 2) return { kind: 'land', ms: 2500, answer: 'unknown' };
      return count > 2 && asyncScheduler.now() < repairsMs ? refused : undefined;
    });
    play(
      { network },
      steps.copyingLive(),
      letPass(300),
      // Stopped and started at once: the revert is sent, and the guest runs on and switches over.
      act(({ world }) => world.people.setRunStrategy(web, 'Halted')),
      letPass(6),
      act(({ world }) => world.people.setRunStrategy(web, 'Always')),
      movedBack(2),
      act((scene) => expect(scene.isDone()).toBe(false)),
      steps.movedForGood(),
    );
  });
});

describe('after a boot on a half-copied B', () => {
  const late = (ms: number): Network =>
    patching((count) => {
      if (count === 2) return { kind: 'slow', ms: 1000 };
      if (count === 3) return { kind: 'land', ms, answer: 'unknown' };
      return count > 3 && asyncScheduler.now() < 40_000 ? refused : undefined;
    });
  const bootedOnTarget = [
    steps.copyingLive(),
    letPass(300),
    act(({ world }: Scene) => world.people.guestCrash(web)),
    until('the next boot', ({ world }: Scene) => world.disks.boots.length === 2),
  ];

  test.each([4300, 5500])('with a repair that lands %i ms late: a person is asked, and it is moved then', (ms) => {
    play(
      { network: late(ms) },
      ...bootedOnTarget,
      steps.attention('MovedBackToSource'),
      stays('on A while the VM names B', (scene) => isOnSource(scene) && sideOfVm(scene) === 'target', 60_000),
      act(({ world }) => world.people.setClaims(web, { disk0: sourcesOf(web)[0] ?? '' }, 'Replacement')),
      act(({ world }) => world.people.deleteVmi(web)),
      until('it is moved', (scene) => scene.isDone()),
      act((scene) => expect(sideOfVm(scene)).toBe('target')),
    );
  });

  test('with a repair that lands when the guest is on A again: it is known for our own, and moved', () => {
    play(
      { network: late(6000) },
      ...bootedOnTarget,
      movedBack(1),
      until('it is moved', (scene) => scene.isDone()),
      act((scene) => expect(sideOfVm(scene)).toBe('target')),
    );
  });
});
