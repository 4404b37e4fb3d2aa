// The kubelets of all nodes: start a pod's containers once its claims are attached, report how they end, stop them when
// the pod is deleted (kill after the grace period) and remove the pod when that is done. A lost node does none of it.
import { asyncScheduler, Subject, Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import { identifiers } from '../apiServer/identifiers.ts';
import type { ApiServer } from '../cluster.ts';
import { model } from '../kubevirt/model.ts';
import type { Condition, Pod } from '../kubevirt/objects.ts';
import { attachments } from './attachments.ts';
import type { ContainerEnd, ContainerRunner } from './containerRunner.ts';

export interface KubeletOptions {
  readonly startMs: number;
  /** From the end of a deleted pod's containers to its removal. */
  readonly removeMs: number;
  readonly runner: ContainerRunner;
  readonly isLost: (node: string) => boolean;
}

export interface Kubelet {
  readonly subscription: Subscription;
  /** Catches up with what a node missed. */
  wakeNode(node: string): void;
}

interface Running {
  pod: Pod;
  stage: 'waiting' | 'starting' | 'running' | 'ended';
  stopping: boolean;
  /** How its containers ended; undefined while they run and when there never were any. */
  end: ContainerEnd | undefined;
  readonly stop$: Subject<void>;
  readonly work: Subscription;
}

const kubelet = 'kubelet';

const conditionsOf = (ready: boolean): readonly Condition[] =>
  ['PodScheduled', 'Initialized', 'Ready', 'ContainersReady'].map((type, index) => ({
    type,
    status: index < 2 || ready ? 'True' : 'False',
  }));

/** Runs the kubelets. */
export const kubelets = (server: ApiServer, options: KubeletOptions): Kubelet => {
  const pods = new Map<string, Running>();
  const attached = attachments(server);
  const all = new Subscription();
  const later = (running: Running, ms: number, act: () => void): void => {
    running.work.add(asyncScheduler.schedule(act, ms));
  };
  const current = (pod: Pod): Pod | undefined => {
    const found = model.maybe<Pod>(server.read(resources.pods, pod.metadata));
    return found?.metadata.uid === pod.metadata.uid ? found : undefined;
  };
  const report = (pod: Pod, status: object): void => {
    const found = current(pod);
    if (found === undefined) return;
    server.replace(resources.pods, { ...found, status: { ...found.status, ...status } }, kubelet, {
      subresource: 'status',
    });
  };
  const isLost = ({ pod }: Running): boolean => options.isLost(pod.spec.nodeName ?? '');
  const containersOf = (pod: Pod): readonly { readonly name: string; readonly image: string }[] =>
    pod.spec['containers'] as readonly { readonly name: string; readonly image: string }[];

  const remove = (running: Running): void =>
    later(running, options.removeMs, () => {
      const pod = current(running.pod);
      if (pod === undefined || isLost(running)) return;
      server.remove(resources.pods, pod.metadata, kubelet, { uid: pod.metadata.uid, gracePeriodSeconds: 0 });
    });

  const reportEnd = (running: Running): void => {
    const { exitCode, message } = running.end ?? { exitCode: 0 };
    const finishedAt = identifiers.timestamp(server.now());
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const terminated = { exitCode, reason, finishedAt, ...(message === undefined ? {} : { message }) };
    report(running.pod, {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      conditions: conditionsOf(false),
      containerStatuses: containersOf(running.pod).map(({ name, image }) => ({
        name,
        image,
        ready: false,
        started: false,
        restartCount: 0,
        state: { terminated },
      })),
    });
  };

  const ended = (running: Running, end: ContainerEnd): void => {
    running.stage = 'ended';
    running.end = end;
    attached.detach(running.pod);
    if (isLost(running)) return;
    reportEnd(running);
    if (running.stopping) remove(running);
    retryWaiting();
  };

  const start = (running: Running): void => {
    if (running.stage !== 'starting' || running.stopping || isLost(running)) return;
    const found = current(running.pod);
    if (found === undefined) return;
    running.stage = 'running';
    const startedAt = identifiers.timestamp(server.now());
    report(found, {
      phase: 'Running',
      conditions: conditionsOf(true),
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }],
      startTime: startedAt,
      containerStatuses: containersOf(found).map(({ name, image }) => ({
        name,
        image,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt } },
      })),
    });
    let last: ContainerEnd | undefined;
    const run$ = options.runner(current(found) ?? found, running.stop$);
    if (run$ === undefined) return;
    running.work.add(
      run$.subscribe({
        next: (end) => {
          last = end;
        },
        complete: () => {
          if (last !== undefined && running.stage === 'running') ended(running, last);
        },
      }),
    );
  };

  const tryStart = (running: Running): void => {
    if (running.stage !== 'waiting' || running.stopping || isLost(running)) return;
    const found = current(running.pod);
    if (found === undefined || attached.attach(found) !== undefined) return;
    running.stage = 'starting';
    later(running, options.startMs, () => start(running));
  };

  const retryWaiting = (): void => {
    for (const running of pods.values()) tryStart(running);
  };

  const stop = (running: Running, graceMs: number): void => {
    if (running.stopping || isLost(running)) return;
    running.stopping = true;
    if (running.stage === 'running') {
      running.stop$.next();
      later(running, graceMs, () => {
        if (running.stage === 'running') ended(running, { exitCode: 137, message: 'killed' });
      });
      return;
    }
    if (running.stage === 'starting') attached.detach(running.pod);
    running.stage = 'ended';
    remove(running);
    retryWaiting();
  };

  const gone = (uid: string): void => {
    const running = pods.get(uid);
    if (running === undefined) return;
    if (running.stage === 'starting' || running.stage === 'running') attached.detach(running.pod);
    running.stage = 'ended';
    running.work.unsubscribe();
    pods.delete(uid);
    retryWaiting();
  };

  const see = (pod: Pod): void => {
    const { uid, deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    if (pod.spec.nodeName === undefined) return;
    let running = pods.get(uid);
    if (running === undefined) {
      const stage = model.isPodDown(pod) ? 'ended' : 'waiting';
      running = { pod, stage, stopping: false, end: undefined, stop$: new Subject(), work: new Subscription() };
      pods.set(uid, running);
      all.add(running.work);
    }
    running.pod = pod;
    if (deletionTimestamp === undefined) tryStart(running);
    else stop(running, (deletionGracePeriodSeconds ?? 30) * 1000);
  };

  all.add(
    server.changes$.subscribe(({ resource, type, object }) => {
      if (resource.plural === 'persistentvolumeclaims' && type === 'modified') retryWaiting();
      if (resource.plural !== 'pods') return;
      if (type === 'deleted') gone(object.metadata.uid ?? '');
      else see(model.as<Pod>(object));
    }),
  );
  for (const pod of server.all(resources.pods)) see(model.as<Pod>(pod));
  return {
    subscription: all,
    wakeNode: (node) => {
      for (const running of pods.values()) {
        const pod = running.pod.spec.nodeName === node ? current(running.pod) : undefined;
        if (pod === undefined) continue;
        if (running.stage === 'ended' && running.end !== undefined && !model.isPodDown(pod)) reportEnd(running);
        if (running.stage === 'ended' && running.stopping) remove(running);
        else see(pod);
      }
    },
  };
};
