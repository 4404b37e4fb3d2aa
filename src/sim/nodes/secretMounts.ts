// The Secrets a pod mounts, as a kubelet finds them: until each exists with every key that is asked for, the pod waits
// in ContainerCreating, and an Event FailedMount says so, one for each reason, counted up.
import { KubeFailure, type KubeObject, type Resource } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import { identifiers } from '../apiServer/identifiers.ts';
import type { ApiServer } from '../cluster.ts';
import type { Pod, PodVolume } from '../kubevirt/objects.ts';

/** The `secret` of a volume. */
export interface SecretSource {
  readonly secretName: string;
  readonly defaultMode?: number;
  readonly optional?: boolean;
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[];
}

/** Values by key, as base64. */
export type SecretData = Readonly<Record<string, string>>;

export interface SecretMounts {
  /** Why the pod's Secrets cannot be mounted yet, in the kubelet's words; undefined: they can. */
  obstacle(pod: Pod): string | undefined;
  /** Writes the Event about it. */
  tell(pod: Pod, obstacle: string): void;
}

const events: Resource = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

/** What a Secret holds; undefined when there is none. */
export const secretData = (server: ApiServer, namespace: string, name: string): SecretData | undefined => {
  const secret = server.read(resources.secrets, { namespace, name });
  return secret === undefined ? undefined : ((secret['data'] as SecretData | undefined) ?? {});
};

const obstacleOf = (server: ApiServer, namespace: string, volume: PodVolume): string | undefined => {
  const source = volume['secret'] as SecretSource | undefined;
  if (source === undefined || source.optional === true) return undefined;
  const failed = `MountVolume.SetUp failed for volume "${volume.name}" : `;
  const data = secretData(server, namespace, source.secretName);
  if (data === undefined) return `${failed}secret "${source.secretName}" not found`;
  const lacking = source.items?.find(({ key }) => data[key] === undefined);
  return lacking === undefined ? undefined : `${failed}references non-existent secret key: ${lacking.key}`;
};

const eventOf = (server: ApiServer, pod: Pod, name: string, message: string): KubeObject => {
  const { namespace, name: podName, uid, resourceVersion } = pod.metadata;
  const at = identifiers.timestamp(server.now());
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: podName, uid, resourceVersion },
    reason: 'FailedMount',
    type: 'Warning',
    message,
    source: { component: 'kubelet', host: pod.spec.nodeName },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
};

/** Looks at Secrets in the name of the kubelets. */
export const secretMounts = (server: ApiServer): SecretMounts => {
  const told = new Map<string, string>();
  return {
    obstacle: (pod) => {
      for (const volume of pod.spec.volumes ?? []) {
        const found = obstacleOf(server, pod.metadata.namespace, volume);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    tell: (pod, obstacle) => {
      const { namespace, name: podName, uid } = pod.metadata;
      const key = `${uid} ${obstacle}`;
      const name = told.get(key) ?? `${podName}.${server.now().toString(16)}${told.size}`;
      told.set(key, name);
      try {
        const before = server.read(events, { namespace, name });
        if (before === undefined) server.create(events, eventOf(server, pod, name, obstacle), 'kubelet');
        else {
          const count = Number(before['count']) + 1;
          const body = { count, lastTimestamp: identifiers.timestamp(server.now()) };
          server.patch(events, { namespace, name }, { type: 'merge', body }, 'kubelet');
        }
      } catch (failure) {
        // A namespace that is being deleted takes no new events.
        if (!(failure instanceof KubeFailure)) throw failure;
      }
    },
  };
};
