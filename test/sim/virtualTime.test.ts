// Virtual time does what rxjs expects of timers, in the order in which they are due.
import { asyncScheduler, interval, map, merge, NEVER, Observable, take, throwError, timeout, timer } from 'rxjs';
import { expect, test } from 'vitest';
import { inVirtualTime } from './virtualTime.ts';

const playing = (source: Observable<unknown>): readonly string[] => {
  const seen: string[] = [];
  inVirtualTime(() => {
    source.subscribe((value) => seen.push(`${asyncScheduler.now()} ${value}`));
  });
  return seen;
};

test('timers come in order of their time, and those of one moment as they were set', () => {
  const late = timer(20).pipe(map(() => 'late'));
  const [first, second] = ['first', 'second'].map((name) => timer(10).pipe(map(() => name))) as [
    Observable<string>,
    Observable<string>,
  ];
  const often = interval(8).pipe(
    take(3),
    map((count) => `tick ${count}`),
  );
  expect(playing(merge(late, first, second, often))).toEqual([
    '8 tick 0',
    '10 first',
    '10 second',
    '16 tick 1',
    '20 late',
    '24 tick 2',
  ]);
});

test('what is taken back in the moment in which it is due does not come', () => {
  const source = new Observable<string>((subscriber) => {
    const first = timer(5).subscribe(() => {
      second.unsubscribe();
      subscriber.next('first');
    });
    const second = timer(5).subscribe(() => subscriber.next('second'));
    subscriber.add(first);
  });
  expect(playing(merge(source, timer(6).pipe(map(() => 'after'))))).toEqual(['5 first', '6 after']);
});

test('a time-out comes in virtual time, and an hour takes none', () => {
  expect(playing(NEVER.pipe(timeout({ each: 3_600_000, with: () => timer(1) })))).toEqual(['3600001 0']);
});

test('what nobody catches is thrown, and time is real again after it', () => {
  expect(() => inVirtualTime(() => throwError(() => new Error('unheard')).subscribe())).toThrow('unheard');
  expect(asyncScheduler.now()).toBeGreaterThan(1e12);
});
