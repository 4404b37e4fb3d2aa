// Binds claims and protects them: a claim gets its capacity when it is made, or, with a class that waits for the first
// consumer, when a pod that mounts it has a node; a claim in use stays until no pod mounts it any more.
import type { Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { claimsOf } from '../kubevirt/attachmentPods.ts';
import { model } from '../kubevirt/model.ts';
import type { Claim, Pod } from '../kubevirt/objects.ts';
import { workQueue } from '../kubevirt/workQueue.ts';

export interface ClaimBinderOptions {
  readonly bindMs: number;
  /** Storage classes with volumeBindingMode WaitForFirstConsumer. */
  readonly waitForFirstConsumer: readonly string[];
}

const protection = 'kubernetes.io/pvc-protection';
const binder = 'persistentvolume-binder';

/** Runs binder and protection. */
export const claimBinder = (server: ApiServer, options: ClaimBinderOptions): Subscription => {
  const users = (claim: Claim): readonly Pod[] =>
    (server.all(resources.pods, claim.metadata.namespace) as readonly Pod[]).filter(
      (pod) => pod.spec.nodeName !== undefined && !model.isPodDown(pod) && claimsOf(pod).includes(claim.metadata.name),
    );

  const bind = (claim: Claim): void => {
    const waits = options.waitForFirstConsumer.includes(claim.spec.storageClassName ?? '');
    if (waits && users(claim).length === 0) return;
    const { namespace, name } = claim.metadata;
    const volumeName = claim.spec.volumeName ?? `pv-${namespace}-${name}`;
    const bound =
      claim.spec.volumeName === undefined
        ? model.as<Claim>(
            server.replace(resources.persistentVolumeClaims, { ...claim, spec: { ...claim.spec, volumeName } }, binder),
          )
        : claim;
    const capacity = { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' };
    const status = { phase: 'Bound', accessModes: claim.spec.accessModes ?? [], capacity };
    server.replace(resources.persistentVolumeClaims, { ...bound, status }, binder, { subresource: 'status' });
  };

  const release = (claim: Claim): void => {
    const held = claim.metadata.finalizers ?? [];
    if (!held.includes(protection) || users(claim).length > 0) return;
    const finalizers = held.filter((finalizer) => finalizer !== protection);
    const metadata = { ...claim.metadata, finalizers };
    server.replace(resources.persistentVolumeClaims, { ...claim, metadata }, 'pvc-protection-controller');
  };

  const queue = workQueue({
    reaction: () => options.bindMs,
    reconcile: (key) => {
      const [namespace = '', name = ''] = key.split('/');
      const claim = model.maybe<Claim>(server.read(resources.persistentVolumeClaims, { namespace, name }));
      if (claim === undefined) return;
      if (claim.metadata.deletionTimestamp !== undefined) release(claim);
      else if (claim.status?.phase !== 'Bound') bind(claim);
    },
  });

  server.admit(resources.persistentVolumeClaims, ({ operation, object }) => {
    if (operation !== 'create') return undefined;
    const finalizers = [...(object.metadata.finalizers ?? []).filter((name) => name !== protection), protection];
    return { ...object, metadata: { ...object.metadata, finalizers } };
  });
  const subscription = server.changes$.subscribe(({ resource, type, object }) => {
    const namespace = object.metadata.namespace ?? '';
    if (resource.plural === 'persistentvolumeclaims' && type !== 'deleted') {
      const claim = model.as<Claim>(object);
      if (claim.status?.phase !== 'Bound' || claim.metadata.deletionTimestamp !== undefined) {
        queue.wake(`${namespace}/${object.metadata.name}`);
      }
    } else if (resource.plural === 'pods') {
      for (const claim of claimsOf(model.as<Pod>(object))) {
        const known = model.maybe<Claim>(server.read(resources.persistentVolumeClaims, { namespace, name: claim }));
        if (known === undefined) continue;
        if (known.status?.phase !== 'Bound' || known.metadata.deletionTimestamp !== undefined) {
          queue.wake(`${namespace}/${claim}`);
        }
      }
    }
  });
  for (const claim of server.all(resources.persistentVolumeClaims)) {
    queue.wake(`${claim.metadata.namespace}/${claim.metadata.name}`);
  }
  subscription.add(() => queue.unsubscribe());
  return subscription;
};
