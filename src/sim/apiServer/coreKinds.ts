// The kinds that every cluster serves and that matter here, with short names and the columns of `kubectl get`. Columns
// that a server computes (READY of a pod) are made where tables are made (sim/http).
import type { Resource } from '../../kube/api.ts';
import type { KindOptions, PrinterColumn } from '../cluster.ts';

const resource = (group: string, version: string, plural: string, kind: string, namespaced = true): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced,
});

const kind = (served: Resource, more: Partial<KindOptions> = {}): KindOptions => ({
  resource: served,
  singular: served.kind.toLowerCase(),
  ...more,
});

const column = (
  name: string,
  jsonPath: string,
  type: PrinterColumn['type'] = 'string',
  priority = 0,
): PrinterColumn => ({ name, type, jsonPath, priority });

const age = column('Age', '.metadata.creationTimestamp', 'date');
const rbac = 'rbac.authorization.k8s.io';

/** Namespaces themselves: every namespaced object needs one. */
export const namespaces = resource('', 'v1', 'namespaces', 'Namespace', false);

/** Through which further kinds come. */
export const customResourceDefinitions = resource(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
);

/** Every kind that a new server serves. */
export const coreKinds: readonly KindOptions[] = [
  kind(namespaces, { shortNames: ['ns'], status: true, columns: [column('Status', '.status.phase'), age] }),
  kind(customResourceDefinitions, {
    shortNames: ['crd', 'crds'],
    status: true,
    generation: true,
    columns: [column('Created At', '.metadata.creationTimestamp')],
  }),
  kind(resource('', 'v1', 'pods', 'Pod'), { shortNames: ['po'], status: true, graceful: true }),
  kind(resource('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim'), { shortNames: ['pvc'], status: true }),
  kind(resource('', 'v1', 'persistentvolumes', 'PersistentVolume', false), { shortNames: ['pv'], status: true }),
  kind(resource('', 'v1', 'secrets', 'Secret')),
  kind(resource('', 'v1', 'services', 'Service'), {
    shortNames: ['svc'],
    status: true,
    columns: [column('Type', '.spec.type'), column('Cluster-IP', '.spec.clusterIP'), age],
  }),
  kind(resource('', 'v1', 'serviceaccounts', 'ServiceAccount'), { shortNames: ['sa'] }),
  kind(resource('', 'v1', 'configmaps', 'ConfigMap'), { shortNames: ['cm'] }),
  kind(resource('', 'v1', 'nodes', 'Node', false), { shortNames: ['no'], status: true }),
  kind(resource('', 'v1', 'events', 'Event'), { shortNames: ['ev'] }),
  kind(resource('events.k8s.io', 'v1', 'events', 'Event'), { shortNames: ['ev'] }),
  kind(resource('coordination.k8s.io', 'v1', 'leases', 'Lease'), {
    columns: [column('Holder', '.spec.holderIdentity'), age],
  }),
  kind(resource('apps', 'v1', 'deployments', 'Deployment'), {
    shortNames: ['deploy'],
    status: true,
    generation: true,
  }),
  kind(resource(rbac, 'v1', 'clusterroles', 'ClusterRole', false), {
    columns: [column('Created At', '.metadata.creationTimestamp')],
  }),
  kind(resource(rbac, 'v1', 'clusterrolebindings', 'ClusterRoleBinding', false), {
    columns: [column('Role', '.roleRef.name'), age],
  }),
  kind(resource(rbac, 'v1', 'roles', 'Role'), { columns: [column('Created At', '.metadata.creationTimestamp')] }),
  kind(resource(rbac, 'v1', 'rolebindings', 'RoleBinding'), { columns: [column('Role', '.roleRef.name'), age] }),
  kind(resource('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', false), {
    shortNames: ['sc'],
    columns: [
      column('Provisioner', '.provisioner'),
      column('ReclaimPolicy', '.reclaimPolicy'),
      column('VolumeBindingMode', '.volumeBindingMode'),
      column('AllowVolumeExpansion', '.allowVolumeExpansion', 'boolean'),
      age,
    ],
  }),
];
