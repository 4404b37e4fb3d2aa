// Decides what is to be done about one machine, from its facts alone: the branching; the leaves stand in startLive.ts,
// decideCopyingLive.ts, decideAfterSwitchOver.ts, decideOffline.ts and decideMoved.ts. Order matters: what saves a
// guest's writes comes first.

import { bootedOnTarget } from './bootedOnTarget.ts';
import { decideAfterSwitchOver } from './decideAfterSwitchOver.ts';
import { decideCopyingLive, endSeen } from './decideCopyingLive.ts';
import { decideCompleted, decideCutOver } from './decideMoved.ts';
import { decideOffline, voidCopy } from './decideOffline.ts';
import { act, begin, type Circumstances, type Command, type Decision, needsAttention, wait } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import { isFinal } from './guest.ts';
import { migratesToItself } from './migratesToItself.ts';
import { isGivenUp, modeOf } from './mode.ts';
import { startLive } from './startLive.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { takesVolumesBack } from './takesVolumesBack.ts';
import { describeDisks } from './volumes.ts';

/** Decides for one machine. */
export const decide = (facts: MachineFacts, circumstances: Circumstances): Decision => {
  const { record, spec } = facts;
  if (record === undefined) return wait('Pending', 'the migration to be accepted');
  const [unreadable] = facts.view.unreadable;
  if (unreadable !== undefined) return needsAttention('UnreadableObject', unreadable);
  if (facts.identity !== 'same' || spec === undefined) return decideWithoutMachine(facts, record);
  if (record.completed !== undefined) return decideCompleted(facts, record, circumstances);
  if (record.switchedOver !== undefined) return decideAfterSwitchOver(facts, record, circumstances);
  if (facts.switchOver.kind === 'seen') {
    const { vmiUid, migrationUid, at } = facts.switchOver;
    const switchedOver = { vmiUid, migrationUid, at };
    return act('SwitchedOver', { kind: 'record', why: 'switchedOver', record: { ...record, switchedOver } });
  }
  if (isOverwritingSource(facts, record)) return act('Reverting', { kind: 'repair', strategy: 'Migration' });
  if (facts.switchOver.kind === 'unknown') return decideUnknown(facts, record, circumstances);
  switch (spec) {
    case 'foreign':
      if (facts.goal === 'cancel' && !isUnderWay(facts, record)) return decideUndone(facts, record, circumstances);
      return needsAttention(
        'ForeignVolumes',
        `the VM names a claim that is neither source nor target of ${describeDisks(record)}; put the volumes back on the ` +
          'source claims, or remove the machine from this migration',
      );
    case 'target':
    case 'mixed':
      if (record.live !== undefined) return decideCopyingLive(facts, record, circumstances);
      if (record.cutOver !== undefined && spec === 'target') return decideCutOver(facts, record, circumstances);
      return needsAttention(
        'TargetNamedByOthers',
        // Whatever runs on them has its newest writes there: nobody is told to leave them without a look (law 7).
        `somebody else named target claims in the VM (${describeDisks(record)}), to which nothing was copied from here. If the ` +
          'guest has never run on them, put the volumes back on the source claims; if it has, remove the machine from this migration',
      );
    case 'source':
      return decideOnSource(facts, record, circumstances);
    default:
      return spec satisfies never;
  }
};

const decideWithoutMachine = (facts: MachineFacts, record: MigrationRecord): Decision => {
  if (record.completed !== undefined) return wait('Moved', '');
  const found = facts.identity === 'absent' ? 'was deleted' : 'was deleted and made again under the same name';
  return needsAttention(
    'VirtualMachineGone',
    `the VM ${found} before its disks were moved; nothing of it is touched any more. Remove it from this migration`,
  );
};

/**
 * A revert has landed when the next VMI already had its virt-launcher on B: VM and VMI say A, the guest runs on B, and
 * within seconds KubeVirt copies B, half a copy or not, over A (contract §4.4.3). Until a person has decided the VM has
 * to name what the guest runs on. With another strategy than Migration nothing is copied, and that is a person's word.
 */
