// Virtual time for whole performances: everything that rxjs does later is done in order of its time, at once. It does
// what TestScheduler does for `timer` and `asyncScheduler`, and thousands of timers cost it little; TestScheduler besides
// stumbles where of two timers that are due in the same moment the first takes the second back.
import { dateTimestampProvider } from 'rxjs/internal/scheduler/dateTimestampProvider';
import { intervalProvider } from 'rxjs/internal/scheduler/intervalProvider';
import { timeoutProvider } from 'rxjs/internal/scheduler/timeoutProvider';

interface Timer {
  dueMs: number;
  /** Of timers that are due together the one that was set first comes first. */
  order: number;
  readonly handler: () => void;
  /** Undefined: once. */
  readonly everyMs: number | undefined;
  isSet: boolean;
}

const isBefore = (one: Timer, other: Timer): boolean =>
  one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);

/** A binary heap: the next timer is on top. */
const timersInOrder = () => {
  const heap: Timer[] = [];
  const at = (index: number): Timer => heap[index] as Timer;
  const swap = (one: number, other: number): void => {
    const held = at(one);
    heap[one] = at(other);
    heap[other] = held;
  };
  return {
    push: (timer: Timer): void => {
      let place = heap.push(timer) - 1;
      while (place > 0) {
        const parent = (place - 1) >> 1;
        if (!isBefore(at(place), at(parent))) return;
        swap(place, parent);
        place = parent;
      }
    },
    pop: (): Timer | undefined => {
      const first = heap[0];
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return first;
      heap[0] = last;
      for (let place = 0; ; ) {
        const [left, right] = [2 * place + 1, 2 * place + 2];
        let next = place;
        if (left < heap.length && isBefore(at(left), at(next))) next = left;
        if (right < heap.length && isBefore(at(right), at(next))) next = right;
        if (next === place) return first;
        swap(place, next);
        place = next;
      }
    },
  };
};

/** Runs `body` and then, one after the other, all that it and what follows from it have put off; time begins at 0. */
export const inVirtualTime = (body: () => void): void => {
  const timers = timersInOrder();
  let nowMs = 0;
  let order = 0;
  const set = (handler: () => void, inMs: number, everyMs?: number): Timer => {
    order += 1;
    const timer: Timer = { dueMs: nowMs + inMs, order, handler, everyMs, isSet: true };
    timers.push(timer);
    return timer;
  };
  const clear = (timer: Timer | undefined): void => {
    if (timer !== undefined) timer.isSet = false;
  };
  // Handles are nothing but handed back, whatever they are.
  const clearing = clear as unknown as (handle: unknown) => void;
  const setting = (repeats: boolean) =>
    ((handler: () => void, ms = 0) => set(handler, ms, repeats ? ms : undefined)) as unknown as typeof setTimeout;
  dateTimestampProvider.delegate = { now: () => nowMs };
  intervalProvider.delegate = { setInterval: setting(true), clearInterval: clearing };
  // What nobody caught is thrown from there, and so from here.
  timeoutProvider.delegate = { setTimeout: setting(false), clearTimeout: clearing };
  try {
    body();
    for (let timer = timers.pop(); timer !== undefined; timer = timers.pop()) {
      if (!timer.isSet) continue;
      nowMs = timer.dueMs;
      if (timer.everyMs !== undefined) {
        order += 1;
        timer.order = order;
        timer.dueMs = nowMs + timer.everyMs;
        timers.push(timer);
      }
      timer.handler();
    }
  } finally {
    dateTimestampProvider.delegate = undefined;
    intervalProvider.delegate = undefined;
    timeoutProvider.delegate = undefined;
  }
};
