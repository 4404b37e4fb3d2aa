// The operator of the write boundary: one run at a time, and the newest wish is never lost.
import { count, EMPTY, type Observable, of, range, Subject, take, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { exhaustMapLatest } from '../../../src/operators/exhaustMapLatest.ts';
import { marbles } from '../marbles.ts';

const run = (source: Observable<string>, runs: Readonly<Record<string, Observable<string>>>): Observable<string> =>
  source.pipe(exhaustMapLatest((letter) => runs[letter] ?? EMPTY));

describe('exhaustMapLatest', () => {
  test('runs the newest value that came during a run, and drops those before it', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                        ---1---|');
      const b = cold('                        ---2---|');
      const c = cold('                               ---3---|');
      const source = hot('                  --a--b--c-----------|');
      expectObservable(run(source, { a, b, c })).toBe('-----1------3-------|');
      expectSubscriptions(source.subscriptions).toBe('^-------------------!');
      expectSubscriptions(a.subscriptions).toBe('     --^------!');
      expectSubscriptions(b.subscriptions).toBe([]);
      expectSubscriptions(c.subscriptions).toBe('     ---------^------!');
    });
  });

  test('runs every value when each run ends before the next value comes', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                     -1|');
      const b = cold('                          -2|');
      const source = hot('               --a----b----|');
      expectObservable(run(source, { a, b })).toBe('---1----2---|');
      expectSubscriptions(a.subscriptions).toBe('  --^-!');
      expectSubscriptions(b.subscriptions).toBe('  -------^-!');
    });
  });

  test('completes only when the running and the waiting value are done', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                       ---1---|');
      const b = cold('                              ---2---|');
      const source = hot('                 --a--b|');
      expectObservable(run(source, { a, b })).toBe('-----1------2---|');
      expectSubscriptions(source.subscriptions).toBe('^-----!');
      expectSubscriptions(b.subscriptions).toBe('    ---------^------!');
    });
  });

  test('cuts the run and forgets the waiting value when unsubscribed', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                         ---1---|');
      const b = cold('                                ---2---|');
      const source = hot('                   --a--b---------|');
      const leaving = '                      -------!';
      expectObservable(run(source, { a, b }), leaving).toBe('-----1--');
      expectSubscriptions(source.subscriptions).toBe('  ^------!');
      expectSubscriptions(a.subscriptions).toBe('       --^----!');
      expectSubscriptions(b.subscriptions).toBe([]);
    });
  });

  test('is silent for a source that is silent', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-');
      expectObservable(run(source, {}), '---!').toBe('-');
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  test('waits for ever for a run that never ends', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                         1--');
      const b = cold('                         2|');
      const source = hot('                   --a--b--|');
      const leaving = '                      ------------!';
      expectObservable(run(source, { a, b }), leaving).toBe('--1--');
      expectSubscriptions(a.subscriptions).toBe('       --^---------!');
      expectSubscriptions(b.subscriptions).toBe([]);
    });
  });

  test('ends with the error of a run, and the waiting value is not run', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                       ---1---#');
      const b = cold('                       2|');
      const source = hot('                 --a--b--------|');
      expectObservable(run(source, { a, b })).toBe('-----1---#');
      expectSubscriptions(source.subscriptions).toBe('^--------!');
      expectSubscriptions(b.subscriptions).toBe([]);
    });
  });

  test('ends with the error of the source and cuts the run', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                     ---1---|');
      const b = cold('                     2|');
      const source = hot('               --a--b-#');
      expectObservable(run(source, { a, b })).toBe('-----1-#');
      expectSubscriptions(a.subscriptions).toBe('  --^----!');
      expectSubscriptions(b.subscriptions).toBe([]);
    });
  });

  test('ends with what project throws', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('--a--b--|');
      const throwing = exhaustMapLatest<string, string>(() => {
        throw 'thrown';
      });
      expectObservable(source.pipe(throwing)).toBe('  --#', undefined, 'thrown');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  test('completes with an empty source, and goes on after an empty run', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      expectObservable(run(cold('|'), {})).toBe('|');
      const a = cold('                       -----|');
      const b = cold('                            1|');
      const source = hot('                 --a--b--------|');
      expectObservable(run(source, { a, b })).toBe('-------1------|');
      expectSubscriptions(b.subscriptions).toBe('    -------^!');
    });
  });

  test('runs every value when runs are synchronous', () => {
    marbles(({ hot, cold, expectObservable }) => {
      expectObservable(hot('-a-b-(cd|)').pipe(exhaustMapLatest((letter) => of(letter)))).toBe('-a-b-(cd|)');
      expectObservable(cold('(ab|)').pipe(exhaustMapLatest((letter) => of(letter, letter)))).toBe('(aabb|)');
    });
  });

  test('does not pile up the stack over 100,000 synchronous values', () => {
    let passed = 0;
    range(0, 100_000)
      .pipe(
        exhaustMapLatest((value) => of(value)),
        count(),
      )
      .subscribe((total) => {
        passed = total;
      });
    expect(passed).toBe(100_000);
  });

  test('does not pile up the stack when 100,000 synchronous runs each wake the next', () => {
    const wake = new Subject<number>();
    const runs: number[] = [];
    wake
      .pipe(
        exhaustMapLatest((number) => of(number)),
        tap((number) => runs.push(number)),
      )
      .subscribe((number) => {
        if (number < 100_000) wake.next(number + 1);
      });
    wake.next(1);
    expect(runs.length).toBe(100_000);
    expect(runs.at(-1)).toBe(100_000);
  });

  test('never has two runs at once when a run wakes its own key', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const wake = new Subject<string>();
      const a = cold('--1-|').pipe(tap(() => wake.next('b')));
      const b = cold('    -2|');
      const source = new Subject<string>();
      wake.subscribe(source);
      expectObservable(run(source, { a, b }), '---------!').toBe('--1--2');
      cold('(a|)').subscribe((letter) => source.next(letter));
      expectSubscriptions(b.subscriptions).toBe('----^-!');
    });
  });

  test('leaves a synchronous run that nobody listens to any more', () => {
    let pulled = 0;
    const long = range(0, 1_000_000).pipe(tap(() => (pulled += 1)));
    of('a')
      .pipe(
        exhaustMapLatest(() => long),
        take(3),
      )
      .subscribe();
    expect(pulled).toBe(3);
  });

  test('keeps nothing between two subscribers', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const a = cold('                     ------1|');
      const b = cold('                        ------2|');
      const source = hot('               --a--b-----------|');
      const second = '                   ----^';
      const ran = run(source, { a, b });
      expectObservable(ran).toBe('        --------1------2-|');
      expectObservable(ran, second).toBe('-----------2-----|');
      expectSubscriptions(a.subscriptions).toBe('--^------!');
      expectSubscriptions(b.subscriptions).toBe(['-----^------!', '---------^------!']);
    });
  });
});
