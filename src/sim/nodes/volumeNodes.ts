// From which nodes the volume behind a claim can be reached: a volume on one node's own disks says so in the node
// affinity of its PersistentVolume; everything else can be reached from everywhere.
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { claimsOf } from '../kubevirt/attachmentPods.ts';
import type { Claim, Pod } from '../kubevirt/objects.ts';

export const persistentVolumes = {
  group: '',
  version: 'v1',
  plural: 'persistentvolumes',
  kind: 'PersistentVolume',
  namespaced: false,
} as const;

interface VolumeSpec {
  readonly nodeAffinity?: {
    readonly required?: {
      readonly nodeSelectorTerms?: readonly {
        readonly matchExpressions?: readonly { readonly key: string; readonly values?: readonly string[] }[];
      }[];
    };
  };
}

const hostname = 'kubernetes.io/hostname';

/** Whether every claim that the pod mounts can be reached from `node`. */
export const canMountFrom = (server: ApiServer, pod: Pod, node: string): boolean =>
  claimsOf(pod).every((name) => {
    const { namespace } = pod.metadata;
    const claim = server.read(resources.persistentVolumeClaims, { namespace, name }) as Claim | undefined;
    const volume = server.read(persistentVolumes, { name: claim?.spec.volumeName ?? '' });
    const terms = (volume?.['spec'] as VolumeSpec | undefined)?.nodeAffinity?.required?.nodeSelectorTerms;
    if (terms === undefined) return true;
    return terms.some(({ matchExpressions = [] }) =>
      matchExpressions.every(({ key, values = [] }) => key !== hostname || values.includes(node)),
    );
  });
