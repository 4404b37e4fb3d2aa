// The helper that every marble test stands on has to fail when it should, and to say why.
import { NEVER, of, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { marbles } from './marbles.ts';

describe('marbles', () => {
  test('passes when values, times and subscriptions agree', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions, time }) => {
      const source = hot('  -a-^-b--(c|)', { a: 1, b: 2, c: 3 });
      expectObservable(source).toBe('--b--(c|)', { b: 2, c: 3 });
      expectSubscriptions(source.subscriptions).toBe('^----!');
      const broken = cold(' 10ms #', undefined, 'why');
      expectObservable(broken).toBe('10ms #', undefined, 'why');
      expectObservable(NEVER, '^--!').toBe('-');
      expect(time('---|')).toBe(3);
    });
  });

  test('shows the expected and the actual diagram when they differ', () => {
    const wrong = () =>
      marbles(({ cold, expectObservable }) => {
        expectObservable(cold('--a--(b|)')).toBe('--a-(b|)');
      });
    expect(wrong).toThrow('\nexpected  --a-(b|)\nactual    --a--(b|)\n');
  });

  test('draws values by their letters and long waits as time', () => {
    const wrong = () =>
      marbles(({ cold, expectObservable }) => {
        const values = { a: { mode: 'live' }, b: { mode: 'hold' } };
        expectObservable(cold('a 99ms b---#', values)).toBe('a 98ms b---#', { ...values });
      });
    expect(wrong).toThrow('\nactual    a 99ms b---#\n');
  });

  test('names the expectation that failed, not the first one', () => {
    const wrong = () =>
      marbles(({ cold, expectObservable }) => {
        expectObservable(of('a')).toBe('(a|)');
        expectObservable(cold('--b|')).toBe('--c|');
      });
    expect(wrong).toThrow('\nexpected  --c|\nactual    --b|\n');
  });

  test('fails when the subscriptions differ', () => {
    const wrong = () =>
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('---a');
        expectObservable(source, '-^--!').toBe('-');
        expectSubscriptions(source.subscriptions).toBe('-^-!');
      });
    expect(wrong).toThrow('\nexpected  -^-!\nactual    -^--!\n');
  });

  test('tells a missing field from an undefined one', () => {
    const wrong = () =>
      marbles(({ expectObservable }) => expectObservable(of({ a: undefined })).toBe('(x|)', { x: {} }));
    expect(wrong).toThrow();
  });

  test('fails when an expectation was never given its diagram', () => {
    const wrong = () => marbles(({ expectObservable }) => void expectObservable(of('a')));
    expect(wrong).toThrow('1 of 1 expectations have no toBe');
  });

  test('fails when nothing is expected', () => {
    expect(() => marbles(({ cold }) => void cold('a'))).toThrow('expects nothing');
  });

  test('fails when a letter has no value', () => {
    const wrong = () =>
      marbles(({ hot, expectObservable }) => expectObservable(hot('5ms a-b', { a: 1 })).toBe('5ms a-b', { a: 1 }));
    expect(wrong).toThrow('a letter without a value: b');
  });

  test('fails instead of hanging when a stream never comes to rest', () => {
    const wrong = () => marbles(({ expectObservable }) => expectObservable(timer(0, 10)).toBe('-'), { limitMs: 1000 });
    expect(wrong).toThrow();
    const unnoticed = () =>
      marbles(
        ({ expectObservable, now }) => {
          expectObservable(of('a')).toBe('(a|)');
          timer(0, 10).subscribe();
          expect(now()).toBe(0);
        },
        { limitMs: 1000 },
      );
    expect(unnoticed).toThrow('Still busy after 1000 ms');
  });
});
