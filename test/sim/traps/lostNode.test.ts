// A node that is lost (contract §6, docs/what-cannot-be-kept.md §7): what runs there may run on, so nothing is copied or
// cut over as long as pods of it exist.
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/api.ts';
import { resources } from '../../../src/kube/resources.ts';
import { sight } from '../sight.ts';
import { accepted, backOnSource, lossless, mountTarget, reader, unmountTarget } from './fixtures.ts';
import { act, attempt, letPass, play, type Scene, type Step, stays, steps, until, web } from './trap.ts';

const nodeOf = (pod: KubeObject | undefined): string =>
  String((pod?.['spec'] as { readonly nodeName?: string } | undefined)?.nodeName ?? '');
/** Nothing is lost, and no two wrote a claim at the same time. */
const undisturbed = (scene: Scene): void => {
  lossless(scene);
  expect(scene.world.disks.clashes).toEqual([]);
};
const isUncopied = (scene: Scene): boolean => scene.copyPods().length === 0;

/** Loses the node that `pick` names, and keeps its name for its recovery. */
const losing = (pick: (scene: Scene) => string): { readonly lose: Step; readonly recover: Step } => {
  let node = '';
  return {
    lose: act((scene) => {
      node = pick(scene);
      expect(node).not.toBe('');
      scene.world.nodes.lose(node);
    }),
    recover: act(({ world }) => world.nodes.recover(node)),
  };
};
const guestNode = (scene: Scene): string => scene.vmi()?.status?.nodeName ?? '';
const targetNode = (scene: Scene): string =>
  nodeOf(scene.launchers().find(({ metadata }) => metadata.labels?.['kubevirt.io/migrationJobUID'] !== undefined));
const copyNode =
  (role: 'server' | 'client') =>
  (scene: Scene): string =>
    nodeOf(scene.copyPods().find(({ metadata }) => metadata.name.includes(`copy-${role}`)));

describe('during an offline copy', () => {
  test.each(['server', 'client'] as const)(
    'the node of the %s, for a minute or ten: copied again, and moved',
    (role) => {
      for (const goneMs of [60_000, 600_000]) {
        const { lose, recover } = losing(copyNode(role));
        const scene = play(
          { players: [{ machine: web, on: false }] },
          steps.copyingOffline(),
          letPass(700),
          lose,
          letPass(goneMs),
          recover,
          steps.movedForGood(),
        );
        undisturbed(scene);
      }
    },
  );

  test('and the machine is started meanwhile: no live migration beside a copy pod that may still write', () => {
    const { lose, recover } = losing(copyNode('client'));
    const scene = play(
      { players: [{ machine: web, on: false }] },
      steps.copyingOffline(),
      lose,
      steps.start(),
      stays('no patch', (now) => now.vmWrites().length === 0, 120_000),
      recover,
      steps.movedForGood(),
    );
    undisturbed(scene);
  });
});

describe('during a live copy', () => {
  test('the node of the guest: the VM is put back on A, and nothing is copied while its pods may run', () => {
    const { lose, recover } = losing(guestNode);
    const scene = play(
      {},
      steps.copyingLive(),
      letPass(200),
      lose,
      stays('uncopied', isUncopied, 290_000),
      until('the revert', (now) => sight.sideOf(now.vm(), web) === 'source', 120_000),
      stays('uncopied', isUncopied, 200_000),
      recover,
      steps.movedForGood(),
    );
    undisturbed(scene);
  });

  test('the node of the guest, and the machine is stopped meanwhile: uncopied until the node is back', () => {
    const { lose, recover } = losing(guestNode);
    const scene = play(
      {},
      steps.copyingLive(),
      letPass(200),
      lose,
      letPass(20_000),
      steps.stop(),
      backOnSource,
      stays('uncopied', isUncopied, 200_000),
      recover,
      steps.movedForGood(),
    );
    undisturbed(scene);
  });

  test('the node of the second virt-launcher: it is moved in the end', () => {
    for (const goneMs of [30_000, 400_000]) {
      const { lose, recover } = losing(targetNode);
      const scene = play({}, steps.copyingLive(), letPass(200), lose, letPass(goneMs), recover, steps.movedForGood());
      undisturbed(scene);
    }
  });

  test('the node of the second virt-launcher, and the machine is stopped meanwhile: uncopied until its pod is gone', () => {
    const { lose, recover } = losing(targetNode);
    const scene = play(
      {},
      steps.copyingLive(),
      letPass(200),
      lose,
      letPass(1000),
      attempt(({ world }) => world.people.stop(web)),
      stays('uncopied', isUncopied, 200_000),
      recover,
      steps.movedForGood(),
    );
    undisturbed(scene);
  });
});

describe('a pod that is being deleted on a lost node', () => {
  test.each([true, false])('and mounts B counts as running, the machine on: %s', (on) => {
    const { lose, recover } = losing(({ world }) => nodeOf(world.server.read(resources.pods, reader)));
    const scene = play(
      { players: [{ machine: web, on }], asksLater: true },
      steps.ask,
      accepted,
      mountTarget,
      letPass(800),
      lose,
      unmountTarget,
      stays('untouched', (now) => now.vmWrites().length === 0 && isUncopied(now), 120_000),
      recover,
      steps.movedForGood(),
    );
    undisturbed(scene);
  });
});
