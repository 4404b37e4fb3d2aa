// At most one value in 4 frames, the first at once.
import { merge, type Observable, of, Subject, take, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { auditLeading } from '../../../src/operators/auditLeading.ts';
import { marbles } from '../marbles.ts';

const thinned = <T>(source: Observable<T>): Observable<T> => source.pipe(auditLeading(4));

describe('auditLeading', () => {
  test('passes a value after a pause at once, and of a burst the first and the last', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('                           -a---------bcd-------e--|');
      expectObservable(thinned(source)).toBe('       -a---------b---d-----e--|');
      expectSubscriptions(source.subscriptions).toBe('^-----------------------!');
    });
  });

  test('passes the newest once per pause while values keep coming', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                    -abcdefghi------|');
      expectObservable(thinned(source)).toBe('-a---e---i------|');
    });
  });

  test('a pause follows the last value of a burst as well', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                    -ab----c---------|');
      expectObservable(thinned(source)).toBe('-a---b---c-------|');
    });
  });

  test('passes the waiting value when the source completes', () => {
    marbles(({ hot, cold, expectObservable }) => {
      expectObservable(thinned(hot('-ab|'))).toBe('-a-(b|)');
      expectObservable(thinned(hot('-a-|'))).toBe('-a-|');
      expectObservable(thinned(cold('|'))).toBe('  |');
    });
  });

  test('drops the waiting value when the source breaks', () => {
    marbles(({ hot, expectObservable, flush, now }) => {
      expectObservable(thinned(hot('-ab#'))).toBe('-a-#');
      flush();
      expect(now()).toBe(3);
    });
  });

  test('lets go of the source and leaves no timer when unsubscribed', () => {
    marbles(({ hot, expectObservable, expectSubscriptions, flush, now }) => {
      const source = hot('                           -ab');
      expectObservable(thinned(source), '            ---!').toBe('-a');
      expectSubscriptions(source.subscriptions).toBe('^--!');
      flush();
      expect(now()).toBe(3);
    });
  });

  test('is silent for a source that is silent', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-');
      expectObservable(thinned(source), '--!').toBe('-');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  test('passes the first value synchronously', () => {
    const source = new Subject<string>();
    const seen: string[] = [];
    thinned(source)
      .pipe(take(1))
      .subscribe((value) => seen.push(value));
    source.next('a');
    expect(seen).toEqual(['a']);
  });

  test('takes a synchronous source: the first and the last', () => {
    marbles(({ expectObservable }) => expectObservable(thinned(of('a', 'b', 'c'))).toBe('(ac|)'));
  });

  test('a value that its own delivery brings about waits for the pause to end', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { a: 0, b: 1, c: 2 };
      const feedback = new Subject<number>();
      const source = merge(hot('         -a', values), feedback);
      const loop = thinned(source).pipe(tap((value) => feedback.next(value + 1)));
      expectObservable(loop, '           ----------!').toBe('-a---b---c', values);
    });
  });

  test('keeps nothing between two subscribers', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                          -ab-----|');
      const once = thinned(source);
      expectObservable(once).toBe('                 -a---b--|');
      expectObservable(once, '--^').toBe('          --b-----|');
    });
  });
});
