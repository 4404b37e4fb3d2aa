// Groups of keys a and b; x is the last value of a's group, y of b's.
import { concat, EMPTY, endWith, last, map, mergeMap, NEVER, type Observable, of, Subject, take } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { groupWhile } from '../../../src/operators/groupWhile.ts';
import { marbles } from '../marbles.ts';

type Project = (group$: Observable<string>, key: string) => Observable<string>;

const keyOf = (value: string): string => (value === 'x' ? 'a' : value === 'y' ? 'b' : value);

const grouped = (source: Observable<string>, project: Project): Observable<string> =>
  source.pipe(groupWhile({ key: keyOf, until: (value) => value === 'x' || value === 'y', project }));

/** Every value of the group, and its key in capitals when it completes. */
const followed: Project = (group$, key) => group$.pipe(endWith(key.toUpperCase()));

/** Every value with the number of its group: which one got it. */
const numbered = (alter: (group$: Observable<string>) => Observable<string> = (group$) => group$): Project => {
  let opened = 0;
  return (group$) => {
    opened += 1;
    const number = opened;
    return alter(group$).pipe(map((value) => `${value}${number}`));
  };
};

describe('groupWhile', () => {
  test('delivers the ending value, completes the group and leaves the others alone', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('                           --a--b--a--x----b--|');
      expectObservable(grouped(source, followed)).toBe('--a--b--a--(xA)-b--(B|)');
      expectSubscriptions(source.subscriptions).toBe('^------------------!');
    });
  });

  test('opens a new group for a key that comes again', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                               -a-x-a-|');
      const values = { p: 'a1', q: 'x1', r: 'a2' };
      expectObservable(grouped(source, numbered())).toBe('-p-q-r-|', values);
    });
  });

  test('loses no value when a projection ends early: the next one opens a new group', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('-a-a-x-|');
      const values = { p: 'a1', q: 'a2', r: 'x3' };
      const first = numbered((group$) => group$.pipe(take(1)));
      expectObservable(grouped(source, first)).toBe('-p-q-r-|', values);
    });
  });

  test('opens a group for an ending value of an unknown key', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(grouped(hot('-x-----y-----|'), followed)).toBe('-(xA)--(yB)--|');
    });
  });

  test('completes all groups with the source and waits for their projections', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const after = cold('                               --e|');
      const source = hot('                             -a-|');
      const finishing: Project = (group$) => concat(group$, after);
      expectObservable(grouped(source, finishing)).toBe('-a---e|');
      expectSubscriptions(source.subscriptions).toBe('  ^--!');
      expectSubscriptions(after.subscriptions).toBe('   ---^--!');
    });
  });

  test('lets a projection outlive its group, beside the next group of the key', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const after = cold('                                  ---e|');
      const source = hot('                             -a-x-a----|');
      const finishing: Project = (group$) =>
        group$.pipe(
          last(),
          mergeMap(() => after),
        );
      expectObservable(grouped(source, finishing)).toBe('------e------e|');
      expectSubscriptions(after.subscriptions).toBe(['  ---^---!', '----------^---!']);
    });
  });

  test('lets go of the source and of the projections when unsubscribed', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const side = cold('                                ---');
      const source = hot('                             -a---a---|');
      const leaving = '                                ----!';
      expectObservable(
        grouped(source, () => side),
        leaving,
      ).toBe('-');
      expectSubscriptions(source.subscriptions).toBe('  ^---!');
      expectSubscriptions(side.subscriptions).toBe('    -^--!');
    });
  });

  test('is silent for a source that is silent, and waits for a projection that never ends', () => {
    marbles(({ cold, hot, expectObservable }) => {
      expectObservable(grouped(cold('-'), followed)).toBe('-');
      expectObservable(grouped(hot('-a-x-|'), () => NEVER)).toBe('-');
    });
  });

  test('ends with the error of a projection', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const side = cold('                                --');
      const broken = cold('                                 --#');
      const source = hot('                             -b--a---a-|');
      const project: Project = (_, key) => (key === 'a' ? broken : side);
      expectObservable(grouped(source, project)).toBe('------#');
      expectSubscriptions(source.subscriptions).toBe(' ^-----!');
      expectSubscriptions(side.subscriptions).toBe('   -^----!');
    });
  });

  test('ends with the error of the source', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const side = cold('                                --');
      const source = hot('                             -a--#');
      expectObservable(grouped(source, () => side)).toBe('----#');
      expectSubscriptions(side.subscriptions).toBe('    -^--!');
    });
  });

  test('ends with what key, until or project throws', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const fine = { key: keyOf, until: () => false, project: followed };
      const throwing = () => {
        throw 'thrown';
      };
      for (const part of ['key', 'until', 'project'] as const) {
        const source = hot('                           --a');
        const broken = source.pipe(groupWhile({ ...fine, [part]: throwing }));
        expectObservable(broken).toBe('                --#', undefined, 'thrown');
        expectSubscriptions(source.subscriptions).toBe('^-!');
      }
    });
  });

  test('completes with an empty source, and goes on after an empty projection', () => {
    marbles(({ hot, cold, expectObservable }) => {
      expectObservable(grouped(cold('|'), followed)).toBe('|');
      expectObservable(grouped(hot('-a-a-|'), () => EMPTY)).toBe('-----|');
    });
  });

  test('takes a synchronous source and synchronous projections in order', () => {
    marbles(({ expectObservable }) => {
      expectObservable(grouped(of('a', 'x', 'b', 'a'), followed)).toBe('(axAbaBA|)');
    });
  });

  test('what the delivery of an ending value brings about belongs to the next group', () => {
    const source = new Subject<string>();
    const seen: string[] = [];
    grouped(source, numbered()).subscribe((value) => {
      seen.push(value);
      if (value === 'x1') source.next('a');
    });
    source.next('a');
    source.next('x');
    source.next('a');
    expect(seen).toEqual(['a1', 'x1', 'a2', 'a2']);
  });

  test('leaves no listener on a group that has ended', () => {
    const source = new Subject<string>();
    const groups: Observable<string>[] = [];
    const leaving = grouped(source, (group$) => {
      groups.push(group$);
      return group$;
    }).subscribe();
    source.next('a');
    source.next('x');
    source.next('b');
    const heard: string[] = [];
    for (const group$ of groups) group$.subscribe({ complete: () => heard.push('ended') });
    expect(heard).toEqual(['ended']);
    leaving.unsubscribe();
    expect(source.observed).toBe(false);
  });

  test('keeps nothing between two subscribers', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                 -a-a---x---|');
      const both = grouped(source, followed);
      expectObservable(both).toBe('        -a-a---(xA)|');
      expectObservable(both, '--^').toBe('---a---(xA)|');
    });
  });
});