const isOverwritingSource = ({ spec, launcher, sameInstance, view }: MachineFacts, { live }: MigrationRecord) =>
  spec === 'source' &&
  live !== undefined &&
  view.machine?.generation !== live.vmGeneration &&
  view.machine?.updateVolumesStrategy === 'Migration' &&
  (launcher === 'target' || launcher === 'mixed') &&
  !sameInstance &&
  view.instance !== undefined &&
  !isFinal(view.instance);

/** Law 7: which claim holds the newest writes cannot be told. A person says so in KubeVirt's own way (contract §4.2). */
const decideUnknown = (facts: MachineFacts, record: MigrationRecord, { now }: Circumstances): Decision => {
  const vouched = facts.spec === 'target' && facts.view.machine?.updateVolumesStrategy !== 'Migration';
  if (vouched) {
    const completed = { by: 'Live' as const, at: new Date(now).toISOString() };
    return act('Moved', { kind: 'record', why: 'completed', record: { ...record, completed } });
  }
  return needsAttention(
    'SwitchOverUnknown',
    'the VMI ended during a live migration while nobody watched, so it is not known whether the guest last wrote to ' +
      `source or target (${describeDisks(record)}). Compare the disks, name the good claims in the VM and set ` +
      'updateVolumesStrategy to Replacement: that is taken as your word',
  );
};

/** The machine stands on A, and A is in authority. */
const decideOnSource = (facts: MachineFacts, record: MigrationRecord, circumstances: Circumstances): Decision => {
  if (facts.launcher === 'target' || facts.launcher === 'mixed') return bootedOnTarget(record);
  if (facts.goal === 'cancel') return decideUndone(facts, record, circumstances);
  const lateCancel = decideCancelling(facts, record, circumstances);
  if (lateCancel !== undefined) return lateCancel;
  if (record.gaveUp !== undefined) {
    const { reason, message } = record.gaveUp;
    return isGivenUp(facts) ? needsAttention(reason, message) : tryAgain(record);
  }
  switch (modeOf(facts)) {
    case 'live':
      return startLive(facts, record, circumstances);
    case 'offline':
      return decideOffline(facts, record, circumstances);
    case 'hold':
      return decideHold(facts, record, circumstances);
    case 'done':
      return wait('Moved', '');
  }
};

/** The VMI that the recorded live migration was begun on still exists and has not ended. */
const isUnderWay = ({ sameInstance, view }: MachineFacts, { live }: MigrationRecord): boolean =>
  live !== undefined && sameInstance && view.instance !== undefined && !isFinal(view.instance);

/**
 * After a revert: the attempt is over only when KubeVirt has let go of it (contract §3). Until then the record of it
 * stands, for it is what a switch-over that won the race would be judged by. A VMI that has ended never gets the end
 * of its migration written, and a final one may lie for ever (contract §4.1).
 */
