// What random schedules have found, each as the shortest scene that shows it.
import { expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import { act, letPass, machine, namespace, type Scene, scene, until } from './scene.ts';
import { at, sight } from './sight.ts';

const web = machine('web');
const ref = { namespace, name: 'web' };
const isDone = (performing: Scene): boolean => at(performing.entry(web), 'mode') === 'Done';

test('no copy pod is made when the VM was started while the daemon waited to hear that it is off', () => {
  let isSlow = true;
  scene(
    [web],
    [
      act((performing) => performing.create(web, { runStrategy: 'Halted' })),
      letPass(1000),
      act((performing) => performing.move(performing.specOf(web))),
      until((performing) => at(performing.entry(web), 'record', 'offline') !== undefined),
      letPass(700),
      act(({ world }) => world.people.start(ref)),
      letPass(3000),
      act((performing) => {
        expect(performing.deeds.filter((deed) => deed.startsWith('added pods'))).toEqual([]);
        isSlow = false;
      }),
      until(isDone),
    ],
    {
      onRequest: ({ verb, resource }) =>
        isSlow && verb === 'get' && resource.plural === 'virtualmachines' ? { kind: 'slow', ms: 500 } : undefined,
    },
  );
});

test('a migration that is deleted while KubeVirt begins it is let go, and the next one moves the machine', () => {
  const isPatched = ({ world }: Scene): boolean =>
    sight.sideOf(world.server.read(resources.virtualMachines, ref), web) === 'target';
  const isGone = (performing: Scene): boolean => performing.migration() === undefined;
  for (const ms of [6, 8, 10, 12, 14, 16]) {
    scene(
      [web],
      [
        act((performing) => performing.create(web)),
        letPass(4000),
        act((performing) => performing.move(performing.specOf(web))),
        until(isPatched),
        letPass(ms),
        act(({ world }) => world.server.remove(resources.storageMigrations, { namespace, name: 'move' }, 'user')),
        until(isGone),
        act((performing) => performing.move(performing.specOf(web))),
        until(isDone),
      ],
      { limitMs: 120_000 },
    );
  }
});

test('a patch that the silent watch of VMs does not show is not taken for one that never landed', () => {
  let isSilent = false;
  scene(
    [web],
    [
      act((performing) => performing.create(web)),
      letPass(4000),
      act((performing) => {
        isSilent = true;
        performing.start();
        performing.move(performing.specOf(web));
      }),
      until(({ world }) => sight.sideOf(world.server.read(resources.virtualMachines, ref), web) === 'target'),
      letPass(1000),
      act(({ world }) => world.people.stop(ref)),
      until(isDone),
    ],
    {
      limitMs: 600_000,
      onRequest: ({ verb, resource }) => {
        if (!isSilent || verb !== 'watch' || resource.plural !== 'virtualmachines') return undefined;
        isSilent = false;
        return { kind: 'hang' };
      },
    },
  );
});
