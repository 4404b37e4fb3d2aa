// List, then watch, for ever: what is asked, when it is asked again, and what is told on the way.
import { NEVER, type Observable, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { KubeFailure, type ListPage, type WatchEvent } from '../../../src/kube/api.ts';
import { resources } from '../../../src/kube/resources.ts';
import { type WatchKindOptions, watchKind } from '../../../src/streams/watchKind.ts';
import type { WatchSignal } from '../../../src/streams/watchSignal.ts';
import { marbles } from '../marbles.ts';
import { type Asked, malformedThing, page, projectThing, raw, scriptedApi, type Thing, thing } from './scriptedApi.ts';

/** Back-off of 2, 4, 8, 8 … frames; a watch counts as flapping before 3 frames, and 30 frames without failure as quiet. */
const quick: WatchKindOptions = {
  random: () => 0,
  backoffMs: 4,
  maxBackoffMs: 16,
  quietMs: 30,
  flappingMs: 3,
  idleMs: 1000,
  listTimeoutMs: 1000,
};

const watchThings = (
  lists: readonly Observable<ListPage>[],
  watches: readonly Observable<WatchEvent>[],
  options: Partial<WatchKindOptions> = {},
): { readonly out: Observable<WatchSignal<Thing>>; readonly asked: Asked } => {
  const { api, asked } = scriptedApi(lists, watches);
  return { out: watchKind(api, resources.pods, projectThing, { ...quick, ...options }), asked };
};

const expired = new KubeFailure('status', 'too old', { code: 410, reason: 'Expired' });
const broken = new KubeFailure('unknown', 'connection reset');
const failedBy = (failure: KubeFailure, attempt: number, delayMs: number): WatchSignal<Thing> => ({
  scope: '',
  kind: 'trouble',
  failure,
  attempt,
  delayMs,
});

const events: Readonly<Record<string, WatchEvent>> = {
  p: { type: 'added', object: raw('a', '11') },
  q: { type: 'modified', object: raw('a', '12') },
  x: { type: 'deleted', object: raw('a', '13') },
  b: { type: 'bookmark', resourceVersion: '20' },
  e: { type: 'error', failure: expired },
  m: { type: 'modified', object: raw('a', '14', 'bad') },
  n: { type: 'modified', object: raw('a', '15', 'dull') },
  y: { type: 'deleted', object: raw('a', '16', 'bad') },
};

const signals: Readonly<Record<string, WatchSignal<Thing>>> = {
  i: { scope: '', kind: 'init' },
  l: { scope: '', kind: 'listed', object: thing('a', '7') },
  k: { scope: '', kind: 'listed', object: thing('b', '8') },
  r: { scope: '', kind: 'ready', resourceVersion: '10' },
  s: { scope: '', kind: 'ready', resourceVersion: '30' },
  p: { scope: '', kind: 'applied', object: thing('a', '11') },
  q: { scope: '', kind: 'applied', object: thing('a', '12') },
  x: { scope: '', kind: 'deleted', identity: thing('a', '13'), object: thing('a', '13') },
  b: { scope: '', kind: 'bookmark', resourceVersion: '20' },
  m: { scope: '', kind: 'malformed', malformed: malformedThing('a', '14'), listed: false },
  n: {
    scope: '',
    kind: 'ignored',
    identity: { namespace: 'shop', name: 'a', uid: 'uid-a', resourceVersion: '15' },
  },
  y: { scope: '', kind: 'deleted', identity: malformedThing('a', '16'), object: undefined },
  E: failedBy(expired, 1, 2),
  B: failedBy(broken, 1, 2),
  C: failedBy(broken, 2, 4),
  D: failedBy(broken, 3, 8),
  F: failedBy(broken, 4, 8),
};

describe('watchKind', () => {
  test('lists page by page, then watches from the version of the list', () => {
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const one = cold('--(l|)', { l: { resourceVersion: '10', items: [raw('a', '7')], continue: 'more' } });
      const two = cold('  --(k|)', { k: { resourceVersion: '10', items: [raw('b', '8')] } });
      const tail = cold('    ----p--q--x--b-', events);
      const { out, asked } = watchThings([one, two], [tail]);

      expectObservable(out, '^------------------!').toBe('i-l-(kr)p--q--x--b-', signals);
      expectSubscriptions(tail.subscriptions).toBe('  ----^--------------!');
      flush();
      expect(asked.lists).toStrictEqual([{ limit: 500 }, { limit: 500, continue: 'more' }]);
      expect(asked.watches).toStrictEqual([{ resourceVersion: '10', timeoutSeconds: 300 }]);
    });
  });

  test('says ready after an empty list', () => {
    marbles(({ expectObservable }) => {
      const { out } = watchThings([page('10', [])], [NEVER]);
      expectObservable(out, '^---!').toBe('(ir)', signals);
    });
  });

  test('resumes after a cut from the last version it heard of, bookmarks included', () => {
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const first = cold(' ----p--b--#         ', events, broken);
      const second = cold('            ----q---', events);
      const { out, asked } = watchThings([page('10', [])], [first, second]);

      expectObservable(out, '              ^-------------------!').toBe('(ir)p--b--B-----q---', signals);
      expectSubscriptions(first.subscriptions).toBe('             ^---------!');
      expectSubscriptions(second.subscriptions).toBe('            ------------^-------!');
      flush();
      expect(asked.watches.map((watch) => watch.resourceVersion)).toStrictEqual(['10', '20']);
      expect(asked.lists).toHaveLength(1);
    });
  });

  test.each([
    ['by status', '-----#'],
    ['by an event', '-----e'],
  ])('lists anew when the version has expired, told %s', (_how, ending) => {
    marbles(({ cold, expectObservable, flush }) => {
      const { out, asked } = watchThings(
        [page('10', []), page('30', [])],
        [cold(ending, events, expired), cold('------')],
      );
      expectObservable(out, '^------------!').toBe('(ir)-E-(is)--', signals);
      flush();
      expect(asked.watches.map((watch) => watch.resourceVersion)).toStrictEqual(['10', '30']);
    });
  });

  test('begins the list from the start when the continue token has expired', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { out, asked } = watchThings(
        [page('10', [raw('a', '7')], 'more'), cold('----#', {}, expired), page('30', [])],
        [NEVER],
      );
      expectObservable(out, '^------------!').toBe('(il)E-(is)---', signals);
      flush();
      expect(asked.lists.map((list) => list.continue)).toStrictEqual([undefined, 'more', undefined]);
    });
  });

  test('goes on at once, and without trouble, when the server ends a watch in good order', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { out, asked } = watchThings([page('10', [])], [cold('----p-|', events), cold('-q', events)]);
      expectObservable(out, '^---------!').toBe('(ir)p--q--', signals);
      flush();
      expect(asked.watches.map((watch) => watch.resourceVersion)).toStrictEqual(['10', '11']);
    });
  });

  test('backs off from a server that ends every watch at once', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { out, asked } = watchThings(
        [page('10', [])],
        [cold('-----|', events), cold('-|', events), cold('-|', events)],
        { flappingMs: 6 },
      );
      const ended = (ms: number): KubeFailure =>
        new KubeFailure('unknown', `the server ended the watch of pods after ${ms} ms`);
      expectObservable(out, '^------------------!').toBe('(ir)-T--U----V-----', {
        ...signals,
        T: failedBy(ended(5), 1, 2),
        U: failedBy(ended(1), 2, 4),
        V: failedBy(ended(1), 3, 8),
      });
      flush();
      expect(asked.watches).toHaveLength(3);
    });
  });

  test('waits longer each time it fails, and as briefly as at first only after quiet', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { out } = watchThings(
        [page('10', [])],
        [
          cold('----#', {}, broken),
          cold('-#', {}, broken),
          cold('-#', {}, broken),
          cold('-#', {}, broken),
          cold('40ms #', {}, broken),
          cold('--'),
        ],
      );
      //                                    watch, wait 2, watch 1, wait 4 …
      expectObservable(out, '^ 99ms !').toBe('(ir)B--C----D--------F 47ms B', signals);
      flush();
    });
  });

  test('waits as long as the server asks for', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const busy = new KubeFailure('status', 'slow down', {
        code: 429,
        reason: 'TooManyRequests',
        retryAfterSeconds: 1,
      });
      const { out, asked } = watchThings([throwError(() => busy), cold('-----')], [], { maxBackoffMs: 5000 });
      expectObservable(out, '^ 1500ms !').toBe('(iT) 996ms i', { ...signals, T: failedBy(busy, 1, 1000) });
      flush();
      expect(asked.lists).toHaveLength(2);
    });
  });

  test('lists anew after being refused too often, for the server may never have heard of the version', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const unknown = new KubeFailure('status', 'Too large resource version', { code: 504, reason: 'Timeout' });
      const refused = cold<WatchEvent>('-----#', {}, unknown);
      const { out, asked } = watchThings([page('10', []), page('30', [])], [refused, refused, NEVER], {
        refusalsBeforeList: 2,
      });
      expectObservable(out, '^ 40ms !').toBe('(ir)-E------F---(is)', {
        ...signals,
        E: failedBy(unknown, 1, 2),
        F: failedBy(unknown, 2, 4),
      });
      flush();
      expect(asked.watches.map((watch) => watch.resourceVersion)).toStrictEqual(['10', '10', '30']);
    });
  });

  test('takes being agreed to for no proof that the version is of use', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const failed = new KubeFailure('status', 'no', { code: 500, reason: 'InternalError' });
      const agreed: WatchEvent = { type: 'bookmark', resourceVersion: '10' };
      const refused = cold('a----#', { a: agreed }, failed);
      const { out, asked } = watchThings([page('10', []), page('30', [])], [refused, refused, NEVER], {
        refusalsBeforeList: 2,
      });
      expectObservable(out, '^ 40ms !').toBe('(ira)E-a----F---(is)', {
        ...signals,
        a: { scope: '', kind: 'bookmark', resourceVersion: '10' },
        E: failedBy(failed, 1, 2),
        F: failedBy(failed, 2, 4),
      });
      flush();
      expect(asked.watches.map((watch) => watch.resourceVersion)).toStrictEqual(['10', '10', '30']);
    });
  });

  test('does not count refusals that an event came between, nor being told to slow down', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const busy = new KubeFailure('status', 'slow down', { code: 429, reason: 'TooManyRequests' });
      const failed = new KubeFailure('status', 'no', { code: 500, reason: 'InternalError' });
      const { out, asked } = watchThings(
        [page('10', [])],
        [
          cold('-----#', events, failed),
          cold('-p---#', events, failed),
          cold('-----#', events, busy),
          cold('-----#', events, busy),
          NEVER,
        ],
        { refusalsBeforeList: 2 },
      );
      expectObservable(out, '^ 60ms !').toBe('(ir)-E--p---F 8ms G 12ms H', {
        ...signals,
        E: failedBy(failed, 1, 2),
        F: failedBy(failed, 2, 4),
        G: failedBy(busy, 3, 8),
        H: failedBy(busy, 4, 8),
      });
      flush();
      expect(asked.watches.map((watch) => watch.resourceVersion)).toStrictEqual(['10', '10', '11', '11', '11']);
    });
  });

  test('keeps its place when an event does not tell its version', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const nowhere: WatchEvent = { type: 'bookmark', resourceVersion: '' };
      const { out, asked } = watchThings([page('10', [])], [cold('----p-z-|', { ...events, z: nowhere }), NEVER]);
      expectObservable(out, '^-----------!').toBe('(ir)p-z-----', {
        ...signals,
        z: { scope: '', kind: 'bookmark', resourceVersion: '' },
      });
      flush();
      expect(asked.watches.map((watch) => watch.resourceVersion)).toStrictEqual(['10', '11']);
    });
  });

  test('reports an object that it cannot read, and goes on', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { out, asked } = watchThings(
        [page('10', [raw('a', '7', 'bad')])],
        [cold('-----m--n--y--#', events, broken), cold('--')],
      );
      const listed: WatchSignal<Thing> = {
        scope: '',
        kind: 'malformed',
        malformed: malformedThing('a', '7'),
        listed: true,
      };
      expectObservable(out, '^---------------!').toBe('(ijr)m--n--y--B-', { ...signals, j: listed });
      flush();
      expect(asked.watches).toHaveLength(1);
    });
  });

  test('takes a silent watch for broken and resumes it', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const mute = cold('----p---------------', events);
      const { out } = watchThings([page('10', [])], [mute, NEVER], { idleMs: 10 });
      const silent = new KubeFailure('unknown', 'the watch of pods was silent for 10 ms, bookmarks included');
      expectObservable(out, '^----------------!').toBe('(ir)p---------T--', { ...signals, T: failedBy(silent, 1, 2) });
      expectSubscriptions(mute.subscriptions).toBe('     ^-------------!');
    });
  });

  test('takes a list that is not answered for failed and asks again', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const mute = cold<ListPage>('--------------------');
      const { out } = watchThings([mute, page('30', [])], [NEVER], { listTimeoutMs: 5 });
      const silent = new KubeFailure('unknown', 'the list of pods was not answered within 5 ms');
      expectObservable(out, '^-----------!').toBe('i----T-(is)', { ...signals, T: failedBy(silent, 1, 2) });
      expectSubscriptions(mute.subscriptions).toBe('^----!');
    });
  });

  test('aborts the request under way when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const list = cold<ListPage>('----------');
      expectObservable(watchThings([list], []).out, '^--!').toBe('i---', signals);
      expectSubscriptions(list.subscriptions).toBe('         ^--!');

      const tail = cold<WatchEvent>('----------');
      expectObservable(watchThings([page('10', [])], [tail]).out, '^-----!').toBe('(ir)---', signals);
      expectSubscriptions(tail.subscriptions).toBe('                   ^-----!');
    });
  });

  test('asks for nothing more when it is unsubscribed while it waits', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { out, asked } = watchThings([cold('-#', {}, broken)], []);
      expectObservable(out, '^-!').toBe('iB-', signals);
      flush();
      expect(asked.lists).toHaveLength(1);
    });
  });

  test('watches each namespace by itself, and one that fails does not hold up the other', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { out, asked } = watchThings(
        [cold('------#', {}, broken), page('10', []), page('30', [])],
        [cold('------------p', events), NEVER],
        { namespaces: ['one', 'two', 'one'], labelSelector: 'x=y' },
      );
      const from = (scope: string, signal: WatchSignal<Thing> | undefined): WatchSignal<Thing> =>
        ({ ...signal, scope }) as WatchSignal<Thing>;
      expectObservable(out, '^--------------!').toBe('(ijr)-B-(ks)p--', {
        i: from('one', signals['i']),
        j: from('two', signals['i']),
        r: from('two', signals['r']),
        B: from('one', signals['B']),
        k: from('one', signals['i']),
        s: from('one', signals['s']),
        p: from('two', signals['p']),
      });
      flush();
      expect(asked.lists[0]).toStrictEqual({ namespace: 'one', labelSelector: 'x=y', limit: 500 });
    });
  });

  test('asks for watches of different length', () => {
    marbles(({ expectObservable, flush }) => {
      const { out, asked } = watchThings([page('10', [])], [NEVER], { random: () => 0.5 });
      expectObservable(out, '^---!').toBe('(ir)', signals);
      flush();
      expect(asked.watches[0]?.timeoutSeconds).toBe(450);
    });
  });

  test('lets a bug through instead of asking the cluster for ever', () => {
    marbles(({ expectObservable }) => {
      const bug = new TypeError('no such field');
      const { out } = watchThings([throwError(() => bug)], []);
      expectObservable(out).toBe('(i#)', signals, bug);
    });
  });
});
