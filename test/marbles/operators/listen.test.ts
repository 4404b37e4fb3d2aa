// What every operator relies on when it listens to something.
import { Observable, range, Subject, take, tap, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { listen } from '../../../src/operators/listen.ts';
import { marbles } from '../marbles.ts';

/** The plainest operator there is. */
const passing = <T>(source: Observable<T>): Observable<T> =>
  new Observable((subscriber) => {
    listen(source, subscriber, {
      next: (value) => subscriber.next(value),
      complete: () => subscriber.complete(),
    });
  });

describe('listen', () => {
  test('passes values, the end and errors', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const ending = hot(' -a-b-|');
      const breaking = hot('-a-b-#');
      expectObservable(passing(ending)).toBe('  -a-b-|');
      expectObservable(passing(breaking)).toBe('-a-b-#');
      expectSubscriptions(ending.subscriptions).toBe('  ^----!');
      expectSubscriptions(breaking.subscriptions).toBe('^----!');
    });
  });

  test('lets go of the source when the subscriber leaves', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('           -a-b-c-');
      const leaving = '              ----!';
      expectObservable(passing(source), leaving).toBe('-a-b-');
      expectSubscriptions(source.subscriptions).toBe(' ^---!');
    });
  });

  test('stops a synchronous source when nobody is left to hear it', () => {
    let pulled = 0;
    const counted = range(0, 1_000_000).pipe(tap(() => (pulled += 1)));
    expect(collect(passing(counted).pipe(take(3)))).toEqual([0, 1, 2, 'complete']);
    expect(pulled).toBe(3);
  });

  test('turns what a handler throws into an error and leaves the source', () => {
    const source = new Subject<string>();
    const thrown = new Error('handler');
    const seen = collect(
      new Observable<never>((subscriber) => {
        listen(source, subscriber, {
          next: () => {
            throw thrown;
          },
        });
      }),
    );
    source.next('a');
    expect(seen).toEqual([thrown]);
    expect(source.observed).toBe(false);
  });

  test('gives errors to the handler if there is one', () => {
    const seen = collect(
      new Observable<string>((subscriber) => {
        listen(
          throwError(() => 'broken'),
          subscriber,
          {
            next: () => {},
            error: (error) => subscriber.next(`heard: ${error}`),
          },
        );
      }),
    );
    expect(seen).toEqual(['heard: broken']);
  });

  test('can be let go alone', () => {
    const source = new Subject<string>();
    const seen = collect(
      new Observable<string>((subscriber) => {
        const listening = listen(source, subscriber, {
          next: (value) => {
            listening.unsubscribe();
            subscriber.next(value);
          },
        });
      }),
    );
    source.next('a');
    source.next('b');
    expect(seen).toEqual(['a']);
  });

  test('does not touch a source when the subscriber has already left', () => {
    let touched = false;
    const source = new Observable<never>(() => {
      touched = true;
    });
    const late = new Observable<number>((subscriber) => {
      subscriber.next(1);
      listen(source, subscriber, { next: () => {} });
    });
    expect(collect(late.pipe(take(1)))).toEqual([1, 'complete']);
    expect(touched).toBe(false);
  });
});

/** Everything an observable says at once: values, then `complete` or the error. */
const collect = (source: Observable<unknown>): unknown[] => {
  const seen: unknown[] = [];
  source.subscribe({
    next: (value) => seen.push(value),
    error: (error) => seen.push(error),
    complete: () => seen.push('complete'),
  });
  return seen;
};
