// The port to the simulated API server: latency, and each fault a request or a watch can suffer, in virtual time.
import { map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, test } from 'vitest';
import { KubeFailure, type WatchEvent } from '../../src/kube/api.ts';
import type { ApiServer, EventFault, PortOptions, RequestFault, RequestInfo } from '../../src/sim/cluster.ts';
import { at, box, boxes, boxServer, inVirtualTime, timeline } from './apiServerFixtures.ts';

const exists = (server: ApiServer, name: string): boolean => server.read(boxes, at(name)) !== undefined;

const first =
  (fault: RequestFault): ((request: RequestInfo) => RequestFault | undefined) =>
  ({ number }) =>
    number === 1 ? fault : undefined;

/** Creates box `a` through a port in virtual time and gives a diagram helper for what the caller sees. */
const creating = (
  options: PortOptions,
  check: (scheduler: TestScheduler, server: ApiServer, create: () => void, seen: string[]) => void,
) =>
  inVirtualTime((scheduler) => {
    const server = boxServer();
    const seen: string[] = [];
    const create = (): void => {
      const started = scheduler.now();
      const said = (what: string): void => {
        seen.push(`${scheduler.now() - started} ${what}`);
      };
      server
        .port(options)
        .create(boxes, box('a'))
        .subscribe({
          next: ({ metadata }) => said(metadata.name),
          error: (error) =>
            said(error instanceof KubeFailure ? `${error.kind} ${error.code} ${error.reason}`.trim() : 'bug'),
          complete: () => said('end'),
        });
    };
    check(scheduler, server, create, seen);
  });

describe('a request', () => {
  test('takes its latency there and back, and is carried out in between', () =>
    creating({ latencyMs: 5 }, (scheduler, server, create, seen) => {
      create();
      timeline(scheduler, {
        4: () => expect(exists(server, 'a')).toBe(false),
        6: () => expect([exists(server, 'a'), seen]).toEqual([true, []]),
        11: () => expect(seen).toEqual(['10 a', '10 end']),
      });
    }));

  test('is answered later than the call even without latency', () =>
    creating({ latencyMs: 0 }, (scheduler, server, create, seen) => {
      create();
      expect([exists(server, 'a'), seen]).toEqual([false, []]);
      timeline(scheduler, { 1: () => expect(seen).toEqual(['0 a', '0 end']) });
    }));

  test('is sent anew for each subscriber', () =>
    inVirtualTime((scheduler) => {
      const port = boxServer().port({ latencyMs: 1 });
      const named = port
        .create(boxes, box('', {}, { generateName: 'b-' }))
        .pipe(map(({ metadata }) => metadata.name.length));
      scheduler.expectObservable(named).toBe('--(x|)', { x: 7 });
      scheduler.expectObservable(named).toBe('--(x|)', { x: 7 });
    }));

  test('that is given up before it reached the server is not carried out', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      const subscription = server.port({ latencyMs: 5 }).create(boxes, box('a')).subscribe();
      timeline(scheduler, { 4: () => subscription.unsubscribe(), 50: () => expect(exists(server, 'a')).toBe(false) });
    }));

  test('that is given up after it reached the server is carried out, and nobody is answered', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      const seen: string[] = [];
      const request = server.port({ latencyMs: 5 }).create(boxes, box('a'));
      const subscription = request.subscribe(() => seen.push('answered'));
      timeline(scheduler, {
        6: () => subscription.unsubscribe(),
        50: () => expect([exists(server, 'a'), seen]).toEqual([true, []]),
      });
    }));

  test('that the server refuses fails with its words', () =>
    inVirtualTime((scheduler) => {
      const failure = new KubeFailure('status', 'boxes.example.dev "a" not found', { code: 404, reason: 'NotFound' });
      scheduler
        .expectObservable(boxServer().port({ latencyMs: 1 }).get(boxes, at('a')))
        .toBe('--#', undefined, failure);
    }));

  test('names its caller in the change', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      const actors: string[] = [];
      server.changes$.subscribe(({ actor }) => actors.push(actor));
      server.port({ actor: 'daemon' }).create(boxes, box('a')).subscribe();
      timeline(scheduler, { 10: () => expect(actors).toEqual(['daemon']) });
    }));
});

