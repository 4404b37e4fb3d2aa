// A guest that KubeVirt has moved back from B to A in the moment in which the VM was given B again: VM and VMI agree on
// B, so that nothing is migrated any more, while the guest writes to A. Only a person can restart it (law 7).

import { type Decision, needsAttention } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { describeDisks } from './volumes.ts';

/**
 * A patch back to B that comes after the switch-over cancels nothing: KubeVirt lets the VMI name B, says that the change
 * was cancelled, and the launcher that the guest was moved to stands on A (contract §3, §4.6).
 */
export const movedBackToSource = (
  { view: { instance }, launcher, unfinished }: MachineFacts,
  record: MigrationRecord,
): Decision | undefined => {
  const state = instance?.migrationState;
  if (instance === undefined || state === undefined || launcher !== 'source') return undefined;
  if (state.targetNodeDomainReadyTimestamp === '' || state.endTimestamp === '' || unfinished.length > 0) {
    return undefined;
  }
  if (instance.migratedVolumes.length > 0 || instance.volumesChange?.status === 'True') return undefined;
  const namesTargets = record.disks.every((disk) =>
    instance.claims.some(({ volume, claim }) => volume === disk.volume && claim === disk.target),
  );
  if (!namesTargets) return undefined;
  return needsAttention(
    'MovedBackToSource',
    `KubeVirt has moved the guest to the source claims while VM and VMI name the target claims (${describeDisks(record)}), and ` +
      'begins no other migration. What the guest writes is on the source claims alone. Name these in the VM, set ' +
      'updateVolumesStrategy to Replacement and restart the VM: the migration then goes on. If the guest had been ' +
      'booted on an incomplete copy before, that copy is on the source claims now: restore from a backup what is missing',
  );
};
