// On which node each claim is attached. A claim that only one node may use (ReadWriteOnce) keeps a pod on another node
// in ContainerCreating until every pod that uses it has ended; ReadWriteOncePod does so with any other pod.
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { claimsOf } from '../kubevirt/attachmentPods.ts';
import type { Claim, Pod } from '../kubevirt/objects.ts';

export interface Attachments {
  /** Attaches all claims of a pod on its node, or none; the claim that is in the way, or missing, is returned. */
  attach(pod: Pod): string | undefined;
  detach(pod: Pod): void;
}

interface Held {
  readonly node: string;
  readonly pods: Set<string>;
}

/** Keeps the attachments of one simulated cluster. */
export const attachments = (server: ApiServer): Attachments => {
  const held = new Map<string, Held>();

  const obstacle = (pod: Pod, claimName: string): string | undefined => {
    const { namespace } = pod.metadata;
    const claim = server.read(resources.persistentVolumeClaims, { namespace, name: claimName }) as Claim | undefined;
    if (claim === undefined || claim.status?.phase !== 'Bound') return claimName;
    const modes = claim.spec.accessModes ?? [];
    const already = held.get(`${namespace}/${claimName}`);
    if (already === undefined || already.pods.has(pod.metadata.uid)) return undefined;
    if (modes.includes('ReadWriteOncePod')) return claimName;
    const shared = modes.includes('ReadWriteMany') || modes.includes('ReadOnlyMany');
    return !shared && already.node !== pod.spec.nodeName ? claimName : undefined;
  };

  return {
    attach: (pod) => {
      const claims = claimsOf(pod);
      const blocked = claims.find((claim) => obstacle(pod, claim) !== undefined);
      if (blocked !== undefined) return blocked;
      for (const claim of claims) {
        const key = `${pod.metadata.namespace}/${claim}`;
        const entry = held.get(key) ?? { node: pod.spec.nodeName ?? '', pods: new Set<string>() };
        entry.pods.add(pod.metadata.uid);
        held.set(key, entry);
      }
      return undefined;
    },
    detach: (pod) => {
      for (const claim of claimsOf(pod)) {
        const key = `${pod.metadata.namespace}/${claim}`;
        const entry = held.get(key);
        entry?.pods.delete(pod.metadata.uid);
        if (entry?.pods.size === 0) held.delete(key);
      }
    },
  };
};
