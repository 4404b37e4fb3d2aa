// The scheduler: gives a pod the first node that it may run on, some time after it was made. It looks at node selectors
// required anti-affinity and where volumes can be reached, but, as the real one, not at where a ReadWriteOnce claim is
// attached.
import type { Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import { identifiers } from '../apiServer/identifiers.ts';
import type { ApiServer } from '../cluster.ts';
import { model } from '../kubevirt/model.ts';
import type { Pod } from '../kubevirt/objects.ts';
import { workQueue } from '../kubevirt/workQueue.ts';
import { canMountFrom } from './volumeNodes.ts';

export interface SchedulerOptions {
  readonly nodes: readonly string[];
  readonly scheduleMs: number;
  /** Nodes that take no new pods. */
  readonly isClosed: (node: string) => boolean;
  /** Pods that stay Pending for now. */
  readonly isHeld: (pod: Pod) => boolean;
}

interface AntiAffinity {
  readonly podAntiAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly {
      readonly labelSelector?: {
        readonly matchExpressions?: readonly { readonly key: string; readonly values?: readonly string[] }[];
        readonly matchLabels?: Readonly<Record<string, string>>;
      };
    }[];
  };
}

const avoids = (pod: Pod, other: Pod): boolean => {
  const terms = (pod.spec['affinity'] as AntiAffinity | undefined)?.podAntiAffinity;
  const labels = other.metadata.labels ?? {};
  return (terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(({ labelSelector }) => {
    const expressions = labelSelector?.matchExpressions ?? [];
    const exact = Object.entries(labelSelector?.matchLabels ?? {});
    return (
      expressions.length + exact.length > 0 &&
      expressions.every(({ key, values }) => (values ?? []).includes(labels[key] ?? '')) &&
      exact.every(([key, value]) => labels[key] === value)
    );
  });
};

const nodeFor = (server: ApiServer, pod: Pod, { nodes, isClosed }: SchedulerOptions): string | undefined => {
  const asked = pod.spec.nodeSelector?.['kubernetes.io/hostname'];
  const placed = (server.all(resources.pods, pod.metadata.namespace) as readonly Pod[]).filter(
    (other) => other.spec.nodeName !== undefined && !model.isPodDown(other),
  );
  return nodes.find(
    (node) =>
      !isClosed(node) &&
      (asked === undefined || asked === node) &&
      canMountFrom(server, pod, node) &&
      !placed.some((other) => other.spec.nodeName === node && avoids(pod, other)),
  );
};

/** Runs the scheduler; `wakeAll` makes it look at every waiting pod again. */
export const scheduler = (
  server: ApiServer,
  options: SchedulerOptions,
): { readonly subscription: Subscription; readonly wakeAll: () => void } => {
  const waiting = new Set<string>();

  const whyNot = (pod: Pod): string => {
    const { length } = options.nodes;
    const unreachable = options.nodes.filter((node) => !canMountFrom(server, pod, node)).length;
    if (unreachable === 0) return `0/${length} nodes are available.`;
    return `0/${length} nodes are available: ${unreachable} node(s) had volume node affinity conflict.`;
  };
  const setScheduled = (pod: Pod, scheduled: boolean): void => {
    const made = {
      type: 'PodScheduled',
      status: scheduled ? ('True' as const) : ('False' as const),
      ...(scheduled ? {} : { reason: 'Unschedulable', message: whyNot(pod) }),
      lastTransitionTime: identifiers.timestamp(server.now()),
    };
    const conditions = model.withCondition(pod.status?.conditions, made);
    if (conditions === pod.status?.conditions) return;
    const status = { ...pod.status, conditions };
    server.replace(resources.pods, { ...pod, status }, 'kube-scheduler', { subresource: 'status' });
  };

  const queue = workQueue({
    reaction: () => options.scheduleMs,
    reconcile: (key) => {
      const [namespace = '', name = ''] = key.split('/');
      const pod = model.maybe<Pod>(server.read(resources.pods, { namespace, name }));
      if (pod === undefined || pod.spec.nodeName !== undefined || pod.metadata.deletionTimestamp !== undefined) {
        waiting.delete(key);
        return;
      }
      if (options.isHeld(pod)) return;
      const node = nodeFor(server, pod, options);
      if (node === undefined) return setScheduled(pod, false);
      waiting.delete(key);
      const spec = { ...pod.spec, nodeName: node };
      setScheduled(model.as<Pod>(server.replace(resources.pods, { ...pod, spec }, 'kube-scheduler')), true);
    },
  });

  const wakeAll = (): void => {
    for (const key of waiting) queue.wake(key);
  };
  const consider = (pod: Pod): void => {
    if (pod.spec.nodeName !== undefined || waiting.has(`${pod.metadata.namespace}/${pod.metadata.name}`)) return;
    waiting.add(`${pod.metadata.namespace}/${pod.metadata.name}`);
    queue.wake(`${pod.metadata.namespace}/${pod.metadata.name}`);
  };
  const subscription = server.changes$.subscribe(({ resource, type, object }) => {
    if (resource.plural !== 'pods') return;
    const pod = model.as<Pod>(object);
    if (type === 'deleted') waiting.delete(`${pod.metadata.namespace}/${pod.metadata.name}`);
    else if (type === 'added') consider(pod);
    if (type === 'deleted' || model.isPodDown(pod)) wakeAll();
  });
  for (const pod of server.all(resources.pods)) consider(model.as<Pod>(pod));
  subscription.add(() => queue.unsubscribe());
  return { subscription, wakeAll };
};
