// What the objects of a machine are made of, whatever their kind: about as many fields and bytes as the real controllers
// leave, so that reading and keeping them costs what it costs in a real cluster.
import type { KubeObject } from '../../../kube/api.ts';
import type { resources } from '../../../kube/resources.ts';
import type { Json } from '../../cluster.ts';

/** When everything happened. */
export const since = '2026-11-02T09:14:31Z';

export const objectOf = (
  resource: (typeof resources)[keyof typeof resources],
  metadata: Json,
  rest: Json,
): KubeObject =>
  ({
    apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata,
    ...rest,
  }) as unknown as KubeObject;

export const condition = (type: string, status: string, more: Json = {}): Json => ({
  type,
  status,
  lastProbeTime: null,
  lastTransitionTime: since,
  ...more,
});

/** What VM and VMI say of a guest that runs and may be migrated. */
export const runningWell: readonly Json[] = ['Ready', 'LiveMigratable', 'StorageLiveMigratable', 'AgentConnected'].map(
  (type) => condition(type, 'True'),
);

export const ownedBy = (kind: string, name: string, uid: string): Json => ({
  apiVersion: 'kubevirt.io/v1',
  kind,
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});
