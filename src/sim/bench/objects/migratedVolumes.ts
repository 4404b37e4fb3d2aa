// What KubeVirt writes into VM and VMI about the claims that a live migration moves between.
// Only the root disk is moved.
import type { Json } from '../../cluster.ts';
import { type Machine, targetOf } from '../machine.ts';

export const claimInfo = (claimName: string): Json => ({
  accessModes: ['ReadWriteMany'],
  capacity: { storage: '30Gi' },
  claimName,
  filesystemOverhead: '0',
  requests: { storage: '30Gi' },
  volumeMode: 'Block',
});

export const migratedVolumes = (machine: Machine): readonly Json[] => [
  {
    volumeName: 'rootdisk',
    sourcePVCInfo: claimInfo(`${machine.name}-root`),
    destinationPVCInfo: claimInfo(targetOf(machine)),
  },
];
