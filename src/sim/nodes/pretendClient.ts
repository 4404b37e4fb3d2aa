// A client that pretends: it reads its source from start to end while its server runs. What is read is what the source
// holds at that moment, so a source that changes meanwhile gives a copy that is no copy.
import { Observable, timer } from 'rxjs';
import { annotations } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { claimsOf } from '../kubevirt/attachmentPods.ts';
import { model } from '../kubevirt/model.ts';
import type { Pod } from '../kubevirt/objects.ts';
import type { ContainerEnd } from './containerRunner.ts';
import type { Disks } from './disks.ts';
import { type Digests, digestOf, endRecord, logLine, progressLine, sizeOf } from './pretendWords.ts';

/** A copy that fails: after this share of it was done (0 to 1), with rsync's exit code. */
export interface CopyFailure {
  readonly exitCode: number;
  readonly share: number;
  readonly message?: string;
}

export interface PretendClient {
  readonly pod: Pod;
  /** How long the disk takes, how long the server is tried to be reached, and how long stopping takes, in ms. */
  readonly durationMs: number;
  readonly connectMs: number;
  readonly stopMs: number;
  readonly failure: CopyFailure | undefined;
  /** Takes each line as it is written. */
  readonly say: (line: string) => void;
}

const parts = 4;
const pollMs = 100;

const isToVerify = ({ spec }: Pod): boolean =>
  (spec['containers'] as readonly { readonly args?: readonly string[] }[]).some(({ args }) =>
    args?.includes('--verify'),
  );

/** Whether the client's server runs and has its target. */
const isServed = (server: ApiServer, pod: Pod): boolean => {
  const name = pod.metadata.annotations?.[annotations.server] ?? '';
  const target = pod.metadata.annotations?.[annotations.target] ?? '';
  const found = model.maybe<Pod>(server.read(resources.pods, { namespace: pod.metadata.namespace, name }));
  return found?.status?.phase === 'Running' && claimsOf(found).includes(target);
};

/** Copies until it is through, fails or is stopped. */
export const pretendClient = (
  server: ApiServer,
  disks: Disks,
  client: PretendClient,
  stop$: Observable<void>,
): Observable<ContainerEnd> =>
  new Observable((subscriber) => {
    const { pod, durationMs, connectMs, stopMs, failure, say } = client;
    const { namespace, name } = pod.metadata;
    const source = pod.metadata.annotations?.[annotations.source] ?? '';
    const target = pod.metadata.annotations?.[annotations.target] ?? '';
    const writer = `rsync ${name}`;
    const size = sizeOf(server.read(resources.persistentVolumeClaims, { namespace, name: source }));
    const startedAt = server.now();
    let done = 0;
    let opened = false;
    let matched = 0;
    const later = (ms: number, act: () => void): void => subscriber.add(timer(ms).subscribe(act));
    subscriber.add(() => {
      if (opened) disks.closed(namespace, target, writer);
    });

    const end = (exitCode: number, err = '', digests: Digests = {}): void => {
      const message = endRecord(exitCode, size, exitCode === 0 ? matched : 0, err, digests);
      say(`${message}\n`);
      subscriber.next({ exitCode, message });
      subscriber.complete();
    };
    const digests = (): Digests => {
      if (!isToVerify(pod)) return {};
      const [sourceDigest, targetDigest] = [source, target].map((claim) => digestOf(disks.content(namespace, claim)));
      return { ...(sourceDigest && { sourceDigest }), ...(targetDigest && { targetDigest }) };
    };
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
      say(progressLine(size, done / parts, durationMs));
      later(durationMs / parts, step);
    };
    const step = (): void => {
      if (!isServed(server, pod)) end(12, 'connection unexpectedly closed');
      else if (!claimsOf(pod).includes(source)) end(23, 'source not mounted');
      else if (failure !== undefined && done / parts >= failure.share) {
        end(failure.exitCode, failure.message ?? 'failed');
      } else if (done === parts) end(0, '', digests());
      else copyNext();
    };
    const begin = (): void => {
      if (subscriber.closed) return;
      opened = true;
      disks.opened(namespace, target, writer);
      say(progressLine(size, 0, durationMs));
      later(durationMs / parts, step);
    };
    const connect = (): void => {
      if (isServed(server, pod)) begin();
      else if (server.now() - startedAt >= connectMs) end(10, 'failed to connect');
      else later(pollMs, connect);
    };
    subscriber.add(stop$.subscribe(() => later(stopMs, () => end(20, 'stopped'))));
    say(logLine('The client has started'));
    connect();
  });
