// What is kept of a kind from the signals of its watch: the newest of each object, whatever the order they come in.
import fc from 'fast-check';
import { from, map, type Observable, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { KubeFailure } from '../../../src/kube/api.ts';
import type { Store } from '../../../src/streams/store.ts';
import { type StoreOptions, storeOf } from '../../../src/streams/storeOf.ts';
import type { WatchSignal } from '../../../src/streams/watchSignal.ts';
import { marbles } from '../marbles.ts';
import { malformedThing, type Thing, thing } from './scriptedApi.ts';

type Signal = WatchSignal<Thing>;

const scope = '';
const init: Signal = { scope, kind: 'init' };
const ready = (resourceVersion: string): Signal => ({ scope, kind: 'ready', resourceVersion });
const listed = (object: Thing): Signal => ({ scope, kind: 'listed', object });
const applied = (object: Thing): Signal => ({ scope, kind: 'applied', object });
const deleted = (object: Thing): Signal => ({ scope, kind: 'deleted', identity: object, object });
const bookmark = (resourceVersion: string): Signal => ({ scope, kind: 'bookmark', resourceVersion });
const ignored = (identity: Thing): Signal => ({ scope, kind: 'ignored', identity });
const malformed = (name: string, version: string, isListed = false): Signal => ({
  scope,
  kind: 'malformed',
  malformed: malformedThing(name, version),
  listed: isListed,
});
const trouble: Signal = {
  scope,
  kind: 'trouble',
  failure: new KubeFailure('unknown', 'reset'),
  attempt: 1,
  delayMs: 2,
};

const signals: Readonly<Record<string, Signal>> = {
  i: init,
  a: listed(thing('a', '7')),
  b: listed(thing('b', '8')),
  r: ready('10'),
  s: ready('30'),
  p: applied(thing('a', '11')),
  q: applied(thing('a', '12')),
  n: applied(thing('c', '13')),
  x: deleted(thing('a', '14')),
  k: bookmark('20'),
  g: ignored(thing('a', '15')),
  m: malformed('a', '16'),
  t: trouble,
};

/** A store as text: what it holds, how far it has come, and what is wrong. */
const text = (store: Store<Thing, string>): string => {
  const objects = [...store.all()].map(({ name, resourceVersion }) => `${name}${resourceVersion}`).sort();
  const unreadable = [...store.malformed()].map(({ name, resourceVersion }) => `${name}${resourceVersion}!`);
  const held = [...objects, ...unreadable].join(' ');
  return store.synced ? `${held} @${store.seenVersion}${store.trouble ? ' trouble' : ''}` : 'not synced';
};

const texts = (source: Observable<Signal>, options: StoreOptions<Thing, never> = {}): Observable<string> =>
  source.pipe(storeOf<Thing>(options), map(text));

/** The store after all these signals; they are taken in at once. */
const storeAfter = <Index extends string = never>(
  given: readonly Signal[],
  options: StoreOptions<Thing, Index> = {},
): Store<Thing, Index> => {
  const stores: Store<Thing, Index>[] = [];
  from(given)
    .pipe(storeOf<Thing, Index>({ now: () => 0, ...options }))
    .subscribe((store) => stores.push(store));
  const last = stores.at(-1);
  if (last === undefined) throw new Error('A store emits at once.');
  return last;
};

const synced = (...objects: readonly Thing[]): Signal[] => [init, ...objects.map(listed), ready('10')];

describe('storeOf, as signals come in', () => {
  test('shows a list whole or not at all', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                       -i-a-b-r---p--|', signals);
      expectObservable(texts(source)).toBe('s------r---p--|', {
        s: 'not synced',
        r: 'a7 b8 @10',
        p: 'a11 b8 @11',
      });
    });
  });

  test('is synced after an empty list', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(texts(hot('-i-r-', signals)), '^----!').toBe('s--r-', { s: 'not synced', r: ' @10' });
    });
  });

  test('swaps a new list in when it is complete, and goes on showing the old one until then', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                               -(iabr)-t---i-a-s---', signals);
      expectObservable(texts(source), '^-------------------!').toBe('or------t-------s---', {
        o: 'not synced',
        r: 'a7 b8 @10',
        t: 'a7 b8 @10 trouble',
        s: 'a7 @30',
      });
    });
  });

  test('drops half a list when another begins', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                              -i-a-t-i-b-r-', signals);
      expectObservable(texts(source), '^------------!').toBe('o----t-----r-', {
        o: 'not synced',
        t: 'not synced',
        r: 'b8 @10',
      });
    });
  });

  test('says nothing on a duplicate, and takes in no version that is older than the one it holds', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                              -(iar)-q--q--p--k--k-', signals);
      expectObservable(texts(source), '^--------------------!').toBe('or-----q--------k----', {
        o: 'not synced',
        r: 'a7 @10',
        q: 'a12 @12',
        k: 'a12 @20',
      });
    });
  });

  test('does not bring back a deleted object on a late event of its own', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                              -(iar)-x--p--x--n-', signals);
      expectObservable(texts(source), '^-----------------!').toBe('or-----x--------n-', {
        o: 'not synced',
        r: 'a7 @10',
        x: ' @14',
        n: 'c13 @14',
      });
    });
  });

  test('lets go of an object that is of no interest any more, and of one that it cannot read, but tells the latter', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                              -(iabr)-g--m--', signals);
      expectObservable(texts(source), '^-------------!').toBe('or------g--m--', {
        o: 'not synced',
        r: 'a7 b8 @10',
        g: 'b8 @15',
        m: 'b8 a16! @16',
      });
    });
  });

  test('forgets its trouble as soon as the server is heard again', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                              -(iar)-t--q--', signals);
      expectObservable(texts(source), '^------------!').toBe('or-----t--q--', {
        o: 'not synced',
        r: 'a7 @10',
        t: 'a7 @10 trouble',
        q: 'a12 @12',
      });
    });
  });

  test('keeps its state in the subscription: two subscribers share nothing', () => {
    marbles(({ hot, expectObservable }) => {
      const store = texts(hot('            -(iar)-q---', signals));
      expectObservable(store, '^---------!').toBe('or-----q--', { o: 'not synced', r: 'a7 @10', q: 'a12 @12' });
      expectObservable(store, '------^---!').toBe('------o---', { o: 'not synced' });
    });
  });

  test('is synced when each namespace has been listed, and swaps only the one that is listed anew', () => {
    const inScope = (name: string, signal: Signal): Signal => ({ ...signal, scope: name });
    const at = (namespace: string, name: string, version: string): Thing => ({ ...thing(name, version), namespace });
    const namespaces = ['one', 'two'];
    const first: Signal[] = [
      inScope('one', init),
      inScope('two', init),
      inScope('one', listed(at('one', 'a', '7'))),
      inScope('one', ready('10')),
    ];
    expect(storeAfter(first, { namespaces }).synced).toBe(false);
    const second: Signal[] = [
      ...first,
      inScope('two', listed({ ...at('two', 'a', '8'), uid: 'other' })),
      inScope('two', ready('12')),
    ];
    const both = storeAfter(second, { namespaces });
    expect([both.synced, both.seenVersion, both.seenVersionOf('two')]).toStrictEqual([true, '10', '12']);
    const relisted = storeAfter([...second, inScope('one', init), inScope('one', ready('14'))], { namespaces });
    expect(relisted.get('one', 'a')).toBeUndefined();
    expect(relisted.get('two', 'a')?.resourceVersion).toBe('8');
    expect(relisted.seenVersion).toBe('12');
  });

  test('tells when the server was last heard of', () => {
    let clock = 5;
    const stores: Store<Thing>[] = [];
    of(...synced(), trouble)
      .pipe(storeOf<Thing>({ now: () => clock++ }))
      .subscribe((store) => stores.push(store));
    expect(stores.at(-1)?.lastEventMs).toBe(6);
  });
});