const decideCancelling = (
  facts: MachineFacts,
  record: MigrationRecord,
  { clearance, now }: Circumstances,
): Decision | undefined => {
  const { live } = record;
  const { instance, machine } = facts.view;
  if (live === undefined) return undefined;
  const isCancelled = facts.goal === 'cancel';
  const underWay = isUnderWay(facts, record);
  // Never patched, so far: forgotten only when no patch of ours can still be on its way, or landed unseen (law 9).
  const isUnpatched = machine?.generation === live.vmGeneration;
  if (underWay && isUnpatched) return isCancelled ? begin('Reverting', clearance, endLive(record)) : undefined;
  const toItself = migratesToItself(facts, record);
  if (toItself !== undefined) return toItself;
  if (facts.unfinished.length > 0) return wait('Reverting', 'KubeVirt to abort the migration');
  const isOther = instance !== undefined && !facts.sameInstance && !isFinal(instance);
  if (isOther && facts.launcher === 'none') return wait('Reverting', 'the virt-launcher of the VMI to be seen');
  // A VMI may still be made from the VM as it was, on B; what it does to A is stopped by this record alone.
  const hasEnded = instance === undefined || isFinal(instance);
  if (hasEnded && !isUnpatched && facts.spec === 'source' && facts.guest.kind !== 'off') {
    if (live.endedAt === undefined) return endSeen(record, live, now);
    const lingers = ranOnce(facts);
    // It may lie there for ever, and nobody shall wait for ever to be let go.
    if (lingers !== undefined && isCancelled) return act('Reverting', endLive(record));
    return lingers ?? wait('Reverting', `the machine to be off or to start again (${facts.guest.sign})`);
  }
  if (!underWay || instance === undefined) {
    // A repair that was sent for the other VMI may still land, and is to be known for our own.
    return isUnpatched || isOther ? begin('Reverting', clearance, endLive(record)) : act('Reverting', endLive(record));
  }
  const state = instance.migrationState;
  if (state !== undefined && state.endTimestamp === '' && !live.knownMigrations.includes(state.migrationUid)) {
    return wait('Reverting', 'the migration to end');
  }
  const takingBack = takesVolumesBack('Reverting', facts, record, now);
  if (takingBack !== undefined) return takingBack;
  const holders = facts.podsOnTarget.filter((pod) => pod.ownerUid !== '' && pod.role !== 'other');
  if (holders.length > 0) {
    return wait('Reverting', `pods to let go of the target claims: ${holders.map((pod) => pod.name).join(', ')}`);
  }
  if (!isCancelled) return undefined;
  // Without its virt-launcher it may have ended unseen, and the next VMI be on B: the record alone can tell.
  if (facts.launcher !== 'source') return wait('Reverting', 'the virt-launcher of the VMI to be seen');
  return act('Reverting', endLive(record));
};

/** The machine is to be left alone: what is under way is seen to its end, and then nothing more is done. */
const decideUndone = (facts: MachineFacts, record: MigrationRecord, circumstances: Circumstances): Decision => {
  const ending = decideCancelling(facts, record, circumstances);
  if (ending !== undefined) return ending;
  const isOurs = facts.copyPods.some((pod) => pod.migrationUid === facts.view.migration.uid);
  return wait('Cancelled', isOurs ? 'the copy pods to be gone' : '');
};

/** Spec has changed since the machine was given up: what was counted against it is forgotten. */
const tryAgain = (record: MigrationRecord): Decision => {
  const { gaveUp: _, ...rest } = record;
  const { live, offline } = rest;
  return act('Waiting', {
    kind: 'record',
    why: 'triedAgain',
    record: {
      ...rest,
      ...(live === undefined ? {} : { live: { ...live, attempt: 0 } }),
      ...(offline === undefined ? {} : { offline: { ...offline, failures: [] } }),
    },
  });
};

const endLive = (record: MigrationRecord): Command => {
  const { live: _, ...rest } = record;
  return { kind: 'record', why: 'liveEnded', record: rest };
};

const decideHold = (facts: MachineFacts, record: MigrationRecord, circumstances: Circumstances): Decision => {
  if (record.offline !== undefined && (facts.guest.kind === 'starting' || !facts.offSinceCopyBegan)) {
    return voidCopy(record, circumstances);
  }
  return ranOnce(facts) ?? wait('Waiting', `the machine to settle (${facts.guest.sign})`);
};

/** Its VMI lies there until somebody deletes it, and then KubeVirt starts the machine with no write to it (law 6). */
const ranOnce = ({ view: { machine, instance } }: MachineFacts): Decision | undefined =>
  machine?.runStrategy === 'Once' && instance !== undefined && isFinal(instance) && !instance.deleting
    ? needsAttention(
        'RanOnce',
        'the guest has ended, and with runStrategy Once it would be started again were its VMI deleted. Set runStrategy ' +
          'to Halted to have the disks copied while the VM is off, or start it with another runStrategy to have them moved live',
      )
    : undefined;
