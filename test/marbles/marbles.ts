// Runs a test in virtual time: rxjs' TestScheduler with strict equality, and with failures that show the expected and
// the actual diagram one above the other.
// Guarantees beyond TestScheduler: an expectation without `toBe`, a test without any expectation, a letter without a
// value and a stream that never comes to rest fail, instead of passing or hanging.
import { isDeepStrictEqual } from 'node:util';
import type { Observable } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { expect } from 'vitest';

type Values<T> = Readonly<Record<string, T>>;
type Hot<T> = ReturnType<typeof TestScheduler.prototype.createHotObservable<T>>;
type Cold<T> = ReturnType<typeof TestScheduler.prototype.createColdObservable<T>>;
type SubscriptionLog = ReturnType<typeof TestScheduler.parseMarblesAsSubscriptions>;
type TestMessage = ReturnType<typeof TestScheduler.parseMarbles>[number];

export interface MarbleHelpers {
  hot<T = string>(marbles: string, values?: Values<T>, error?: unknown): Hot<T>;
  cold<T = string>(marbles: string, values?: Values<T>, error?: unknown): Cold<T>;
  /** `toBe` compares strictly by value: a missing field is not an undefined one. */
  expectObservable(
    source: Observable<unknown>,
    subscription?: string,
  ): { toBe(marbles: string, values?: Values<unknown>, error?: unknown): void };
  expectSubscriptions(logs: SubscriptionLog[]): { toBe(marbles: string | readonly string[]): void };
  readonly time: RunHelpers['time'];
  readonly flush: RunHelpers['flush'];
  /** The virtual clock in ms, 0 at the beginning; the same as `asyncScheduler.now()` inside the test. */
  now(): number;
}

export interface MarbleOptions {
  /** Virtual time after which a test that is still busy fails. Default one hour. */
  readonly limitMs?: number;
}

/** One expectation, in the order in which TestScheduler will check it. */
interface Expectation {
  wanted?: string;
  letters?: Values<unknown> | undefined;
}

/** Runs `body` and then all its virtual time; throws at the first expectation that does not hold. */
export const marbles = (body: (helpers: MarbleHelpers) => void, { limitMs = 3_600_000 }: MarbleOptions = {}): void => {
  const open: Expectation[] = [];
  let made = 0;
  const scheduler = new TestScheduler((actual: (TestMessage | SubscriptionLog)[], wanted: typeof actual) => {
    const [expectation] = open.splice(
      open.findIndex((candidate) => candidate.wanted !== undefined),
      1,
    );
    const message = `\nexpected  ${expectation?.wanted ?? ''}\nactual    ${draw(actual, expectation?.letters)}\n`;
    expect(actual.map(readable), message).toStrictEqual(wanted.map(readable));
  });
  const expectation = (): Expectation => {
    const added: Expectation = {};
    open.push(added);
    made += 1;
    return added;
  };

  scheduler.run((run) => {
    scheduler.maxFrames = limitMs;
    body({
      hot: (diagram, values, error) => run.hot(withValues(diagram, values), values, error),
      cold: (diagram, values, error) => run.cold(withValues(diagram, values), values, error),
      expectObservable: (source, subscription) => {
        const slot = expectation();
        const { toBe } = run.expectObservable(source, subscription);
        return {
          toBe: (diagram, values, error) => {
            toBe(withValues(diagram, values), values, error);
            slot.wanted = diagram.trim();
            slot.letters = values;
          },
        };
      },
      expectSubscriptions: (logs) => {
        const slot = expectation();
        const { toBe } = run.expectSubscriptions(logs);
        return {
          toBe: (diagrams) => {
            toBe(typeof diagrams === 'string' ? diagrams : [...diagrams]);
            slot.wanted = [diagrams].flat().join('  ');
          },
        };
      },
      time: run.time,
      flush: run.flush,
      now: () => scheduler.now(),
    });
  });

  if (scheduler.actions.length > 0) {
    throw new Error(`Still busy after ${limitMs} ms of virtual time: give endless streams an unsubscribe line.`);
  }
  if (open.length > 0) throw new Error(`${open.length} of ${made} expectations have no toBe and were never checked.`);
  if (made === 0) throw new Error('This test expects nothing, so it cannot fail.');
};

/** Refuses a letter that `values` does not have: TestScheduler would take it for undefined, on both sides alike. */
const withValues = (diagram: string, values: Values<unknown> | undefined): string => {
  const letters = diagram.replace(/(?<=^| )\d+(\.\d+)?(ms|s|m) /g, '').replace(/[-()|#^ ]/g, '');
  const unknown = values === undefined ? undefined : [...letters].find((letter) => !Object.hasOwn(values, letter));
  if (unknown !== undefined) throw new Error(`The diagram ${diagram} has a letter without a value: ${unknown}`);
  return diagram;
};

const readable = (entry: TestMessage | SubscriptionLog): Values<unknown> => {
  if ('subscribedFrame' in entry) {
    return { subscribedAt: entry.subscribedFrame, unsubscribedAt: entry.unsubscribedFrame };
  }
  switch (entry.notification.kind) {
    case 'N':
      return { at: entry.frame, next: entry.notification.value };
    case 'E':
      return { at: entry.frame, error: entry.notification.error };
    case 'C':
      return { at: entry.frame, complete: true };
  }
};

/** Frames that follow each other closely cannot be drawn to scale behind a group; a `~` stands where they overlap. */
const draw = (entries: readonly (TestMessage | SubscriptionLog)[], letters: Values<unknown> | undefined): string => {
  const lines: string[] = [];
  const messages = new Map<number, string>();
  for (const entry of entries) {
    if ('subscribedFrame' in entry) {
      const unsubscribed: [number, string][] =
        entry.unsubscribedFrame === Number.POSITIVE_INFINITY ? [] : [[entry.unsubscribedFrame, '!']];
      lines.push(line([[entry.subscribedFrame, '^'], ...unsubscribed]));
    } else {
      messages.set(entry.frame, (messages.get(entry.frame) ?? '') + symbol(entry, letters));
    }
  }
  return lines.length > 0 ? lines.join('  ') : line([...messages]);
};

const line = (symbols: readonly (readonly [number, string])[]): string => {
  let drawn = '';
  let column = 0;
  for (const [frame, text] of symbols) {
    const gap = frame - column;
    const group = [...text].length > 1 && text !== '^!' ? `(${text})` : text;
    drawn += (gap < 0 ? '~' : gap > 40 ? ` ${gap}ms ` : '-'.repeat(gap)) + group;
    column = frame + [...group].length;
  }
  return drawn || '-';
};

const symbol = ({ notification }: TestMessage, letters: Values<unknown> | undefined): string => {
  switch (notification.kind) {
    case 'N': {
      const { value } = notification as { value: unknown };
      const known = Object.entries(letters ?? {}).find(([, candidate]) => isDeepStrictEqual(candidate, value));
      if (known !== undefined) return known[0];
      return typeof value === 'string' && value.length === 1 ? value : '?';
    }
    case 'E':
      return '#';
    case 'C':
      return '|';
  }
};
