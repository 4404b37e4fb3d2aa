// The write boundary: never two runs at once, never one cut off, the newest wake-up waits, and a run says itself when to
// look again.
import { EMPTY, NEVER, type Observable, of, take, throwError } from 'rxjs';
import { describe, test } from 'vitest';
import { serialRuns } from '../../../src/operators/serialRuns.ts';
import { marbles } from '../marbles.ts';

/** A result in a capital letter asks for a repetition after 5 frames, a digit after none, any other for nothing. */
const againMs = (result: string): number | undefined => {
  if (/[A-Z]/.test(result)) return 5;
  return /[0-9]/.test(result) ? 0 : undefined;
};

const run = (source: Observable<string>, runs: Readonly<Record<string, Observable<string>>>): Observable<string> =>
  source.pipe(serialRuns((wake) => runs[wake] ?? EMPTY, againMs));

describe('serialRuns', () => {
  test('runs at each wake-up, and of those that come during a run only for the newest', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                        ----a|');
      const b = cold('                        ----b|');
      const c = cold('                             ----c|');
      const source = hot('                  --a--b-c---------|');
      expectObservable(run(source, { a, b, c })).toBe('------a----c-----|');
      expectSubscriptions(source.subscriptions).toBe(' ^----------------!');
      expectSubscriptions(a.subscriptions).toBe('      --^----!');
      expectSubscriptions(b.subscriptions).toBe([]);
      expectSubscriptions(c.subscriptions).toBe('      -------^----!');
    });
  });

  test('runs again after what the result asks for, until a result asks for nothing', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const asking = cold('                 --A|');
      const source = hot('                  a-----------------');
      const leaving = '                     ------------------!';
      expectObservable(run(source, { a: asking }), leaving).toBe('--A------A------A-');
      expectSubscriptions(asking.subscriptions).toBe([
        '                                   ^--!',
        '                                   -------^--!',
        '                                   --------------^--!',
      ]);
    });
  });

  test('repeats with the newest wake-up', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                        -A|');
      const b = cold('                           -B|');
      const source = hot('                  --a--b----------');
      const leaving = '                     ---------------!';
      expectObservable(run(source, { a, b }), leaving).toBe('---A--B-----B---');
      expectSubscriptions(a.subscriptions).toBe('      --^-!');
      expectSubscriptions(b.subscriptions).toBe([
        '                                   -----^-!',
        '                                   -----------^-!',
      ]);
    });
  });

  test('drops a repetition when another run came first and asks for none', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                        -A|');
      const b = cold('                             -b|');
      const source = hot('                  --a----b---------|');
      expectObservable(run(source, { a, b })).toBe('---A----b--------|');
      expectSubscriptions(a.subscriptions).toBe('      --^-!');
      expectSubscriptions(b.subscriptions).toBe('      -------^-!');
    });
  });

  test('counts the wait from the result, and lets the end of the run come later', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                        -A------|');
      const source = hot('                  --a--------------');
      const leaving = '                     -----------------!';
      expectObservable(run(source, { a }), leaving).toBe('---A-------A------');
      expectSubscriptions(a.subscriptions).toBe(['      --^-------!', '      ----------^------!']);
    });
  });

  test('completes with the source; a repetition that waits is not run any more', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                     -A|');
      const source = hot('               --a---|');
      expectObservable(run(source, { a })).toBe('---A--|');
      expectSubscriptions(a.subscriptions).toBe('   --^-!');
    });
  });

  test('lets the run under way and the one that waits end after the source, and repeats neither', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                       ----A|');
      const b = cold('                            ---B|');
      const source = hot('                 --a-b-|');
      expectObservable(run(source, { a, b })).toBe('------A---B|');
      expectSubscriptions(source.subscriptions).toBe('^-----!');
      expectSubscriptions(a.subscriptions).toBe('     --^----!');
      expectSubscriptions(b.subscriptions).toBe('     -------^---!');
    });
  });

  test('cuts the run and the wait when unsubscribed', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                       -A|');
      const b = cold('                       ------b|');
      const source = hot('                 --a---------b------');
      const whileWaiting = '               -----!';
      const whileRunning = '               --------------!';
      expectObservable(run(source, { a }), whileWaiting).toBe('---A--');
      expectObservable(run(source, { b }), whileRunning).toBe('---------------');
      expectSubscriptions(source.subscriptions).toBe(['^----!', '^-------------!']);
      expectSubscriptions(a.subscriptions).toBe('     --^-!');
      expectSubscriptions(b.subscriptions).toBe('     ------------^-!');
    });
  });

  test('says nothing for a source that never does, and waits for ever for a run that never ends', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const b = cold('b|');
      const source = hot('                 --a---b---|');
      expectObservable(run(NEVER, {}), '   ------------!').toBe('-');
      expectObservable(run(source, { a: NEVER, b }), '------------!').toBe('-');
      expectSubscriptions(b.subscriptions).toBe([]);
    });
  });

  test('completes at once with an empty source, and takes a run without a result for one that asks for nothing', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(run(EMPTY, {})).toBe('|');
      expectObservable(run(hot('--a----|'), { a: EMPTY })).toBe('-------|');
    });
  });

  test('ends with the error of a run', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                       -A|');
      const b = cold('                       --#');
      const source = hot('                 --a--b-----|');
      expectObservable(run(source, { a, b })).toBe('---A---#');
      expectSubscriptions(source.subscriptions).toBe('^------!');
    });
  });

  test('ends with the error of the source, and cuts what is under way', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                     -----A|');
      const source = hot('               --a--#');
      expectObservable(run(source, { a })).toBe('-----#');
      expectSubscriptions(a.subscriptions).toBe('   --^--!');
    });
  });

  test('ends with what the making of a run throws', () => {
    marbles(({ hot, expectObservable }) => {
      const making = (): Observable<string> => {
        throw 'error';
      };
      expectObservable(hot('--a--|').pipe(serialRuns(making, againMs))).toBe('--#');
      expectObservable(run(hot('--a--|'), { a: throwError(() => 'error') })).toBe('--#');
    });
  });

  test('runs that end synchronously each have their turn', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                 -(ab)-c-|');
      expectObservable(run(source, { a: of('a'), b: of('b'), c: of('c') })).toBe('-(ab)-c-|');
    });
  });

  test('a repetition without a wait leaves time to others, and ends with the source', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                     -1|');
      const source = hot('               --a------|');
      expectObservable(run(source, { a })).toBe('---1-1-1-1|');
      expectSubscriptions(a.subscriptions).toBe([
        '                                --^-!',
        '                                ----^-!',
        '                                ------^-!',
        '                                --------^-!',
      ]);
    });
  });

  test('a synchronous run repeats after its wait', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                        --a---------|');
      expectObservable(run(source, { a: of('A') })).toBe('--A----A----|');
    });
  });

  test('two subscribers share nothing', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                     -A|');
      const out = run(hot('--a----------'), { a });
      expectObservable(out.pipe(take(2))).toBe('   ---A-----(A|)');
      expectObservable(out, '^---------!').toBe('   ---A-----A-');
      expectSubscriptions(a.subscriptions).toBe(['--^-!', '--^-!', '--------^!', '--------^-!']);
    });
  });
});
