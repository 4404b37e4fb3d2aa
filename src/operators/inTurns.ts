// Bounds how many of many streams run at once, however many of them are subscribed to and by whom: for requests that
// nothing depends on, so that they never crowd out those that something does.
// Guarantees: in the order of their subscription; one that is let go leaves its place to the next, running or waiting.
import { Observable } from 'rxjs';
import { listen } from './listen.ts';

/**
 * Gives what makes a stream wait for its turn: of all that pass through it at most `most` run.
 *
 *     most: 1
 *     a      ---a|            subscribed to at once
 *     b        ---b|          subscribed to two frames later
 *     out    ---a---b|
 */
export const inTurns = (most: number): (<T>(source: Observable<T>) => Observable<T>) => {
  const waiting = new Set<() => void>();
  let running = 0;
  let isAdmitting = false;
  // A loop: streams that end in the moment they begin must not pile up on the stack.
  const admit = (): void => {
    if (isAdmitting) return;
    isAdmitting = true;
    for (const begin of waiting) {
      if (running >= most) break;
      waiting.delete(begin);
      running += 1;
      begin();
    }
    isAdmitting = false;
  };
  return <T>(source: Observable<T>) =>
    new Observable<T>((subscriber) => {
      const begin = (): void => {
        subscriber.add(() => {
          running -= 1;
          admit();
        });
        listen(source, subscriber, {
          next: (value) => subscriber.next(value),
          complete: () => subscriber.complete(),
        });
      };
      waiting.add(begin);
      subscriber.add(() => waiting.delete(begin));
      admit();
    });
};
