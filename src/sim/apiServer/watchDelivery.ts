// The way of a watch's events to the watcher: each takes its time, may be held up, doubled, or lost with the connection.
// Whatever happens, the events of one watch arrive in the order in which the server sent them: an event that is held up
// holds up all after it. Between watches there is no order.
//
//   server  --a-b--c----|
//             (b delayed 5)
//   caller  ---a------(bc)-|
import { asyncScheduler, Observable, type OperatorFunction, type SchedulerAction } from 'rxjs';
import { KubeFailure, type Resource, type WatchEvent } from '../../kube/api.ts';
import type { EventFault, PortOptions } from '../cluster.ts';
import { failures } from './failures.ts';

interface Step {
  readonly dueMs: number;
  readonly take: () => void;
}

const faultOf = (resource: Resource, event: WatchEvent, onEvent: PortOptions['onEvent']): EventFault | undefined => {
  if (onEvent === undefined || event.type === 'error') return undefined;
  return onEvent({ resource, type: event.type, object: event.type === 'bookmark' ? undefined : event.object });
};

/** Delivers `latencyMs` late and with the faults that `onEvent` asks for; a cut errors, an expiry sends 410 and ends. */
export const watchDelivery =
  (resource: Resource, latencyMs: number, onEvent: PortOptions['onEvent']): OperatorFunction<WatchEvent, WatchEvent> =>
  (server$) =>
    new Observable((caller) => {
      const steps: Step[] = [];
      let lastDueMs = 0;
      let running = false;
      let ended = false;

      // One timer for the whole watch: thousands of events under way would be thousands of timers.
      function run(this: SchedulerAction<unknown>): void {
        const nowMs = asyncScheduler.now();
        let taken = 0;
        let next = steps[0];
        while (next !== undefined && next.dueMs <= nowMs && !caller.closed) {
          taken += 1;
          next.take();
          next = steps[taken];
        }
        steps.splice(0, taken);
        running = next !== undefined && !caller.closed;
        if (running && next !== undefined) this.schedule(undefined, next.dueMs - nowMs);
      }

      const later = (take: () => void, afterMs: number): void => {
        lastDueMs = Math.max(lastDueMs, asyncScheduler.now() + afterMs);
        steps.push({ dueMs: lastDueMs, take });
        if (running) return;
        running = true;
        caller.add(asyncScheduler.schedule(run, lastDueMs - asyncScheduler.now()));
      };

      const end = (take: () => void): void => {
        ended = true;
        later(take, latencyMs);
      };

      const deliver = (event: WatchEvent): void => {
        const fault = faultOf(resource, event, onEvent);
        switch (fault?.kind) {
          case undefined:
            later(() => caller.next(event), latencyMs);
            break;
          case 'delay':
            later(() => caller.next(event), latencyMs + fault.ms);
            break;
          case 'duplicate':
            later(() => caller.next(event), latencyMs);
            later(() => caller.next(event), latencyMs);
            break;
          case 'cut':
            end(() => caller.error(new KubeFailure('unknown', 'the connection of the watch broke')));
            break;
          case 'expire':
            end(() => {
              caller.next({ type: 'error', failure: failures.expired('too old resource version') });
              caller.complete();
            });
            break;
        }
      };

      caller.add(
        server$.subscribe({
          next: (event) => {
            if (!ended) deliver(event);
          },
          error: (error) => {
            if (!ended) end(() => caller.error(error));
          },
          complete: () => {
            if (!ended) end(() => caller.complete());
          },
        }),
      );
    });
