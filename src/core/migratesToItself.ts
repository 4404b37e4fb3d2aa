// Whether KubeVirt is told to move the volumes of a VMI to the claims that its guest runs on already. Pure; asked before
// a live migration is begun, and before one that was taken back is forgotten.

import { type Decision, needsAttention } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import type { MigrationRecord } from './storageMigration.ts';

/** The revert landed when this VMI was just made: its volumes were replaced, and no cancel ends that (contract §4.5). */
export const migratesToItself = (
  { view, guest, launcher }: MachineFacts,
  record: MigrationRecord,
): Decision | undefined => {
  const sources = new Set(record.disks.map((disk) => disk.source));
  if (guest.kind !== 'running' || launcher !== 'source') return undefined;
  if (view.instance?.migratedVolumes.some(({ target }) => sources.has(target)) !== true) return undefined;
  return needsAttention(
    'MigratesToItself',
    'KubeVirt took the volumes being put back for a volume migration to the source claims, on which the guest runs ' +
      'already, and tries it for ever. Nothing is lost; stop or restart the machine, and it is moved',
  );
};
