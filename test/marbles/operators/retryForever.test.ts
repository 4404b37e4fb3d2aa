// Back-off: with jitter 0 the waits are 2, 4, 8 and then always 8 frames; 10 frames without an error are quiet.
import { concat, defer, type Observable, take, throwError, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type RetryForeverOptions, retryForever } from '../../../src/operators/retryForever.ts';
import { marbles } from '../marbles.ts';

const retried = (source: Observable<string>, options: Partial<RetryForeverOptions<string>> = {}): Observable<string> =>
  source.pipe(
    retryForever({
      initialMs: 4,
      maxMs: 16,
      resetAfterMs: 10,
      jitter: () => 0,
      onTrouble: (error, attempt, delayMs) => `${error}, attempt ${attempt}, again in ${delayMs}`,
      ...options,
    }),
  );

/** The first subscriber gets the first source, the second the second ... */
const inTurn = (...sources: readonly Observable<string>[]): Observable<string> => {
  const left = [...sources];
  return defer(() => left.shift() ?? throwError(() => 'no more sources'));
};

const troubles = {
  a: 'a',
  T: 'error, attempt 1, again in 2',
  U: 'error, attempt 2, again in 4',
  V: 'error, attempt 3, again in 8',
  W: 'error, attempt 4, again in 8',
  X: 'error, attempt 5, again in 8',
};

describe('retryForever', () => {
  test('passes a source that does not break', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('                           -a-b-|');
      expectObservable(retried(source)).toBe('       -a-b-|');
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  test('says what went wrong, waits and subscribes again; a value does not end the back-off', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('                           -a-#');
      const second = cold('                               -a-#');
      const third = cold('                                       -a-|');
      expectObservable(retried(inTurn(first, second, third))).toBe('-a-T--a-U----a-|', troubles);
      expectSubscriptions(first.subscriptions).toBe('^--!');
      expectSubscriptions(second.subscriptions).toBe('-----^--!');
      expectSubscriptions(third.subscriptions).toBe('------------^--!');
    });
  });

  test('never waits longer than the maximum', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('#');
      expectObservable(retried(source), '-----------------------!').toBe('T-U---V-------W-------X', troubles);
      expectSubscriptions(source.subscriptions).toBe([
        '(^!)',
        '--(^!)',
        '------(^!)',
        '--------------(^!)',
        '----------------------(^!)',
      ]);
    });
  });

  test('begins with the first wait again after quiet', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('                                          -#');
      const quiet = cold('                                             -----------#');
      const third = cold('                                                          -a|');
      expectObservable(retried(inTurn(first, quiet, third))).toBe(' -T------------T--a|', troubles);
      expectSubscriptions(third.subscriptions).toBe('               ----------------^-!');
    });
  });

  test('goes on with longer waits when it was not quiet for long enough', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('                                          -#');
      const noisy = cold('                                             -a-a-a-a-#');
      const third = cold('                                                          -a|');
      expectObservable(retried(inTurn(first, noisy, third))).toBe(' -T--a-a-a-a-U----a|', troubles);
      expectSubscriptions(third.subscriptions).toBe('               ----------------^-!');
    });
  });

  test('spreads the wait between half and all of it', () => {
    const numbers = [0, 0.5, 0.999];
    const jitter = () => numbers.shift() ?? 0;
    marbles(({ cold, expectObservable }) => {
      const delays = retried(cold('#'), {
        initialMs: 100,
        maxMs: 100,
        jitter,
        onTrouble: (_, __, delayMs) => `${delayMs}`,
      });
      expectObservable(delays.pipe(take(3))).toBe('a 49ms b 74ms (c|)', { a: '50', b: '75', c: '99.95' });
    });
  });

  test('waits at least as long as the error asks for, within the maximum', () => {
    marbles(({ cold, expectObservable }) => {
      const asked = (source: Observable<string>) => retried(source, { atLeastMs: (error) => Number(error) });
      const values = {
        s: '1, attempt 1, again in 2',
        m: '7, attempt 1, again in 7',
        l: '99, attempt 1, again in 16',
        a: 'a',
      };
      const ending = cold('a|');
      expectObservable(asked(inTurn(cold('#', {}, '1'), ending))).toBe(' s-a|', values);
      expectObservable(asked(inTurn(cold('#', {}, '7'), ending))).toBe(' m------a|', values);
      expectObservable(asked(inTurn(cold('#', {}, '99'), ending))).toBe('l---------------a|', values);
    });
  });

  test('can take a completion for an error', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('-a-|');
      const second = cold('    -a-');
      const endless = retried(inTurn(first, second), { onCompletion: () => 'error' });
      expectObservable(endless, '--------!').toBe('   -a-T--a', troubles);
      expectSubscriptions(second.subscriptions).toBe('-----^--!');
    });
  });

  test('completes with an empty source and is silent for a silent one', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      expectObservable(retried(cold('|'))).toBe('|');
      const silent = cold('-');
      expectObservable(retried(silent), '-------------!').toBe('-');
      expectSubscriptions(silent.subscriptions).toBe('^------------!');
    });
  });

  test('leaves no timer and does not come back when unsubscribed during a wait', () => {
    marbles(({ cold, expectObservable, expectSubscriptions, flush, now }) => {
      const source = cold('-#');
      expectObservable(retried(source), '--!').toBe('-T', troubles);
      expectSubscriptions(source.subscriptions).toBe('^!');
      flush();
      expect(now()).toBe(2);
    });
  });

  test('leaves the source and no timer when unsubscribed during a run', () => {
    marbles(({ cold, expectObservable, expectSubscriptions, flush, now }) => {
      const source = cold('-a');
      expectObservable(retried(source), '--!').toBe('-a');
      expectSubscriptions(source.subscriptions).toBe('^-!');
      flush();
      expect(now()).toBe(2);
    });
  });

  test('does not come back for a subscriber that leaves with the trouble', () => {
    marbles(({ cold, expectObservable, expectSubscriptions, flush, now }) => {
      const source = cold('-#');
      expectObservable(retried(source).pipe(take(1))).toBe('-(T|)', troubles);
      expectSubscriptions(source.subscriptions).toBe('^!');
      flush();
      expect(now()).toBe(1);
    });
  });

  test('ends with what onTrouble throws', () => {
    marbles(({ cold, expectObservable }) => {
      const onTrouble = () => {
        throw 'thrown';
      };
      expectObservable(retried(cold('-#'), { onTrouble })).toBe('-#', undefined, 'thrown');
    });
  });

  test('waits a finite time however often it has tried', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('#');
      const delays = (initialMs: number) =>
        retried(source, { initialMs, maxMs: 1, onTrouble: (_, __, delayMs) => `${delayMs}` }).pipe(
          take(1100),
          toArray(),
        );
      const same = (delay: string) => Array.from({ length: 1100 }, () => delay);
      expectObservable(delays(0)).toBe('(a|)', { a: same('0') });
      expectObservable(delays(1)).toBe('549.5ms (a|)', { a: same('0.5') });
    });
  });

  test('keeps nothing between two subscribers', () => {
    marbles(({ cold, expectObservable }) => {
      const source = retried(cold('-a#'));
      expectObservable(source, '^-------!').toBe('    -aT--aU', troubles);
      expectObservable(source, '----^-------!').toBe('-----aT--aU', troubles);
    });
  });

  test('starts over when subscribed to again', () => {
    marbles(({ cold, expectObservable }) => {
      const twice = retried(cold('---#')).pipe(take(2));
      expectObservable(concat(twice, twice)).toBe('---T----U--T----(U|)', troubles);
    });
  });
});
