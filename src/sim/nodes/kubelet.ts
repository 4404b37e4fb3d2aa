// The kubelets of all nodes: start a pod's containers once its claims are attached and its Secrets are there, report how
// they end, stop them when the pod is deleted (kill after the grace period) and remove the pod when that is done. A lost
// node does none of it.
import { asyncScheduler, Subject, Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { model } from '../kubevirt/model.ts';
import type { Pod } from '../kubevirt/objects.ts';
import { attachments } from './attachments.ts';
import type { ContainerEnd, ContainerRunner } from './containerRunner.ts';
import { podReports } from './podReports.ts';
import { secretMounts } from './secretMounts.ts';

export interface KubeletOptions {
  readonly startMs: number;
  /** From the end of a deleted pod's containers to its removal. */
  readonly removeMs: number;
  /** How long it first waits for a Secret that is missing; twice as long each time after. */
  readonly mountRetryMs: number;
  /** The address of the next pod. */
  readonly nextAddress: () => string;
  readonly runner: ContainerRunner;
  readonly isLost: (node: string) => boolean;
  /** Its containers are not started, as if their image were still on its way; ask again with `startHeld`. */
  readonly isHeld: (pod: Pod) => boolean;
}

export interface Kubelet {
  readonly subscription: Subscription;
  /** Catches up with what a node missed. */
  wakeNode(node: string): void;
  /** Starts the containers that are not held back any more. */
  startHeld(): void;
}

interface Running {
  pod: Pod;
  /** From `mounting` to `running` its claims are attached. */
  stage: 'waiting' | 'mounting' | 'starting' | 'running' | 'ended';
  stopping: boolean;
  /** It would run, were it not held back. */
  held: boolean;
  /** How its containers ended; undefined while they run and when there never were any. */
  end: ContainerEnd | undefined;
  readonly stop$: Subject<void>;
  readonly work: Subscription;
  /** Its containers; unsubscribing kills them. */
  readonly containers: Subscription;
}

const kubelet = 'kubelet';

/** The longest that a kubelet waits between two tries to mount. */
const longestMountWaits = 2 ** 8;

/** Runs the kubelets. */
export const kubelets = (server: ApiServer, options: KubeletOptions): Kubelet => {
  const pods = new Map<string, Running>();
  const attached = attachments(server);
  const secrets = secretMounts(server);
  const reports = podReports(server);
  const { current } = reports;
  const all = new Subscription();
  const later = (running: Running, ms: number, act: () => void): void => {
    running.work.add(asyncScheduler.schedule(act, ms));
  };
  const isLost = ({ pod }: Running): boolean => options.isLost(pod.spec.nodeName ?? '');
  const remove = (running: Running): void =>
    later(running, options.removeMs, () => {
      const pod = current(running.pod);
      if (pod === undefined || isLost(running)) return;
      server.remove(resources.pods, pod.metadata, kubelet, { uid: pod.metadata.uid, gracePeriodSeconds: 0 });
    });

  const reportEnd = ({ pod, end }: Running): void => reports.ended(pod, end ?? { exitCode: 0 });

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
    running.held = options.isHeld(running.pod);
    if (found === undefined || running.held) return;
    running.stage = 'running';
    reports.runs(found);
    let last: ContainerEnd | undefined;
    const run$ = options.runner(current(found) ?? found, running.stop$);
    if (run$ === undefined) return;
    running.containers.add(
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
    running.stage = 'mounting';
    mount(running, options.mountRetryMs);
  };

  const mount = (running: Running, retryMs: number): void => {
    const pod = current(running.pod);
    if (running.stage !== 'mounting' || running.stopping || pod === undefined) return;
    if (isLost(running)) {
      running.stage = 'waiting';
      return;
    }
    const obstacle = secrets.obstacle(pod);
    if (obstacle === undefined) {
      running.stage = 'starting';
      reports.hasAddress(pod, options.nextAddress());
      later(running, options.startMs, () => start(running));
      return;
    }
    reports.waits(pod);
    secrets.tell(pod, obstacle);
    const nextMs = Math.min(retryMs * 2, options.mountRetryMs * longestMountWaits);
    later(running, retryMs, () => mount(running, nextMs));
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
        if (running.stage !== 'running') return;
        running.containers.unsubscribe();
        ended(running, { exitCode: 137, message: 'killed' });
      });
      return;
    }
    attached.detach(running.pod);
    running.stage = 'ended';
    remove(running);
    retryWaiting();
  };

  const gone = (uid: string): void => {
    const running = pods.get(uid);
    if (running === undefined) return;
    attached.detach(running.pod);
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
      const [work, containers] = [new Subscription(), new Subscription()];
      running = { pod, stage, stopping: false, held: false, end: undefined, stop$: new Subject(), work, containers };
      pods.set(uid, running);
      work.add(containers);
      all.add(work);
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
    startHeld: () => {
      for (const running of pods.values()) if (running.held) start(running);
    },
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
