// A claim that a disk of a machine is on, or is moved to.
import type { KubeObject } from '../../../kube/api.ts';
import { resources } from '../../../kube/resources.ts';
import type { Machine } from '../machine.ts';
import { objectOf } from './parts.ts';

export const claim = (machine: Machine, name: string, storageClassName: string): KubeObject => {
  const metadata = {
    name,
    namespace: machine.namespace,
    labels: { app: 'containerized-data-importer', 'app.kubernetes.io/managed-by': 'cdi-controller' },
    annotations: {
      'cdi.kubevirt.io/storage.condition.bound': 'true',
      'cdi.kubevirt.io/storage.pod.phase': 'Succeeded',
      'cdi.kubevirt.io/storage.pod.restarts': '0',
      'cdi.kubevirt.io/storage.preallocation.requested': 'false',
      'pv.kubernetes.io/bind-completed': 'yes',
      'volume.kubernetes.io/storage-provisioner': 'csi.storage.example',
    },
    finalizers: ['kubernetes.io/pvc-protection'],
  };
  const spec = {
    accessModes: ['ReadWriteMany'],
    dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'fedora-1b7' },
    resources: { requests: { storage: '30Gi' } },
    storageClassName,
    volumeMode: 'Block',
    volumeName: `pvc-of-${machine.namespace}-${name}`,
  };
  const status = { phase: 'Bound', accessModes: ['ReadWriteMany'], capacity: { storage: '30Gi' } };
  return objectOf(resources.persistentVolumeClaims, metadata, { spec, status });
};
