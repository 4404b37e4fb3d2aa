// Stands in for what runs in copy pods: a server that runs until it is stopped, and clients that report as the real ones
// do, in the log and in the termination message.
import { Observable, timer } from 'rxjs';
import { labels, roles } from '../../kube/names.ts';
import type { ApiServer } from '../cluster.ts';
import type { Pod } from '../kubevirt/objects.ts';
import type { ContainerEnd, ContainerRunner } from './containerRunner.ts';
import type { Disks } from './disks.ts';
import { type CopyFailure, pretendClient } from './pretendClient.ts';
import { logLine } from './pretendWords.ts';

export interface PretendCopyOptions {
  /** How long one disk takes, in ms. Default 3000. */
  readonly durationMs?: number | ((client: Pod) => number);
  /** How long a client tries to reach its server, in ms. Default 10,000. */
  readonly connectMs?: number;
  /** How long a pod that is asked to stop takes, in ms. Default 100. */
  readonly stopMs?: number;
  /** Asked once per client that starts; undefined: the copy succeeds. */
  readonly failure?: (client: Pod) => CopyFailure | undefined;
  /** Asked once per server that starts; the server ends so long after it started, with this exit code. */
  readonly serverFailure?: (server: Pod) => { readonly exitCode: number; readonly afterMs: number } | undefined;
}

/** Makes the runner of copy servers and clients; of other pods it knows nothing. What they say can be asked as logs. */
export const pretendCopy = (server: ApiServer, disks: Disks, options: PretendCopyOptions = {}): ContainerRunner => {
  const { durationMs = 3000, connectMs = 10_000, stopMs = 100 } = options;
  const logs = new Map<string, string>();
  server.logsFrom(({ metadata }) => logs.get(metadata.uid ?? ''));

  const sayFor =
    ({ metadata }: Pod) =>
    (line: string): void => {
      logs.set(metadata.uid, `${logs.get(metadata.uid) ?? ''}${line}`);
    };

  const serve = (pod: Pod, stop$: Observable<void>): Observable<ContainerEnd> =>
    new Observable((subscriber) => {
      const end = (exitCode: number, message: string): void => {
        subscriber.next({ exitCode, message });
        subscriber.complete();
      };
      const failure = options.serverFailure?.(pod);
      if (failure !== undefined) {
        subscriber.add(timer(failure.afterMs).subscribe(() => end(failure.exitCode, 'server failed')));
      }
      subscriber.add(stop$.subscribe(() => subscriber.add(timer(stopMs).subscribe(() => end(0, 'stopped')))));
      sayFor(pod)(logLine('The server has started'));
    });

  return (pod, stop$) => {
    const role = pod.metadata.labels?.[labels.role];
    if (role === roles.server) return serve(pod, stop$);
    if (role !== roles.client) return undefined;
    const client = {
      pod,
      durationMs: typeof durationMs === 'number' ? durationMs : durationMs(pod),
      connectMs,
      stopMs,
      failure: options.failure?.(pod),
      say: sayFor(pod),
    };
    return pretendClient(server, disks, client, stop$);
  };
};
