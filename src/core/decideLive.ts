// Live migration: beginning it, watching over it, taking it back, and following it past the switch-over.
// Guarantees law 3 (the first write on any sign of an end is the revert) and law 4 (after the switch-over, never).

import { voidCopy } from './decideOffline.ts';
import { act, begin, type CancelCause, type Circumstances, type Decision, needsAttention, wait } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import { isFinal } from './guest.ts';
import { liveObstacle } from './liveObstacle.ts';
import { isGivenUp } from './mode.ts';
import type { VirtualMachineInstance } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { takesVolumesBack } from './takesVolumesBack.ts';
import { missingClaims } from './targets.ts';
import { describeDisks } from './volumes.ts';

const timestamp = (now: number): string => new Date(now).toISOString();

/** The guest runs on A and is to be moved: everything that must hold before volumes are patched, in order. */
export const startLive = (facts: MachineFacts, record: MigrationRecord, circumstances: Circumstances): Decision => {
  const { clearance, limits } = circumstances;
  const { machine, instance } = facts.view;
  if (machine === undefined || instance === undefined) return wait('Waiting', 'the VMI to be seen');
  if (record.offline !== undefined) return voidCopy(record, circumstances);
  // Its own in whatever state, and of its group those that are going: rows 4 and 5 begin when every one is gone.
  const copyPods = new Set([...facts.copyPods, ...facts.view.endingCopyPods].map((pod) => pod.name));
  if (copyPods.size > 0) return wait('Waiting', `the copy pods to be gone: ${[...copyPods].join(', ')}`);
  if (facts.goal === 'pause') return wait('Waiting', 'spec.paused to be false');
  // A VMI that names A may have been booted on B a moment before its volumes were taken back (contract §4.5).
  if (facts.launcher !== 'source') return wait('Waiting', 'the virt-launcher of the VMI to be seen');
  const toItself = migratesToItself(facts, record);
  if (toItself !== undefined) return toItself;
  const obstacle = liveObstacle(facts, record);
  if (obstacle !== undefined) return needsAttention(obstacle.reason, obstacle.message);
  if (facts.unfinished.length > 0) return wait('Waiting', 'the migration of the VMI that is under way to end');
  if (facts.podsOnTarget.length > 0) {
    return wait(
      'Waiting',
      `pods to let go of the target claims: ${facts.podsOnTarget.map((pod) => pod.name).join(', ')}`,
    );
  }
  const takingBack = takesVolumesBack('Waiting', facts, record, circumstances.now);
  if (takingBack !== undefined) return takingBack;
  const missing = missingClaims(facts, record);
  if (missing.length > 0) return begin('Waiting', clearance, ...missing);
  const live = record.live;
  const isSame = live?.vmiUid === instance.uid;
  const isUnpatched = isSame && live.vmGeneration === machine.generation;
  // A move to another node that came after the record was written would later be taken for the switch-over.
  const isRecorded =
    isUnpatched && migrationsBefore(facts, instance).every((uid) => live.knownMigrations.includes(uid));
  if (isRecorded) return begin('CopyingLive', clearance, { kind: 'startLive' });
  const attempt = isSame ? live.attempt + (isUnpatched ? 0 : 1) : 1;
  if (attempt > limits.maxLiveAttempts) {
    return giveUp(
      facts,
      record,
      'LiveMigrationUndone',
      `a live migration was taken back ${live?.attempt} times by somebody else`,
    );
  }
  return begin('Waiting', clearance, {
    kind: 'record',
    why: 'liveBegins',
    record: { ...record, live: liveRecord(facts, instance, machine.generation, attempt, circumstances.now) },
  });
};

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

const liveRecord = (
  facts: MachineFacts,
  instance: VirtualMachineInstance,
  vmGeneration: number,
  attempt: number,
  now: number,
): NonNullable<MigrationRecord['live']> => {
  return {
    vmiUid: instance.uid,
    vmGeneration,
    knownMigrations: [...migrationsBefore(facts, instance)],
    attempt,
    startedAt: timestamp(now),
  };
};

/** Migrations of the VMI that were there before its volumes are patched. */
const migrationsBefore = ({ view }: MachineFacts, instance: VirtualMachineInstance): readonly string[] => {
  const known = view.attempts.map((migration) => migration.uid);
  const state = instance.migrationState;
  return state === undefined || known.includes(state.migrationUid) ? known : [...known, state.migrationUid];
};

