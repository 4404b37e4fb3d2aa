// The port the daemon gets: the API server behind a network made of rxjs timers, with the faults a network and a busy
// server have. A request that is given up before it reached the server is not carried out; one that reached it is.
import { asyncScheduler, Observable } from 'rxjs';
import { type KubeApi, KubeFailure, type Resource } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer, PortOptions, RequestFault, RequestInfo } from '../cluster.ts';
import { failures } from './failures.ts';
import { watchDelivery } from './watchDelivery.ts';

const noAnswer = (): KubeFailure =>
  new KubeFailure('unknown', 'the connection was lost before the answer came; the request may still take effect');

const refusal = (fault: Extract<RequestFault, { kind: 'refuse' }>): KubeFailure =>
  new KubeFailure('status', `the server refused the request: ${fault.reason} (${fault.code})`, {
    code: fault.code,
    reason: fault.reason,
    ...(fault.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: fault.retryAfterSeconds }),
  });

/** Carries a request out for its effect alone: nobody is told how it went. */
const landed = (act: () => unknown): void => {
  try {
    act();
  } catch (error) {
    if (!(error instanceof KubeFailure)) throw error;
  }
};

/** What the caller of a faulty request experiences; `undefined` when the request is to go on, `slowMs` later each way. */
const suffer = (
  fault: RequestFault | undefined,
  latencyMs: number,
  fail: (failure: KubeFailure, afterMs: number) => void,
  act: () => unknown,
): { readonly slowMs: number } | undefined => {
  switch (fault?.kind) {
    case undefined:
      return { slowMs: 0 };
    case 'slow':
      return { slowMs: fault.ms };
    case 'refuse':
      fail(refusal(fault), 2 * latencyMs);
      return undefined;
    case 'hang':
      return undefined;
    case 'land':
      // Not tied to the caller: it lands even when the caller has gone.
      asyncScheduler.schedule(() => landed(act), fault.ms);
      if (fault.answer === 'unknown') fail(noAnswer(), 0);
      return undefined;
  }
};

/** A client's view of the server; two ports share nothing but the server. */
export const port = (server: ApiServer, options: PortOptions = {}): KubeApi => {
  const { actor = 'user', latencyMs = 1, watchLatencyMs = 1 } = options;
  let requests = 0;

  const faultOf = (request: Omit<RequestInfo, 'number'>): RequestFault | undefined => {
    requests += 1;
    return options.onRequest?.({ number: requests, ...request });
  };

  const answer = <T>(request: Omit<RequestInfo, 'number'>, act: () => T): Observable<T> =>
    new Observable<T>((caller) => {
      const later = (work: () => void, afterMs: number): void => {
        caller.add(asyncScheduler.schedule(work, afterMs));
      };
      const fail = (failure: KubeFailure, afterMs: number): void => later(() => caller.error(failure), afterMs);
      const going = suffer(faultOf(request), latencyMs, fail, act);
      if (going === undefined) return;
      const wayMs = latencyMs + going.slowMs;
      later(() => {
        try {
          const result = act();
          later(() => {
            caller.next(result);
            caller.complete();
          }, wayMs);
        } catch (error) {
          if (!(error instanceof KubeFailure)) throw error;
          fail(error, wayMs);
        }
      }, wayMs);
    });

  const watch: KubeApi['watch'] = (resource, watchOptions) =>
    new Observable((caller) => {
      const fail = (failure: KubeFailure, afterMs: number): void => {
        caller.add(asyncScheduler.schedule(() => caller.error(failure), afterMs));
      };
      const request = { verb: 'watch', resource, ref: undefined, body: undefined } as const;
      const going = suffer(faultOf(request), latencyMs, fail, () => undefined);
      if (going === undefined) return;
      const latency = watchLatencyMs + going.slowMs;
      const open = (): void => {
        caller.add(
          server
            .watch(resource, watchOptions)
            .pipe(watchDelivery(resource, latency, options.onEvent))
            .subscribe(caller),
        );
      };
      caller.add(asyncScheduler.schedule(open, latencyMs + going.slowMs));
    });

  const existing = (resource: Resource, ref: NonNullable<RequestInfo['ref']>) => {
    const object = server.read(resource, ref);
    if (object === undefined) throw failures.notFound(resource, ref.name);
    return object;
  };

  return {
    list: (resource, list) =>
      answer({ verb: 'list', resource, ref: undefined, body: undefined }, () => server.list(resource, list)),
    watch,
    get: (resource, ref) => answer({ verb: 'get', resource, ref, body: undefined }, () => existing(resource, ref)),
    create: (resource, object) =>
      answer({ verb: 'create', resource, ref: object.metadata, body: object }, () =>
        server.create(resource, object, actor),
      ),
    patch: (resource, ref, patch, patchOptions) =>
      answer({ verb: 'patch', resource, ref, body: patch }, () =>
        server.patch(resource, ref, patch, actor, patchOptions),
      ),
    remove: (resource, ref, remove) =>
      answer({ verb: 'remove', resource, ref, body: remove }, () => server.remove(resource, ref, actor, remove)),
    log: (ref, log) =>
      answer({ verb: 'log', resource: resources.pods, ref, body: undefined }, () => server.log(ref, log)),
  };
};
