// The manifest of a target claim that does not exist yet: as large as the source needs it (contract §8), otherwise as
// spec says or as the source is. It has no owner: nothing that we do or that is deleted ever takes it along.
import type { PersistentVolumeClaim } from '../core/objects.ts';
import { quantityText } from '../core/quantity.ts';
import type { VirtualMachineSpec } from '../core/storageMigration.ts';
import { neededBytes } from '../core/targets.ts';
import type { KubeObject } from './api.ts';

type Target = VirtualMachineSpec['volumes'][number]['target'];

/** Makes the manifest for `target`, to hold what is on `source`. */
export const targetClaim = (source: PersistentVolumeClaim, target: Target): KubeObject => {
  const volumeMode = target.volumeMode ?? source.volumeMode;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: target.claimName,
      namespace: source.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'transship' },
    },
    spec: {
      accessModes: target.accessModes ?? source.accessModes,
      volumeMode,
      ...(target.storageClassName === undefined ? {} : { storageClassName: target.storageClassName }),
      resources: { requests: { storage: quantityText(neededBytes(source, volumeMode)) } },
    },
  };
};
