// `pods/log` over HTTP, as `kubectl logs` asks for it: once, or followed until the container has ended or the pod is gone.
import type { ServerResponse } from 'node:http';
import { filter, interval, merge } from 'rxjs';
import { KubeFailure, type LogOptions, type ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import { failures } from '../apiServer/failures.ts';
import type { ApiServer } from '../cluster.ts';
import { model } from '../kubevirt/model.ts';
import type { Pod } from '../kubevirt/objects.ts';

/** How often it is looked for more, in ms. */
const followMs = 200;

const unsupported = ['previous', 'timestamps', 'sinceSeconds', 'sinceTime'] as const;

const isAsked = (query: URLSearchParams, name: string): boolean => query.has(name) && query.get(name) !== 'false';

const wholeNumber = (query: URLSearchParams, name: string): number | undefined => {
  const value = query.get(name);
  if (value === null) return undefined;
  if (!/^\d+$/.test(value)) throw failures.badRequest(`${name} must be a whole number, not "${value}"`);
  return Number(value);
};

const limitsIn = (query: URLSearchParams): Partial<LogOptions> => {
  const [tailLines, limitBytes] = [wholeNumber(query, 'tailLines'), wholeNumber(query, 'limitBytes')];
  return {
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
};

/** Sends what comes from now on, after what was there is sent. */
const follow = (server: ApiServer, pod: ObjectRef, response: ServerResponse): void => {
  let sent = server.log(pod).length;
  // The pod's end is looked at as it happens: a moment later the pod may be gone, and its log with it.
  const changed$ = server.changes$.pipe(
    filter(({ object }) => object.metadata.name === pod.name && object.metadata.namespace === pod.namespace),
  );
  const subscription = merge(interval(followMs), changed$).subscribe(() => {
    const found = model.maybe<Pod>(server.read(resources.pods, pod));
    try {
      const text = server.log(pod);
      response.write(text.slice(sent));
      sent = text.length;
    } catch (failure) {
      if (!(failure instanceof KubeFailure)) throw failure;
    }
    if (found === undefined || model.isPodDown(found)) response.end();
  });
  response.on('close', () => subscription.unsubscribe());
};

/** Answers a request for the log of a pod; throws before anything is sent when it is refused. */
export const answerLog = (
  server: ApiServer,
  pod: ObjectRef,
  query: URLSearchParams,
  response: ServerResponse,
): void => {
  const unknown = unsupported.find((name) => isAsked(query, name));
  if (unknown !== undefined) throw failures.badRequest(`${unknown} is not supported by the simulated API server`);
  const text = server.log(pod, limitsIn(query));
  response.writeHead(200, { 'content-type': 'text/plain' });
  if (!isAsked(query, 'follow')) {
    response.end(text);
    return;
  }
  response.write(text);
  response.flushHeaders();
  follow(server, pod, response);
};
