// Stands in for rsync in the copy pods: a server that runs until it is stopped, and clients that read their source from
// start to end while their server runs, and report as the real ones do in the termination message. What is read is what
// the source holds at that moment, so a source that changes meanwhile gives a copy that is no copy.
import { createHash } from 'node:crypto';
import { Observable, type Subscriber, timer } from 'rxjs';
import type { KubeObject } from '../../kube/api.ts';
import { annotations, labels, roles } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { claimsOf } from '../kubevirt/attachmentPods.ts';
import { model } from '../kubevirt/model.ts';
import type { Pod } from '../kubevirt/objects.ts';
import type { ContainerEnd, ContainerRunner } from './containerRunner.ts';
import type { Disks } from './disks.ts';

/** A copy that fails: after this share of it was done (0 to 1), with rsync's exit code. */
export interface CopyFailure {
  readonly exitCode: number;
  readonly share: number;
  readonly message?: string;
}

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

const parts = 4;
const pollMs = 100;

interface Digests {
  readonly sourceDigest?: string;
  readonly targetDigest?: string;
}

const endMessage = (rc: number, size: number, matched: number, err = '', digests: Digests = {}): string => {
  const ended = rc === 0 ? { stage: 'done', problem: '' } : { stage: 'copy', problem: 'RsyncFailed' };
  return JSON.stringify({
    t: 'end',
    ...ended,
    rc,
    files: 1,
    literal: size - matched,
    matched,
    size,
    flushed: rc === 0,
    ...digests,
    err,
  });
};

const digestOf = (content: unknown): string =>
  `sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}`;

const isToVerify = ({ spec }: Pod): boolean =>
  (spec['containers'] as readonly { readonly args?: readonly string[] }[]).some(({ args }) =>
    args?.includes('--verify'),
  );

const quantity = /^(\d+)(Ki|Mi|Gi|Ti)?$/;
const factors: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

const sizeOf = (claim: KubeObject | undefined): number => {
  const status = claim?.['status'] as { readonly capacity?: Readonly<Record<string, string>> } | undefined;
  const [, digits = '0', unit = ''] = quantity.exec(status?.capacity?.['storage'] ?? '') ?? [];
  return Number(digits) * (factors[unit] ?? 1);
};

/** Makes the runner of copy servers and clients; of other pods it knows nothing. */
export const pretendCopy = (server: ApiServer, disks: Disks, options: PretendCopyOptions = {}): ContainerRunner => {
  const stopMs = options.stopMs ?? 100;

  const end = (subscriber: Subscriber<ContainerEnd>, exitCode: number, message: string): void => {
    subscriber.next({ exitCode, message });
    subscriber.complete();
  };

  const serve = (pod: Pod, stop$: Observable<void>): Observable<ContainerEnd> =>
    new Observable((subscriber) => {
      const failure = options.serverFailure?.(pod);
      if (failure !== undefined) {
        subscriber.add(timer(failure.afterMs).subscribe(() => end(subscriber, failure.exitCode, 'server failed')));
      }
      subscriber.add(
        stop$.subscribe(() => subscriber.add(timer(stopMs).subscribe(() => end(subscriber, 0, 'stopped')))),
      );
    });

  /** Whether the client's server runs and has its target. */
  const isServed = (pod: Pod): boolean => {
    const name = pod.metadata.annotations?.[annotations.server] ?? '';
    const target = pod.metadata.annotations?.[annotations.target] ?? '';
    const found = model.maybe<Pod>(server.read(resources.pods, { namespace: pod.metadata.namespace, name }));
    return found?.status?.phase === 'Running' && claimsOf(found).includes(target);
  };

  const copy = (pod: Pod, stop$: Observable<void>): Observable<ContainerEnd> =>
    new Observable((subscriber) => {
      const { namespace, name } = pod.metadata;
      const source = pod.metadata.annotations?.[annotations.source] ?? '';
      const target = pod.metadata.annotations?.[annotations.target] ?? '';
      const writer = `rsync ${name}`;
      const size = sizeOf(server.read(resources.persistentVolumeClaims, { namespace, name: source }));
      const failure = options.failure?.(pod);
      const { durationMs = 3000, connectMs = 10_000 } = options;
      const stepMs = (typeof durationMs === 'number' ? durationMs : durationMs(pod)) / parts;
      const startedAt = server.now();
      let done = 0;
      let opened = false;
      let matched = 0;
      subscriber.add(() => {
        if (opened) disks.closed(namespace, target, writer);
      });

      const fail = (exitCode: number, message: string): void =>
        end(subscriber, exitCode, endMessage(exitCode, size, 0, message));
      const copyNext = (): void => {
        const before = disks.content(namespace, target);
        disks.copyPart(namespace, source, target, done / parts, (done + 1) / parts);
        const after = disks.content(namespace, target);
        const [from, to] = [(done * after.length) / parts, ((done + 1) * after.length) / parts];
        const same = after
          .slice(from, to)
          .filter((block, index) => block !== undefined && block === before[from + index]);
        matched += Math.floor((size / after.length) * same.length);
        done += 1;
        subscriber.add(timer(stepMs).subscribe(step));
      };
      const digests = (): Digests =>
        isToVerify(pod)
          ? {
              sourceDigest: digestOf(disks.content(namespace, source)),
              targetDigest: digestOf(disks.content(namespace, target)),
            }
          : {};
      const step = (): void => {
        if (!isServed(pod)) fail(12, 'connection unexpectedly closed');
        else if (!claimsOf(pod).includes(source)) fail(23, 'source not mounted');
        else if (failure !== undefined && done / parts >= failure.share) {
          fail(failure.exitCode, failure.message ?? 'failed');
        } else if (done === parts) end(subscriber, 0, endMessage(0, size, matched, '', digests()));
        else copyNext();
      };
      const begin = (): void => {
        if (subscriber.closed) return;
        opened = true;
        disks.opened(namespace, target, writer);
        subscriber.add(timer(stepMs).subscribe(step));
      };
      const connect = (): void => {
        if (isServed(pod)) begin();
        else if (server.now() - startedAt >= connectMs) {
          end(subscriber, 10, endMessage(10, size, 0, 'failed to connect'));
        } else subscriber.add(timer(pollMs).subscribe(connect));
      };
      subscriber.add(
        stop$.subscribe(() =>
          subscriber.add(timer(stopMs).subscribe(() => end(subscriber, 20, endMessage(20, size, 0, 'stopped')))),
        ),
      );
      connect();
    });

  return (pod, stop$) => {
    const role = pod.metadata.labels?.[labels.role];
    if (role === roles.server) return serve(pod, stop$);
    if (role === roles.client) return copy(pod, stop$);
    return undefined;
  };
};