describe('a request that goes wrong', () => {
  test('refused: answered with the status, nothing is changed', () => {
    const fault: RequestFault = { kind: 'refuse', code: 429, reason: 'TooManyRequests', retryAfterSeconds: 3 };
    creating({ latencyMs: 5, onRequest: first(fault) }, (scheduler, server, create, seen) => {
      create();
      timeline(scheduler, {
        50: () => {
          expect(seen).toEqual(['10 status 429 TooManyRequests']);
          expect(exists(server, 'a')).toBe(false);
        },
      });
    });
  });

  test('slow: takes that much longer each way', () =>
    creating({ latencyMs: 1, onRequest: first({ kind: 'slow', ms: 100 }) }, (scheduler, server, create, seen) => {
      create();
      timeline(scheduler, {
        100: () => expect(exists(server, 'a')).toBe(false),
        102: () => expect(exists(server, 'a')).toBe(true),
        203: () => expect(seen).toEqual(['202 a', '202 end']),
      });
    }));

  test('hanging: never answered, never carried out', () =>
    creating({ onRequest: first({ kind: 'hang' }) }, (scheduler, server, create, seen) => {
      create();
      timeline(scheduler, { 100000: () => expect([exists(server, 'a'), seen]).toEqual([false, []]) });
    }));

  test('landing late: the caller is told at once that nothing is known', () =>
    creating({ onRequest: first({ kind: 'land', ms: 50, answer: 'unknown' }) }, (scheduler, server, create, seen) => {
      create();
      timeline(scheduler, {
        49: () => expect([exists(server, 'a'), seen]).toEqual([false, ['0 unknown 0']]),
        51: () => expect(exists(server, 'a')).toBe(true),
      });
    }));

  test('landing late: it lands even when the caller has gone', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      const seen: unknown[] = [];
      const port = server.port({ onRequest: first({ kind: 'land', ms: 50, answer: 'never' }) });
      const subscription = port
        .create(boxes, box('a'))
        .subscribe({ next: (made) => seen.push(made), error: (error) => seen.push(error) });
      timeline(scheduler, {
        10: () => subscription.unsubscribe(),
        51: () => expect([exists(server, 'a'), seen]).toEqual([true, []]),
      });
    }));

  test('landing late: what the server then refuses is lost without a trace', () =>
    creating({ onRequest: first({ kind: 'land', ms: 50, answer: 'never' }) }, (scheduler, server, create, seen) => {
      const made = server.create(boxes, box('a'), 'user');
      create();
      timeline(scheduler, { 100: () => expect([server.read(boxes, at('a')), seen]).toEqual([made, []]) });
    }));

  test('requests are numbered in the order in which they are made', () =>
    inVirtualTime((scheduler) => {
      const asked: string[] = [];
      const onRequest = ({ number, verb, ref }: RequestInfo): undefined => {
        asked.push(`${number} ${verb} ${ref?.name ?? ''}`.trim());
      };
      const port = boxServer().port({ onRequest });
      port.list(boxes, {}).subscribe();
      port.watch(boxes, { resourceVersion: '1', timeoutSeconds: 1 }).subscribe();
      port.create(boxes, box('a')).subscribe();
      port.patch(boxes, at('a'), { type: 'merge', body: {} }).subscribe();
      timeline(scheduler, { 10: () => expect(asked).toEqual(['1 list', '2 watch', '3 create a', '4 patch a']) });
    }));
});

const letter = (event: WatchEvent): string => {
  if (event.type === 'error') return `error ${event.failure.code}`;
  return event.type === 'bookmark' ? 'bookmark' : `${event.type} ${event.object.metadata.name}`;
};

/** Watches boxes; `writes` creates a box of that name at each time. Gives what the watcher saw, with its times. */
const watching = (
  options: PortOptions,
  writes: Readonly<Record<number, string>>,
  check: (seen: readonly string[]) => void,
  timeoutSeconds = 10,
): void =>
  inVirtualTime((scheduler) => {
    const server = boxServer();
    const seen: string[] = [];
    const { resourceVersion } = server.list(boxes, {});
    server
      .port({ latencyMs: 1, watchLatencyMs: 1, ...options })
      .watch(boxes, { resourceVersion, timeoutSeconds })
      .subscribe({
        next: (event) => seen.push(`${scheduler.now()} ${letter(event)}`),
        error: (error) =>
          seen.push(
            `${scheduler.now()} broke: ${error instanceof KubeFailure ? `${error.kind} ${error.code}` : error}`,
          ),
        complete: () => seen.push(`${scheduler.now()} end`),
      });
    for (const [ms, name] of Object.entries(writes)) {
      scheduler.schedule(() => server.create(boxes, box(name), 'user'), Number(ms));
    }
    scheduler.schedule(() => check(seen), 100_000);
  });

const onBox =
  (name: string, fault: EventFault): NonNullable<PortOptions['onEvent']> =>
  ({ object }) =>
    object?.metadata.name === name ? fault : undefined;

