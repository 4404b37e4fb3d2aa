// Settling: l and o have to come to rest, h is urgent. Quiet is 4 frames, the longest wait 11.
import { type Observable, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type SettleOptions, settle } from '../../../src/operators/settle.ts';
import { marbles } from '../marbles.ts';

const settled = (source: Observable<string>, options: Partial<SettleOptions<string>> = {}): Observable<string> =>
  source.pipe(settle({ isUrgent: (value) => value === 'h', quietMs: 4, maxWaitMs: 11, ...options }));

describe('settle', () => {
  test('passes an urgent value at once and any other when it has been quiet', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('                           -l-----h--o------|');
      expectObservable(settled(source)).toBe('       -----l-h------o--|');
      expectSubscriptions(source.subscriptions).toBe('^----------------!');
    });
  });

  test('an urgent value takes the place of a waiting one', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                    -l--h------|');
      expectObservable(settled(source)).toBe('----h------|');
    });
  });

  test('after an urgent value the same value as before has to settle again', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                    -l------h-l-------|');
      expectObservable(settled(source)).toBe('-----l--h-----l---|');
    });
  });

  test('saying the same again neither prolongs the wait nor passes twice', () => {
    marbles(({ hot, expectObservable }) => {
      const waiting = hot('                    -l-l-l-l-l--|');
      expectObservable(settled(waiting)).toBe('-----l------|');
      const urgent = hot('                     -h-h--l-----h-h|');
      expectObservable(settled(urgent)).toBe(' -h--------l-h--|');
    });
  });

  test('a different value begins the quiet time anew', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                    -l--o-------|');
      expectObservable(settled(source)).toBe('--------o---|');
    });
  });

  test('says nothing when a value comes back before the other has settled', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                    -l------o-l--------|');
      expectObservable(settled(source)).toBe('-----l-------------|');
    });
  });

  test('flapping starves nobody: the newest value passes after the longest wait', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                    -l--o--l--o--l--o--l--o--l----|');
      expectObservable(settled(source)).toBe('------------o----------------l|');
    });
  });

  test('an urgent value ends the unrest, so the longest wait counts anew', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                    -l--o-hl--o--l--o--l----|');
      expectObservable(settled(source)).toBe('------h-----------o----l|');
    });
  });

  test('an urgent value in every quiet time keeps the others out', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                    -l-h-l-h-l-h-l-h-l-h-|');
      expectObservable(settled(source)).toBe('---h-----------------|');
    });
  });

  test('leaves a settled value at once when the source goes straight to another', () => {
    const meanwhile = () => 'h';
    marbles(({ hot, expectObservable }) => {
      const there = hot('                                  -l------o-----|');
      expectObservable(settled(there, { meanwhile })).toBe('-----l--h---o-|');
      const back = hot('                                   -l------o-l-------|');
      expectObservable(settled(back, { meanwhile })).toBe(' -----l--h-----l---|');
      const unsure = hot('                                 -l------o--l--o-----|');
      expectObservable(settled(unsure, { meanwhile })).toBe('-----l--h---------o-|');
      const ending = hot('                                 -l------o-h-----|');
      expectObservable(settled(ending, { meanwhile })).toBe('-----l--h-------|');
    });
  });

  test('compares by equals', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { a: { mode: 'live', seen: 1 }, b: { mode: 'live', seen: 2 } };
      const source = hot('         -a--b------b-|', values);
      const byMode = settle<(typeof values)['a']>({
        isUrgent: () => false,
        quietMs: 4,
        maxWaitMs: 11,
        equals: (one, other) => one.mode === other.mode,
      });
      expectObservable(source.pipe(byMode)).toBe('-----a-------|', values);
    });
  });

  test('passes the waiting value when the source completes', () => {
    marbles(({ hot, cold, expectObservable }) => {
      expectObservable(settled(hot(' -l-|'))).toBe('---(l|)');
      expectObservable(settled(hot(' -h-|'))).toBe('-h-|');
      expectObservable(settled(cold('|'))).toBe('   |');
    });
  });

  test('drops the waiting value when the source breaks', () => {
    marbles(({ hot, expectObservable, expectSubscriptions, flush, now }) => {
      const source = hot('                           -l-#');
      expectObservable(settled(source)).toBe('       ---#');
      expectSubscriptions(source.subscriptions).toBe('^--!');
      flush();
      expect(now()).toBe(3);
    });
  });

  test('lets go of the source and leaves no timer when unsubscribed', () => {
    marbles(({ hot, expectObservable, expectSubscriptions, flush, now }) => {
      const source = hot('                           -l');
      expectObservable(settled(source), '            ---!').toBe('-');
      expectSubscriptions(source.subscriptions).toBe('^--!');
      flush();
      expect(now()).toBe(3);
    });
  });

  test('says what holds meanwhile only when a settled value is left', () => {
    const meanwhile = () => 'h';
    marbles(({ hot, expectObservable }) => {
      const same = hot('                                   -l------l-l-----|');
      expectObservable(settled(same, { meanwhile })).toBe(' -----l----------|');
      const urgent = hot('                                 -h-l------|');
      expectObservable(settled(urgent, { meanwhile })).toBe('-h-----l--|');
    });
  });

  test('leaves no timer when an urgent value has taken the place of a waiting one', () => {
    marbles(({ hot, expectObservable, flush, now }) => {
      expectObservable(settled(hot('-l-h'))).toBe('---h');
      flush();
      expect(now()).toBe(3);
    });
  });

  test('leaves no timer when everything has passed', () => {
    marbles(({ hot, expectObservable, flush, now }) => {
      expectObservable(settled(hot('-l'))).toBe('-----l');
      flush();
      expect(now()).toBe(5);
    });
  });

  test('is silent for a source that is silent', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-');
      expectObservable(settled(source), '--!').toBe('-');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  test('takes a synchronous source in order', () => {
    marbles(({ expectObservable }) => expectObservable(settled(of('l', 'o', 'h', 'l'))).toBe('(hl|)'));
  });

  test('ends with what isUrgent throws', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('--l');
      const isUrgent = () => {
        throw 'thrown';
      };
      expectObservable(settled(source, { isUrgent })).toBe('--#', undefined, 'thrown');
      expectSubscriptions(source.subscriptions).toBe('      ^-!');
    });
  });

  test('keeps nothing between two subscribers', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('                            -l--------o-----|');
      const once = settled(source);
      expectObservable(once).toBe('                   -----l--------o-|');
      expectObservable(once, '---------^').toBe('     --------------o-|');
    });
  });
});
