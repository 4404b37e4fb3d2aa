// What random schedules have found, each as the shortest scene that shows it.
import { expect, test } from 'vitest';
import { act, letPass, machine, namespace, type Scene, scene, until } from './scene.ts';
import { at } from './sight.ts';

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
