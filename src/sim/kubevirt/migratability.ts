// Condition LiveMigratable as virt-handler works it out: a disk that only one node may use stands in the way, unless it
// is being moved (contract §2.1).
import type { Context } from './context.ts';
import { model } from './model.ts';
import type { Condition, Vmi } from './objects.ts';

const message =
  'cannot migrate VMI: PVC is not shared, live migration requires that all PVCs must be shared (using ReadWriteMany access mode)';

/** What LiveMigratable of a VMI has to be now. */
export const migratability = (context: Context, vmi: Vmi): Condition => {
  const moved = new Set((vmi.status?.migratedVolumes ?? []).map(({ volumeName }) => volumeName));
  const inTheWay = (vmi.spec.volumes ?? []).some((volume) => {
    const claim = context.claim(vmi.metadata.namespace, model.claimOf(volume));
    return claim !== undefined && !moved.has(volume.name) && !(claim.spec.accessModes ?? []).includes('ReadWriteMany');
  });
  return inTheWay
    ? { type: 'LiveMigratable', status: 'False', reason: 'DisksNotLiveMigratable', message }
    : { type: 'LiveMigratable', status: 'True' };
};
