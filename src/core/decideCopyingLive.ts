// Watching over a live migration while KubeVirt copies the disks, and taking it back.
// Guarantees law 3: the first write on any sign of an end is the revert.

import { bootedOnTarget } from './bootedOnTarget.ts';
import { act, begin, type CancelCause, type Circumstances, type Decision, needsAttention, wait } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import { followLive } from './followLive.ts';
import { giveUpLive } from './giveUpLive.ts';
import { isFinal } from './guest.ts';
import { settingsObstacle } from './liveObstacle.ts';
import { isGivenUp } from './mode.ts';
import { movedBackToSource } from './movedBackToSource.ts';
import type { VirtualMachineInstance } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { missingClaims } from './targets.ts';

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
  const back = movedBackToSource(facts, record);
  if (back !== undefined) return back;
  if (facts.failedAttempts >= circumstances.limits.maxFailedMigrations) {
    return giveUpLive(
      facts,
      record,
      'LiveMigrationFailing',
      `KubeVirt failed to migrate the VMI ${facts.failedAttempts} times: ${lastFailure(facts)}`,
    );
  }
  const restartRequired = facts.view.machine?.restartRequired;
  if (restartRequired !== undefined) {
    return giveUpLive(
      facts,
      record,
      'RestartRequired',
      `KubeVirt will not migrate the volumes before a restart: ${restartRequired}`,
    );
  }
  // One that a pod uses cannot go: nothing was copied to it, and KubeVirt waits for it (contract §1.3).
  const missing = facts.view.unreadableClaims.length === 0 ? missingClaims(facts, record) : [];
  if (missing.length > 0) return begin('CopyingLive', circumstances.clearance, ...missing);
  const change = instance.volumesChange;
  if (change?.status === 'False' && change.message !== '') return wait('CopyingLive', `KubeVirt: ${change.message}`);
  if (facts.unfinished.length > 0) return wait('CopyingLive', 'KubeVirt to copy the disks');
  // They may have been changed since the volumes were patched; when they are mended KubeVirt goes on.
  const setting = settingsObstacle(facts.view.settings);
  if (setting !== undefined) return needsAttention(setting.reason, setting.message);
  return wait('CopyingLive', 'KubeVirt to begin a migration');
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
  if (facts.launcher === 'source') return followLive(record, instance, now);
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
    record: { ...record, live: { ...live, endedAt: new Date(now).toISOString() } },
  });

const lastFailure = (facts: MachineFacts): string =>
  facts.view.attempts.map((attempt) => attempt.migrationState?.failureReason ?? '').findLast((text) => text !== '') ??
  facts.view.instance?.migrationState?.failureReason ??
  'no reason given';