describe('a watch through the port', () => {
  test('delivers each event after its latency and completes when its time is up', () =>
    watching({ watchLatencyMs: 3 }, { 10: 'a', 20: 'b' }, (seen) =>
      expect(seen).toEqual(['13 added a', '23 added b', '10004 end']),
    ));

  test('an event that is held up holds up those after it, and they arrive in order', () =>
    watching({ onEvent: onBox('a', { kind: 'delay', ms: 50 }) }, { 10: 'a', 20: 'b', 90: 'c' }, (seen) =>
      expect(seen.slice(0, 3)).toEqual(['61 added a', '61 added b', '91 added c']),
    ));

  test('watches do not wait for each other', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      const seen: string[] = [];
      const { resourceVersion } = server.list(boxes, {});
      for (const [name, ms] of [
        ['slow', 50],
        ['fast', 1],
      ] as const) {
        server
          .port({ watchLatencyMs: ms })
          .watch(boxes, { resourceVersion, timeoutSeconds: 1 })
          .subscribe(() => seen.push(name));
      }
      scheduler.schedule(() => server.create(boxes, box('a'), 'user'), 10);
      scheduler.schedule(() => expect(seen).toEqual(['fast', 'slow']), 100);
    }));

  test('may deliver an event twice', () =>
    watching({ onEvent: onBox('a', { kind: 'duplicate' }) }, { 10: 'a', 20: 'b' }, (seen) =>
      expect(seen.slice(0, 3)).toEqual(['11 added a', '11 added a', '21 added b']),
    ));

  test('may break instead of delivering, and says that nothing is known', () =>
    watching({ onEvent: onBox('b', { kind: 'cut' }) }, { 10: 'a', 20: 'b', 30: 'c' }, (seen) =>
      expect(seen).toEqual(['11 added a', '21 broke: unknown 0']),
    ));

  test('that broke can be resumed from the last version seen', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      const seen: string[] = [];
      let cuts = 0;
      const onEvent = (): EventFault | undefined => {
        cuts += 1;
        return cuts === 2 ? { kind: 'cut' } : undefined;
      };
      const port = server.port({ onEvent });
      const watchFrom = (resourceVersion: string): void => {
        let last = resourceVersion;
        port.watch(boxes, { resourceVersion, timeoutSeconds: 1 }).subscribe({
          next: (event) => {
            seen.push(letter(event));
            if ('object' in event) last = event.object.metadata.resourceVersion ?? last;
          },
          error: () => watchFrom(last),
        });
      };
      watchFrom(server.list(boxes, {}).resourceVersion);
      for (const [ms, name] of [
        [10, 'a'],
        [20, 'b'],
        [30, 'c'],
      ] as const) {
        scheduler.schedule(() => server.create(boxes, box(name), 'user'), ms);
      }
      scheduler.schedule(() => expect(seen).toEqual(['added a', 'added b', 'added c']), 500);
    }));

  test('may expire: 410, then the end', () =>
    watching({ onEvent: onBox('b', { kind: 'expire' }) }, { 10: 'a', 20: 'b', 30: 'c' }, (seen) =>
      expect(seen).toEqual(['11 added a', '21 error 410', '21 end']),
    ));

  test('may be refused, hang, or be lost', () => {
    watching({ onRequest: first({ kind: 'refuse', code: 410, reason: 'Expired' }) }, { 10: 'a' }, (seen) =>
      expect(seen).toEqual(['2 broke: status 410']),
    );
    watching({ onRequest: first({ kind: 'hang' }) }, { 10: 'a' }, (seen) => expect(seen).toEqual([]));
    watching({ onRequest: first({ kind: 'land', ms: 1, answer: 'unknown' }) }, { 10: 'a' }, (seen) =>
      expect(seen).toEqual(['0 broke: unknown 0']),
    );
  });

  test('asks about bookmarks, too', () =>
    watching(
      { onEvent: ({ type }) => (type === 'bookmark' ? { kind: 'cut' } : undefined) },
      { 10: 'a' },
      (seen) => expect(seen).toEqual(['11 added a', '60002 broke: unknown 0']),
      90,
    ));

  test('leaves nothing behind when it is given up', () => {
    const scheduler = new TestScheduler(() => undefined);
    scheduler.run(() => {
      const server = boxServer();
      const seen: string[] = [];
      const { resourceVersion } = server.list(boxes, {});
      const watch = server.port({ watchLatencyMs: 20 }).watch(boxes, { resourceVersion, timeoutSeconds: 3600 });
      const subscription = watch.subscribe((event) => seen.push(letter(event)));
      scheduler.schedule(() => server.create(boxes, box('a'), 'user'), 10);
      scheduler.schedule(() => subscription.unsubscribe(), 20);
      scheduler.schedule(() => server.create(boxes, box('b'), 'user'), 25);
      scheduler.flush();
      expect(seen).toEqual([]);
      // Had a timer of the watch been left, time would have gone on to it.
      expect(scheduler.now()).toBeLessThan(100);
    });
  });
});
