// Silence for 5 frames is an error.
import { of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { idleTimeout } from '../../../src/operators/idleTimeout.ts';
import { marbles } from '../marbles.ts';

const watched = <T>() => idleTimeout<T>(5, () => 'silent');

describe('idleTimeout', () => {
  test('passes a source that keeps talking', () => {
    marbles(({ hot, expectObservable, expectSubscriptions, flush, now }) => {
      const source = hot('                           -a---b---c---|');
      expectObservable(source.pipe(watched())).toBe('-a---b---c---|');
      expectSubscriptions(source.subscriptions).toBe('^------------!');
      flush();
      expect(now()).toBe(13);
    });
  });

  test('breaks off a source that says nothing at first', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('                           ------a--|');
      expectObservable(source.pipe(watched())).toBe('-----#', undefined, 'silent');
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  test('breaks off a source that falls silent; every value begins the time anew', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('                           --a--b-------c-|');
      expectObservable(source.pipe(watched())).toBe('--a--b----#', undefined, 'silent');
      expectSubscriptions(source.subscriptions).toBe('^---------!');
    });
  });

  test('breaks off a source that never says anything', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-');
      expectObservable(source.pipe(watched())).toBe('-----#', undefined, 'silent');
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  test('leaves no timer when unsubscribed', () => {
    marbles(({ hot, expectObservable, expectSubscriptions, flush, now }) => {
      const source = hot('                                  -a');
      expectObservable(source.pipe(watched()), '--!').toBe('-a');
      expectSubscriptions(source.subscriptions).toBe('       ^-!');
      flush();
      expect(now()).toBe(2);
    });
  });

  test('passes the end and the error of the source', () => {
    marbles(({ cold, expectObservable, flush, now }) => {
      expectObservable(cold('|').pipe(watched())).toBe('|');
      expectObservable(cold('-#', undefined, 'broken').pipe(watched())).toBe('-#', undefined, 'broken');
      expectObservable(of('a', 'b').pipe(watched())).toBe('(ab|)');
      flush();
      expect(now()).toBe(1);
    });
  });

  test('makes the error only when it is needed, one for each time', () => {
    marbles(({ cold, expectObservable }) => {
      let made = 0;
      const counted = cold('-').pipe(idleTimeout(5, () => (made += 1)));
      expectObservable(counted).toBe('      -----#', undefined, 1);
      expectObservable(counted, '--^').toBe('-------#', undefined, 2);
    });
  });
});
