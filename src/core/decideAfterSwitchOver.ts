// Following a live migration past the switch-over, until KubeVirt has finished it and the machine is done.
// Guarantees law 4: from here on nothing is taken back, and where the VM names the source it is repaired.

import { decideMovedBack } from './decideMovedBack.ts';
import { act, begin, type Circumstances, type Decision, needsAttention, wait } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import { isFinal } from './guest.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { describeDisks } from './volumes.ts';

/** The guest runs on B, or ended there, unless it was moved back: only forward from here (law 4). */
export const decideAfterSwitchOver = (
  facts: MachineFacts,
  record: MigrationRecord,
  { now, clearance }: Circumstances,
): Decision => {
  const back = decideMovedBack(facts, record, now);
  if (back !== undefined) return back;
  if (facts.spec === 'foreign') {
    return needsAttention(
      'ForeignVolumes',
      'the guest has switched over to the target claims, but the VM names others; name the target claims in the VM',
    );
  }
  const { instance, lastInstance, attempts } = facts.view;
  const states = [instance, lastInstance?.object, ...attempts].map((object) => object?.migrationState);
  const ours = states.filter((state) => state?.migrationUid === record.switchedOver?.migrationUid);
  if (ours.some((state) => state?.failed && state.mode === 'PostCopy')) {
    return needsAttention(
      'PostCopyFailed',
      'the migration failed after the guest had switched over in post-copy mode: neither claim is whole. Restore the machine from a backup',
    );
  }
  // A late revert can make KubeVirt begin to move the guest back: only a patch with Migration cancels that.
  const isMovedBack = instance?.migratedVolumes.some(({ target }) =>
    record.disks.some((disk) => disk.source === target),
  );
  const isUnderGuest = facts.launcher === 'target';
  if (facts.spec !== 'target') {
    const mayRun = instance !== undefined && !instance.deleting && !isFinal(instance);
    if (isMovedBack && mayRun && facts.launcher === 'none') {
      return wait('SwitchedOver', 'the virt-launcher of the VMI to be seen');
    }
    // A guest that was booted on A goes nowhere: told Migration, KubeVirt would copy A over B, which alone is whole.
    const strategy = isMovedBack && isUnderGuest ? ({ strategy: 'Migration' } as const) : {};
    return act('SwitchedOver', { kind: 'repair', ...strategy });
  }
  // The move back was begun unseen before the repair, and Replacement does not cancel it (contract §3).
  if (isMovedBack && isUnderGuest && facts.view.machine?.updateVolumesStrategy !== 'Migration') {
    return act('SwitchedOver', { kind: 'repair', strategy: 'Migration' });
  }
  const stale = decideStaleBoot(facts, record);
  if (stale !== undefined) return stale;
  // A VMI that has ended never gets the end of its migration written, and a final one may lie for ever (contract §4.1).
  const goesOn = instance !== undefined && !isFinal(instance);
  const state = instance?.migrationState;
  const isOpen = state?.endTimestamp === '';
  if (goesOn && (facts.unfinished.length > 0 || isOpen || isMovedBack)) {
    return wait('SwitchedOver', 'KubeVirt to finish the migration');
  }
  if (isNextUnseen(facts, record)) return wait('SwitchedOver', 'the VMI of a virt-launcher to be seen');
  const { live: _, gaveUp: __, ...rest } = record;
  const completed = { by: 'Live' as const, at: new Date(now).toISOString() };
  // A revert of ours may have landed and not be seen yet, and a machine that is done is not repaired any more.
  return begin('Moved', clearance, {
    kind: 'record',
    why: 'completed',
    record: { ...rest, completed, seenOnTarget: true },
  });
};

/** Virt-launchers of the next VMI are seen before itself: its guest may be moved back to A, and only its own words tell. */
const isNextUnseen = ({ foreignPods, view: { instance } }: MachineFacts, { switchedOver }: MigrationRecord): boolean =>
  foreignPods.some(
    ({ role, deleting, ownerUid }) =>
      // On a lost node one that is deleted may stay for ever (contract §6).
      role === 'launcher' && !deleting && ownerUid !== instance?.uid && ownerUid !== switchedOver?.vmiUid,
  );

/** Whether the guest was booted on A again, before the spec was repaired: then neither claim holds all it has written. */
const decideStaleBoot = (facts: MachineFacts, record: MigrationRecord): Decision | undefined => {
  const { instance } = facts.view;
  if (instance === undefined || isFinal(instance) || instance.uid === record.switchedOver?.vmiUid) return undefined;
  if (facts.launcher === 'target') return undefined;
  if (facts.launcher === 'none') return wait('SwitchedOver', 'the virt-launcher of the VMI to be seen');
  return needsAttention(
    'BootedOnStaleSource',
    `the guest had switched over to the target claims and was then booted on the stale source claims (${describeDisks(record)}). ` +
      'Stop the VM: it then starts on the target claims; what it has written since that boot is on the source claims alone',
  );
};
