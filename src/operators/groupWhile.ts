// Splits a stream by key into groups that end: one group per virtual machine for as long as it exists, so that nothing
// is kept of those that are gone.
// Guarantees: no value is lost between two groups of a key; an ended group leaves nothing behind.
import { Observable, type ObservableInput, type OperatorFunction, Subject } from 'rxjs';
import { listen } from './listen.ts';

export interface GroupWhileOptions<K, T, R> {
  readonly key: (value: T) => K;
  /** True for the value with which its group ends. The group still gets the value, then completes and is forgotten. */
  readonly until: (value: T) => boolean;
  /**
   * What becomes of a group. It has to subscribe to `group$` at once, for the first value follows immediately. When its
   * stream ends early, the group is forgotten as well, and the next value of that key opens a new one.
   */
  readonly project: (group$: Observable<T>, key: K) => ObservableInput<R>;
}

/**
 * Like `groupBy` and `mergeMap`, but a group ends with the value for which `until` holds.
 *
 *     source  --a--b--a--x--a--|       x: the last value of a's group
 *     a         a-----a--(x|)
 *     b            b-----------|
 *     a                     a--|       a new group of the same key
 *
 * An ending value of an unknown key opens a group for that one value. A projection may outlive its group (to finish
 * what it is at), and then the next group of that key runs beside it.
 * Completes when the source and all projections have; an error of any of them ends everything.
 */
export const groupWhile =
  <K, T, R>({ key, until, project }: GroupWhileOptions<K, T, R>): OperatorFunction<T, R> =>
  (source) =>
    new Observable<R>((subscriber) => {
      const groups = new Map<K, Subject<T>>();
      let projections = 0;
      let sourceEnded = false;

      const forget = (groupKey: K, group: Subject<T>): void => {
        if (groups.get(groupKey) === group) groups.delete(groupKey);
      };

      const open = (groupKey: K): Subject<T> => {
        const group = new Subject<T>();
        groups.set(groupKey, group);
        projections += 1;
        listen(project(group.asObservable(), groupKey), subscriber, {
          next: (result) => subscriber.next(result),
          complete: () => {
            projections -= 1;
            forget(groupKey, group);
            if (sourceEnded && projections === 0) subscriber.complete();
          },
        });
        return group;
      };

      listen(source, subscriber, {
        next: (value) => {
          const groupKey = key(value);
          const group = groups.get(groupKey) ?? open(groupKey);
          const last = until(value);
          // Forgotten before the value is delivered: what its delivery brings about belongs to the next group.
          if (last) forget(groupKey, group);
          group.next(value);
          if (last) group.complete();
        },
        complete: () => {
          sourceEnded = true;
          for (const group of groups.values()) group.complete();
          if (projections === 0) subscriber.complete();
        },
      });
    });