/** The machine names B and the guest has certainly not switched over: A is in authority. */
export const decideCopyingLive = (
  facts: MachineFacts,
  record: MigrationRecord,
  circumstances: Circumstances,
): Decision => {
  const { instance } = facts.view;
  if (instance === undefined) return revert(facts.guest.kind === 'starting' ? 'restarted' : 'stopped');
  if (!facts.sameInstance) return decideOtherInstance(facts, record, instance, circumstances);
  const cause = causeToRevert(facts);
  if (cause !== undefined) return revert(cause);
  if (facts.failedAttempts >= circumstances.limits.maxFailedMigrations) {
    return giveUp(
      facts,
      record,
      'LiveMigrationFailing',
      `KubeVirt failed to migrate the VMI ${facts.failedAttempts} times: ${lastFailure(facts)}`,
    );
  }
  const restartRequired = facts.view.machine?.restartRequired;
  if (restartRequired !== undefined) {
    return giveUp(
      facts,
      record,
      'RestartRequired',
      `KubeVirt will not migrate the volumes before a restart: ${restartRequired}`,
    );
  }
  const change = instance.volumesChange;
  if (change?.status === 'False' && change.message !== '') return wait('CopyingLive', `KubeVirt: ${change.message}`);
  return wait(
    'CopyingLive',
    facts.unfinished.length > 0 ? 'KubeVirt to copy the disks' : 'KubeVirt to begin a migration',
  );
};

/** A sign that the migration must not go on (law 3). */
const causeToRevert = (facts: MachineFacts): CancelCause | undefined => {
  if (facts.goal === 'cancel') return facts.view.migration.deleting ? 'deleted' : 'edited';
  if (isGivenUp(facts)) return 'failing';
  if (facts.spec === 'mixed') return 'edited';
  return facts.guest.kind === 'running' ? undefined : 'stopped';
};

const revert = (cause: CancelCause): Decision => act('Reverting', { kind: 'revert', cause });

/**
 * The VMI is another one than the migration was begun on, and B is half copied. Before it runs the revert may still
 * come in time; once it runs on B, seen or not, a revert would make KubeVirt copy B over A (contract §4.4.3).
 */
const decideOtherInstance = (
  facts: MachineFacts,
  record: MigrationRecord,
  instance: VirtualMachineInstance,
  { now }: Circumstances,
): Decision => {
  if (facts.launcher === 'source') return followLive(record, instance.uid, now);
  if (facts.launcher === 'none') {
    // Its launchers may be seen before it is seen to run.
    const isOnTarget = facts.podsOnTarget.some((pod) => pod.ownerUid === instance.uid);
    const mayRun = (instance.phase === 'Running' || isOnTarget) && !instance.deleting && !isFinal(instance);
    return mayRun ? wait('Waiting', 'the virt-launcher of the VMI to be seen') : revert('restarted');
  }
  const { live } = record;
  if (live === undefined || live.endedAt !== undefined) return bootedOnTarget(record);
  return endSeen(record, live, now);
};

/** Written down, for what follows may take days, and neither a restart nor the end of a later VMI may make it unknown again. */
export const endSeen = (record: MigrationRecord, live: NonNullable<MigrationRecord['live']>, now: number): Decision =>
  act('Reverting', {
    kind: 'record',
    why: 'endSeen',
    record: { ...record, live: { ...live, endedAt: timestamp(now) } },
  });

/**
 * The guest runs on A while VM and VMI name B: KubeVirt copies A to B by itself (contract §4.6). From here it is a
 * live migration that is seen through or reverted like any other. No generation of the VM can prove that its patch
 * never landed, hence 0.
 */
export const followLive = (record: MigrationRecord, vmiUid: string, now: number): Decision => {
  const { offline: _, cutOver: __, completed: ___, ...rest } = record;
  const live = { vmiUid, vmGeneration: 0, knownMigrations: [], attempt: 1, startedAt: timestamp(now) };
  return act('CopyingLive', { kind: 'record', why: 'liveFollowed', record: { ...rest, live, seenOnTarget: false } });
};

/** Contract §4.4.3: the guest was booted on a claim that is not a complete copy of its disk. */
export const bootedOnTarget = (record: MigrationRecord): Decision =>
  needsAttention(
    'BootedOnIncompleteTarget',
    `the guest was booted on an incomplete copy; its data is whole on the source claims (${describeDisks(record)}). Stop the ` +
      'VM: its volumes are then put back, and the migration goes on',
  );

const giveUp = (facts: MachineFacts, record: MigrationRecord, reason: string, found: string): Decision => {
  const { generation } = facts.view.migration;
  const message = `${found}. Mend the cause; any change of spec, such as pausing and resuming, tries again`;
  return act('Failed', {
    kind: 'record',
    why: 'gaveUp',
    record: { ...record, gaveUp: { generation, reason, message } },
  });
};

const lastFailure = (facts: MachineFacts): string =>
  facts.view.attempts.map((attempt) => attempt.migrationState?.failureReason ?? '').findLast((text) => text !== '') ??
  facts.view.instance?.migrationState?.failureReason ??
  'no reason given';

/** The guest runs on B, or ended there: only forward from here (law 4). */
export const decideAfterSwitchOver = (
  facts: MachineFacts,
  record: MigrationRecord,
  { now, clearance }: Circumstances,
): Decision => {
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
  const completed = { by: 'Live' as const, at: timestamp(now) };
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
