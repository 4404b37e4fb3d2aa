// The virt-launcher containers on all nodes, as the kubelet runs them: each ends when virt-handler says so; one that the
// kubelet asks to stop passes that on, for the guest in it has to be shut down first.
import { Observable } from 'rxjs';
import type { ContainerEnd, ContainerRunner } from '../nodes/containerRunner.ts';
import type { Pod } from './objects.ts';

export interface Launchers {
  readonly runner: ContainerRunner;
  /** Runs and was not told to end. */
  isAlive(podUid: string): boolean;
  isStopping(podUid: string): boolean;
  end(podUid: string, exitCode: number): void;
  pod(podUid: string): Pod | undefined;
}

export interface LauncherEvents {
  readonly started: (pod: Pod) => void;
  /** The kubelet asks it to stop. */
  readonly stopAsked: (pod: Pod) => void;
  /** It is gone, ended or killed. */
  readonly gone: (pod: Pod) => void;
}

/** Keeps the launchers; the events are called as they happen. */
export const launchersOf = (events: LauncherEvents): Launchers => {
  const alive = new Map<string, { readonly pod: Pod; stopping: boolean; readonly end: (exitCode: number) => void }>();
  return {
    runner: (pod, stop$) => {
      if (pod.metadata.labels?.['kubevirt.io'] !== 'virt-launcher') return undefined;
      return new Observable<ContainerEnd>((subscriber) => {
        const { uid } = pod.metadata;
        const launcher = {
          pod,
          stopping: false,
          end: (exitCode: number) => {
            subscriber.next({ exitCode });
            subscriber.complete();
          },
        };
        alive.set(uid, launcher);
        subscriber.add(() => {
          alive.delete(uid);
          events.gone(pod);
        });
        subscriber.add(
          stop$.subscribe(() => {
            launcher.stopping = true;
            events.stopAsked(pod);
          }),
        );
        events.started(pod);
      });
    },
    isAlive: (uid) => alive.has(uid),
    isStopping: (uid) => alive.get(uid)?.stopping === true,
    end: (uid, exitCode) => alive.get(uid)?.end(exitCode),
    pod: (uid) => alive.get(uid)?.pod,
  };
};
