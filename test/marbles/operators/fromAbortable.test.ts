// The border to promises: these tests are asynchronous, because promises know nothing of virtual time.
import { firstValueFrom, type Observable, retry, take } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { fromAbortable } from '../../../src/operators/fromAbortable.ts';

/** A request that is answered by hand. */
const request = () => {
  const signals: AbortSignal[] = [];
  const answers = Promise.withResolvers<string>();
  const start = (signal: AbortSignal) => {
    signals.push(signal);
    return answers.promise;
  };
  return { start, signals, answer: answers.resolve, refuse: answers.reject };
};

const listenTo = (source: Observable<unknown>) => {
  const heard: unknown[] = [];
  const subscription = source.subscribe({
    next: (value) => heard.push(value),
    error: (error) => heard.push({ error }),
    complete: () => heard.push('complete'),
  });
  return { heard, subscription };
};

/** Everything that promises have to do now is done afterwards. */
const settledPromises = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('fromAbortable', () => {
  test('emits what the promise resolves to and completes', async () => {
    const { start, answer } = request();
    const { heard } = listenTo(fromAbortable(start));
    await settledPromises();
    expect(heard).toEqual([]);
    answer('yes');
    await settledPromises();
    expect(heard).toEqual(['yes', 'complete']);
  });

  test('starts nothing before somebody subscribes, and anew for each subscriber', async () => {
    const { start, signals, answer } = request();
    const source = fromAbortable(start);
    expect(signals.length).toBe(0);
    const first = listenTo(source);
    const second = listenTo(source);
    expect(signals.length).toBe(2);
    first.subscription.unsubscribe();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    answer('yes');
    await settledPromises();
    expect(first.heard).toEqual([]);
    expect(second.heard).toEqual(['yes', 'complete']);
  });

  test('errors with the rejection', async () => {
    const { start, refuse } = request();
    const { heard } = listenTo(fromAbortable(start));
    refuse('no');
    await settledPromises();
    expect(heard).toEqual([{ error: 'no' }]);
  });

  test('errors with what start throws', () => {
    const thrown = new Error('thrown');
    const { heard } = listenTo(
      fromAbortable(() => {
        throw thrown;
      }),
    );
    expect(heard).toEqual([{ error: thrown }]);
  });

  test('aborts when unsubscribed, and says nothing of a late result', async () => {
    const { start, signals, answer } = request();
    const { heard, subscription } = listenTo(fromAbortable(start));
    expect(signals[0]?.aborted).toBe(false);
    subscription.unsubscribe();
    expect(signals[0]?.aborted).toBe(true);
    answer('late');
    await settledPromises();
    expect(heard).toEqual([]);
  });

  test('swallows the rejection that aborting causes', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      const aborted = (signal: AbortSignal) =>
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      const { heard, subscription } = listenTo(fromAbortable(aborted));
      subscription.unsubscribe();
      await settledPromises();
      expect(heard).toEqual([]);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('does not abort what has been answered: its body may still be read', async () => {
    const { start, signals, answer } = request();
    const { heard } = listenTo(fromAbortable(start).pipe(take(1)));
    answer('yes');
    await settledPromises();
    expect(heard).toEqual(['yes', 'complete']);
    expect(signals[0]?.aborted).toBe(false);
  });

  test('is silent while the promise is pending', async () => {
    const { heard, subscription } = listenTo(fromAbortable(() => new Promise(() => {})));
    await settledPromises();
    expect(heard).toEqual([]);
    subscription.unsubscribe();
  });

  test('is run again by retry', async () => {
    let calls = 0;
    const third = fromAbortable(async () => {
      calls += 1;
      if (calls < 3) throw new Error(`call ${calls}`);
      return calls;
    });
    expect(await firstValueFrom(third.pipe(retry(5)))).toBe(3);
  });
});
