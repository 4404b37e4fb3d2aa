// The stage that the plays stand on has to object when a play could not have happened.
import { catchError, map, type Observable, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { KubeFailure } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { client, migration, vm } from './cast.ts';
import { linesOf } from './letters.ts';
import { type MarbleHelpers, marbles } from './marbles.ts';
import { expectPlay } from './play.ts';
import { type Line, stage } from './stage.ts';

const set = (helpers: MarbleHelpers, lines: readonly Line[]) =>
  stage(helpers, { machines: ['web'], migration: migration(['web']), lines });

const named = { name: vm('web').metadata.name, namespace: 'shop' };

describe('the stage', () => {
  test('objects to a copy pod that nobody has made', () => {
    const play = () => expectPlay(['web'], { vm: 'o-----', client: '---r--' }, { records: '----o', writes: '----sc' });
    expect(play).toThrow(/Frame 3: pod copy-client-web-root-\w+ is drawn, but nobody has made it/);
  });

  test('objects to the end of what is not there', () => {
    const play = () => expectPlay(['web'], { vm: 'o-----', vmi: '--g---' }, { records: '----o', writes: '----sc' });
    expect(play).toThrow('Frame 2: VirtualMachineInstance web ends, but is not there.');
  });

  test('fails a play in which the daemon writes what is not expected, or does not write what is', () => {
    expect(() => expectPlay(['web'], { vm: 'o-----' }, { records: '----o', writes: '----s' })).toThrow(
      '\nexpected  ----s\nactual    ----sc\n',
    );
    expect(() => expectPlay(['web'], { vm: 'o-----' }, { records: '----o', writes: '----sc--y' })).toThrow('actual');
  });

  test('refuses a patch whose test does not hold, and a deletion that means another life of the name', () => {
    marbles((helpers) => {
      const { api } = set(helpers, linesOf({ vm: 'o---u--', client: 'r------' }));
      const operations = [{ op: 'test', path: '/metadata/resourceVersion', value: '1000' }] as const;
      const pod = client('web').metadata;
      const code = (request: Observable<unknown>): Observable<string> =>
        request.pipe(
          map(() => 'done'),
          catchError((failure: KubeFailure) => of(String(failure.code))),
        );
      const patch = code(api.patch(resources.virtualMachines, named, { type: 'json', operations }));
      const remove = (uid: string) => code(api.remove(resources.pods, { namespace: 'shop', name: pod.name }, { uid }));
      const words = { a: 'done', c: '409', u: '422' };
      helpers.expectObservable(patch, '               --^-').toBe('---(a|)', words);
      helpers.expectObservable(patch, '               ----^').toBe('-----(u|)', words);
      helpers.expectObservable(remove('uid-another'), '--^-').toBe('---(c|)', words);
      helpers.expectObservable(remove(`uid-${pod.name}`), '----^').toBe('-----(a|)', words);
    });
  });
});
