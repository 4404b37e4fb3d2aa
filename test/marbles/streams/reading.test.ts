// What the effects may read at any moment: the newest snapshot, and what it says of machines and of what we wrote.
import { distinctUntilChanged, map, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Reading } from '../../../src/core/reading.ts';
import { readingOf } from '../../../src/streams/reading.ts';
import type { Snapshot } from '../../../src/streams/snapshot.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';
import { type Watched, watched } from './watched.ts';

const web = { namespace: 'shop', migration: 'move', machine: 'web' };
const move = { namespace: 'shop', migration: 'move' };

/** What `say` says of each snapshot in turn, when it changes. */
const reading = (helpers: MarbleHelpers, play: Watched, say: (reading: Reading) => unknown) => {
  let latest: Snapshot | undefined;
  const its = readingOf(() => latest);
  const { snapshots } = watched(helpers, play);
  return snapshots.pipe(
    tap((snapshot) => {
      latest = snapshot;
    }),
    map(() => say(its)),
    distinctUntilChanged(),
  );
};

describe('readingOf', () => {
  test('knows nothing before the first snapshot', () => {
    const its = readingOf(() => undefined);
    expect(its.synced()).toBe(false);
    expect(its.machine(web)).toBeUndefined();
    expect(its.migration(move)).toBeUndefined();
    expect(its.seenVersion('pods', 'shop')).toBe('');
    expect(its.lastEventMs()).toBeUndefined();
  });

  test('is synced when every kind is listed', () => {
    marbles((helpers) => {
      const play = { cluster: { vm: 'u-------' }, lists: { pods: '----(a|)' } };
      const out = reading(helpers, play, (its) => its.synced());
      helpers.expectObservable(out, '^-------!').toBe('f---t---', { f: false, t: true });
    });
  });

  test('reads the facts of a machine as they are in the newest snapshot', () => {
    marbles((helpers) => {
      const cluster = {
        vm: '  u------h------o-',
        vmi: ' r--------t-g----',
      };
      const out = reading(helpers, { cluster }, (its) => {
        return its.synced() ? its.machine(web)?.guest.kind : 'nothing';
      });
      helpers.expectObservable(out, '^---------------!').toBe('(nr)---e---u--o-', {
        n: 'nothing',
        r: 'running',
        e: 'ending',
        u: 'unclear',
        o: 'off',
      });
    });
  });

  test('tells a VMI whose end was watched from one that a list found gone', () => {
    marbles((helpers) => {
      const cluster = { vm: '      u-------------', vmi: 'r-----g--p----g---' };
      const last = (its: Reading) => {
        const tombstone = its.machine(web)?.view.lastInstance;
        return tombstone === undefined ? 'none' : `${tombstone.object.uid}${tombstone.gap ? ', unseen' : ''}`;
      };
      const watchedEnd = reading(helpers, { cluster }, last);
      helpers.expectObservable(watchedEnd, '^-----------------!').toBe('n-----a-------b---', {
        n: 'none',
        a: 'vmi-web',
        b: 'vmi-web-2',
      });
      const cuts = { virtualmachineinstances: '-------------x' };
      const missedEnd = reading(helpers, { cluster, cuts }, last);
      helpers.expectObservable(missedEnd, ' ^-----------------!').toBe('n-----a--------b--', {
        n: 'none',
        a: 'vmi-web',
        b: 'vmi-web-2, unseen',
      });
    });
  });

  test('reads all of a migration: its machines, and the pods that carry its label', () => {
    marbles((helpers) => {
      const cluster = {
        vm: '    (oU)---------',
        server: 'r--------g---',
        client: 'r----g-------',
      };
      const out = reading(helpers, { cluster }, (its) => {
        const view = its.synced() ? its.migration(move) : undefined;
        return view === undefined ? 'none' : `${view.members.map(({ name }) => name).join()} ${view.pods.length}`;
      });
      helpers.expectObservable(out, '^------------!').toBe('(na)-b---c---', {
        n: 'none',
        a: 'web,db 2',
        b: 'web,db 1',
        c: 'web,db 0',
      });
    });
  });

  test('says how far each kind was seen: by its objects, whoever they belong to', () => {
    marbles((helpers) => {
      const play = { cluster: { vm: '(uU)--h---H--', first: 'r-------t----' } };
      const out = reading(helpers, play, (its) => {
        const versions = (['virtualMachines', 'pods'] as const).map((kind) => its.seenVersion(kind, 'shop'));
        return its.synced() ? versions.join(' ') : 'none';
      });
      helpers.expectObservable(out, '^------------!').toBe('(na)--b-c-d--', {
        n: 'none',
        a: '1001 1000',
        b: '1060 1000',
        c: '1060 1080',
        d: '1100 1080',
      });
    });
  });
});
