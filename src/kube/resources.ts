// The kinds of object that Transship reads or writes, as the API server addresses them.
import type { Resource } from './api.ts';

const namespaced = (group: string, version: string, plural: string, kind: string): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced: true,
});

export const resources = {
  virtualMachines: namespaced('kubevirt.io', 'v1', 'virtualmachines', 'VirtualMachine'),
  virtualMachineInstances: namespaced('kubevirt.io', 'v1', 'virtualmachineinstances', 'VirtualMachineInstance'),
  virtualMachineInstanceMigrations: namespaced(
    'kubevirt.io',
    'v1',
    'virtualmachineinstancemigrations',
    'VirtualMachineInstanceMigration',
  ),
  kubeVirts: namespaced('kubevirt.io', 'v1', 'kubevirts', 'KubeVirt'),
  pods: namespaced('', 'v1', 'pods', 'Pod'),
  persistentVolumeClaims: namespaced('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
  secrets: namespaced('', 'v1', 'secrets', 'Secret'),
  dataVolumes: namespaced('cdi.kubevirt.io', 'v1beta1', 'datavolumes', 'DataVolume'),
  events: namespaced('events.k8s.io', 'v1', 'events', 'Event'),
  /** The same Events as kubelets and `kubectl describe` know them. */
  coreEvents: namespaced('', 'v1', 'events', 'Event'),
  storageMigrations: namespaced('transship.dev', 'v1alpha1', 'storagemigrations', 'StorageMigration'),
} as const satisfies Record<string, Resource>;
