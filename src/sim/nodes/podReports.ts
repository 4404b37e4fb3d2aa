// What kubelets write into the status of a pod: that its containers wait, that they run and at which address, and how
// they ended. A pod that is gone, or was made anew under its name, is left alone.
import { resources } from '../../kube/resources.ts';
import { identifiers } from '../apiServer/identifiers.ts';
import type { ApiServer } from '../cluster.ts';
import { model } from '../kubevirt/model.ts';
import type { Condition, Pod } from '../kubevirt/objects.ts';
import type { ContainerEnd } from './containerRunner.ts';

export interface PodReports {
  /** The pod as it is now; undefined when it is gone. */
  current(pod: Pod): Pod | undefined;
  /** Its volumes are not mounted yet. */
  waits(pod: Pod): void;
  /** The network is there before the containers are. */
  hasAddress(pod: Pod, address: string): void;
  runs(pod: Pod): void;
  ended(pod: Pod, end: ContainerEnd): void;
}

interface Container {
  readonly name: string;
  readonly image: string;
}

const kubelet = 'kubelet';

const conditionsOf = (ready: boolean): readonly Condition[] =>
  ['PodScheduled', 'Initialized', 'Ready', 'ContainersReady'].map((type, index) => ({
    type,
    status: index < 2 || ready ? 'True' : 'False',
  }));

const statusesOf = (pod: Pod, running: boolean, state: object): readonly object[] =>
  (pod.spec['containers'] as readonly Container[]).map(({ name, image }) => ({
    name,
    image,
    ready: running,
    started: running,
    restartCount: 0,
    state,
  }));

/** Reports in the name of the kubelets. */
export const podReports = (server: ApiServer): PodReports => {
  const current = (pod: Pod): Pod | undefined => {
    const found = model.maybe<Pod>(server.read(resources.pods, pod.metadata));
    return found?.metadata.uid === pod.metadata.uid ? found : undefined;
  };
  const report = (pod: Pod, status: object): void => {
    const found = current(pod);
    if (found === undefined) return;
    const next = { ...found, status: { ...found.status, ...status } };
    server.replace(resources.pods, next, kubelet, { subresource: 'status' });
  };
  const stamp = (): string => identifiers.timestamp(server.now());
  return {
    current,
    waits: (pod) => {
      if (current(pod)?.status?.['containerStatuses'] !== undefined) return;
      report(pod, { containerStatuses: statusesOf(pod, false, { waiting: { reason: 'ContainerCreating' } }) });
    },
    hasAddress: (pod, address) => {
      const containerStatuses = statusesOf(pod, false, { waiting: { reason: 'ContainerCreating' } });
      report(pod, { podIP: address, podIPs: [{ ip: address }], containerStatuses });
    },
    runs: (pod) => {
      const startedAt = stamp();
      report(pod, {
        phase: 'Running',
        conditions: conditionsOf(true),
        startTime: startedAt,
        containerStatuses: statusesOf(pod, true, { running: { startedAt } }),
      });
    },
    ended: (pod, { exitCode, message }) => {
      const reason = exitCode === 0 ? 'Completed' : 'Error';
      const said = message === undefined ? {} : { message };
      report(pod, {
        phase: exitCode === 0 ? 'Succeeded' : 'Failed',
        conditions: conditionsOf(false),
        containerStatuses: statusesOf(pod, false, {
          terminated: { exitCode, reason, finishedAt: stamp(), ...said },
        }),
      });
    },
  };
};
