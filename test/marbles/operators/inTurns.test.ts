// Streams that wait for their turn: never more at once than are allowed, none lost, and no place kept by one that is gone.
import { EMPTY, from, mergeMap, NEVER, type Observable, range } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { inTurns } from '../../../src/operators/inTurns.ts';
import { marbles } from '../marbles.ts';

const all = (most: number, ...sources: readonly Observable<string>[]): Observable<string> => {
  const turn = inTurns(most);
  return from(sources).pipe(mergeMap((source) => turn(source)));
};

describe('inTurns', () => {
  test('the third of two at once begins when one of them has ended', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const a = cold('---a|');
      const b = cold('------b|');
      const c = cold('    ---c|');
      expectObservable(all(2, a, b, c)).toBe('---a--bc|');
      expectSubscriptions(c.subscriptions).toBe('----^---!');
    });
  });

  test('one that fails is an error for who asked', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(all(1, cold('--#'), cold('a|'))).toBe('--#');
    });
  });

  test('one that is let go leaves its place, whether it runs or waits', () => {
    marbles(({ cold, expectSubscriptions, expectObservable }) => {
      const turn = inTurns(1);
      const [a, b, c] = [cold('----------'), cold('----------'), cold('----------')];
      expectObservable(turn(a), '^----!').toBe('------');
      expectObservable(turn(b), '^--!').toBe('----');
      expectObservable(turn(c), '^-------!').toBe('---------');
      expectSubscriptions(a.subscriptions).toBe('^----!');
      expectSubscriptions(b.subscriptions).toBe([]);
      expectSubscriptions(c.subscriptions).toBe('-----^--!');
    });
  });

  test('many that end at once leave the stack as it was', () => {
    const turn = inTurns(1);
    let ended = 0;
    const ends = {
      complete: () => {
        ended += 1;
      },
    };
    const first = turn(NEVER).subscribe();
    range(0, 20_000).subscribe(() => turn(EMPTY).subscribe(ends));
    first.unsubscribe();
    expect(ended).toBe(20_000);
  });
});