describe('storeOf, what it holds', () => {
  test('keeps the very same object over a list in which it did not change', () => {
    const first = thing('a', '7');
    const store = storeAfter([...synced(first), init, listed(thing('a', '7')), ready('30')]);
    expect(store.get('shop', 'a')).toBe(first);
  });

  test('takes what a list says even if it is older: the cluster was restored from a backup', () => {
    const store = storeAfter([...synced(thing('a', '700')), init, listed(thing('a', '7')), ready('8')]);
    expect([store.get('shop', 'a')?.resourceVersion, store.seenVersion]).toStrictEqual(['7', '8']);
  });

  test('takes an object for alive again that was seen deleted, if a list has it', () => {
    const store = storeAfter([
      ...synced(thing('a', '7')),
      deleted(thing('a', '14')),
      init,
      listed(thing('a', '7')),
      ready('8'),
      applied(thing('a', '9')),
    ]);
    expect(store.get('shop', 'a')?.resourceVersion).toBe('9');
  });

  test('takes in versions whose order it cannot tell, and only the same one again is a duplicate', () => {
    const store = storeAfter([
      ...synced(thing('a', 'x1')),
      applied(thing('a', 'w9')),
      applied(thing('a', 'w9', 'twice')),
    ]);
    expect(store.get('shop', 'a')).toStrictEqual(thing('a', 'w9'));
  });

  test('finds objects by their keys, old keys no more', () => {
    const indexes = { note: (object: Thing) => object.note.split('+') };
    const store = storeAfter(
      [
        ...synced(thing('a', '1', 'x+y'), thing('b', '2', 'y'), thing('c', '3', 'y')),
        applied(thing('a', '11', 'y+z')),
        deleted(thing('b', '12', 'y')),
      ],
      { indexes },
    );
    const found = (key: string): string[] =>
      store.by('note', key).map(({ name, resourceVersion }) => name + resourceVersion);
    expect([found('x'), found('y').sort(), found('z')]).toStrictEqual([[], ['a11', 'c3'], ['a11']]);
  });

  test('remembers the last state of a deleted object, also while a new one has its name', () => {
    const kept = { keepDeleted: true };
    const once = [...synced(thing('a', '7')), deleted(thing('a', '14', 'last words'))];
    expect(storeAfter(once, kept).tombstone('shop', 'a')).toStrictEqual({
      object: thing('a', '14', 'last words'),
      gap: false,
    });
    const again = storeAfter([...once, applied(thing('a', '15', '', 'uid-2'))], kept);
    expect(again.get('shop', 'a')?.uid).toBe('uid-2');
    expect(again.tombstone('shop', 'a')?.object.uid).toBe('uid-a');
    expect(storeAfter(once).tombstone('shop', 'a')).toBeUndefined();
  });

  test('says that there is a gap when a list found the object missing or replaced', () => {
    const gone = storeAfter([...synced(thing('a', '7')), init, ready('30')], { keepDeleted: true });
    expect(gone.tombstone('shop', 'a')).toStrictEqual({ object: thing('a', '7'), gap: true });
    const replaced = storeAfter(
      [...synced(thing('a', '7')), init, listed(thing('a', '20', '', 'uid-2')), ready('30')],
      {
        keepDeleted: true,
      },
    );
    expect(replaced.tombstone('shop', 'a')).toStrictEqual({ object: thing('a', '7'), gap: true });
    expect(replaced.get('shop', 'a')?.uid).toBe('uid-2');
  });

  test('does not take a late deletion of an earlier object for that of the one that has the name now', () => {
    const store = storeAfter(
      [...synced(thing('a', '7')), applied(thing('a', '12', '', 'uid-2')), deleted(thing('a', '11', 'end'))],
      { keepDeleted: true },
    );
    expect(store.get('shop', 'a')?.uid).toBe('uid-2');
    expect(store.tombstone('shop', 'a')).toStrictEqual({ object: thing('a', '11', 'end'), gap: false });
  });

  test('counts an object that was listed unreadable as there, until it is readable or gone', () => {
    const unreadable = [init, malformed('a', '7', true), ready('10')];
    expect(storeAfter(unreadable).malformedAt('shop', 'a')).toStrictEqual(malformedThing('a', '7'));
    const mended = storeAfter([...unreadable, applied(thing('a', '11'))]);
    expect([mended.get('shop', 'a')?.resourceVersion, [...mended.malformed()]]).toStrictEqual(['11', []]);
    const gone = storeAfter([
      ...unreadable,
      { scope, kind: 'deleted', identity: malformedThing('a', '12'), object: undefined },
    ]);
    expect([gone.get('shop', 'a'), [...gone.malformed()]]).toStrictEqual([undefined, []]);
  });

  test('forgets the oldest of the deleted objects when there are too many', () => {
    const names = ['a', 'b', 'c'];
    const store = storeAfter(
      [
        ...synced(...names.map((name) => thing(name, '5'))),
        ...names.map((name, index) => deleted(thing(name, `${11 + index}`))),
      ],
      { keepDeleted: true, mostDeleted: 2 },
    );
    expect(names.map((name) => store.tombstone('shop', name) !== undefined)).toStrictEqual([false, true, true]);
  });
});

