// Under which keys a store has changed, for readers that come by now and then and remember how far they have read.
// Bounded: who comes too late is told that anything may have changed.

/** What readers of a store see of it. */
export interface ChangeLog {
  /** The position after the last change. */
  readonly end: number;
  /** Keys that have changed since a position; undefined when that is no longer known and anything may have. */
  since(position: number): readonly string[] | undefined;
}

const mostKept = 8192;

/** An empty log and the functions of its one writer. */
export const changeLog = () => {
  let keys: string[] = [];
  let start = 0;
  const log: ChangeLog = {
    get end() {
      return start + keys.length;
    },
    since: (position) => {
      if (position < start) return undefined;
      return position - start >= keys.length ? none : keys.slice(position - start);
    },
  };
  const forget = (count: number): void => {
    start += count;
    keys = keys.slice(count);
  };
  return {
    log,
    add: (key: string): void => {
      keys.push(key);
      // Cut only now and then: cutting with every change would copy the log each time.
      if (keys.length > mostKept) forget(mostKept / 2);
    },
    /** Everything may have changed. */
    addAll: (): void => {
      keys.push('');
      forget(keys.length);
    },
  };
};

const none: readonly string[] = Object.freeze([]);