describe('storeOf, in any order', () => {
  /** The lives of some objects of few names: each is added, changed some times and maybe deleted, version by version. */
  const history = fc
    .array(fc.record({ name: fc.constantFrom('a', 'b', 'c'), changes: fc.nat(3) }), { maxLength: 8 })
    .map((lives): Signal[] => {
      let version = 10;
      const next = (): string => String(++version);
      const events: Signal[] = [];
      const living = new Map<string, Thing>();
      lives.forEach(({ name, changes }, life) => {
        const before = living.get(name);
        if (before !== undefined) events.push(deleted({ ...before, resourceVersion: next(), note: 'deleted' }));
        for (let change = 0; change <= changes; change++) {
          const object = thing(name, next(), `change ${change}`, `uid-${life}`);
          living.set(name, object);
          events.push(applied(object));
        }
        if (life % 3 !== 0) return;
        const last = living.get(name);
        living.delete(name);
        if (last !== undefined) events.push(deleted({ ...last, resourceVersion: next(), note: 'deleted' }));
      });
      return events;
    });

  const shuffled = history.chain((events) =>
    fc
      .tuple(
        fc.shuffledSubarray(events, { minLength: events.length }),
        fc.shuffledSubarray(events),
        fc.array(fc.nat(), { maxLength: 20 }),
      )
      .map(([order, again, places]) => {
        const mixed = [...order];
        again.forEach((event, index) => {
          mixed.splice((places[index % Math.max(1, places.length)] ?? 0) % (mixed.length + 1), 0, event);
        });
        return { events, mixed };
      }),
  );

  const summary = (given: readonly Signal[]): unknown => {
    const store = storeAfter([...synced(), ...given], {
      keepDeleted: true,
      indexes: { note: (object) => [object.note] },
    });
    const objects = [...store.all()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const tombstones = ['a', 'b', 'c'].map((name) => store.tombstone('shop', name)?.object);
    const indexed = [0, 1, 2, 3].map((change) =>
      store
        .by('note', `change ${change}`)
        .map(({ uid }) => uid)
        .sort(),
    );
    return { objects, tombstones, indexed, seen: store.seenVersion, size: store.size };
  };

  test('ends in the same state whatever the order of events and however many come twice', () => {
    fc.assert(
      fc.property(shuffled, ({ events, mixed }) => {
        expect(summary(mixed)).toStrictEqual(summary(events));
      }),
      { numRuns: 500 },
    );
  });

  test('has in its indexes what it holds, and nothing else', () => {
    fc.assert(
      fc.property(shuffled, ({ mixed }) => {
        const store = storeAfter([...synced(), ...mixed], { indexes: { every: () => ['all'] } });
        expect(new Set(store.by('every', 'all'))).toStrictEqual(new Set(store.all()));
        expect(store.by('every', 'all')).toHaveLength(store.size);
      }),
    );
  });
});
