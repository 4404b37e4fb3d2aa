// After the move: confirming a cut-over, catching the one start that slipped past it, staying done, and deleting
// sources where that was asked for. Guarantees that done stays done (law 4) and that A is kept until B was seen (law 10).

import { bootedOnTarget } from './bootedOnTarget.ts';
import { act, begin, type Circumstances, type Command, type Decision, needsAttention, wait } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import { followLive } from './followLive.ts';
import { isFinal } from './guest.ts';
import { hasEnded } from './hasEnded.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { claimOf } from './volumes.ts';

/** The cut-over patch has landed and nothing more is known yet: the next virt-launcher decides (law 5). */
export const decideCutOver = (facts: MachineFacts, record: MigrationRecord, { now }: Circumstances): Decision => {
  const { instance } = facts.view;
  const running = instance !== undefined && !isFinal(instance);
  if (running && facts.launcher === 'none') return wait('CuttingOver', 'the virt-launcher of the VMI to be seen');
  if (running && facts.launcher === 'source') return followLive(record, instance, now);
  if (running && facts.launcher === 'mixed') return bootedOnTarget(record);
  const { offline: _, gaveUp: __, ...rest } = record;
  const completed = { by: 'Offline' as const, at: new Date(now).toISOString() };
  return act('Moved', {
    kind: 'record',
    why: 'completed',
    record: { ...rest, completed, seenOnTarget: runsOnTarget(facts) },
  });
};

/** Every disk is under the guest: a hotplugged one comes to it only when the pod that attaches it runs. */
const runsOnTarget = (facts: MachineFacts): boolean =>
  facts.guest.kind === 'running' &&
  facts.launcher === 'target' &&
  facts.podsOnTarget.every((pod) => pod.phase === 'Running');

/** A machine that is done stays done when it stops, restarts or is edited; only a slip right after a cut-over undoes it. */
export const decideCompleted = (
  facts: MachineFacts,
  record: MigrationRecord,
  circumstances: Circumstances,
): Decision => {
  const { instance } = facts.view;
  if (!record.seenOnTarget && instance !== undefined && !isFinal(instance)) {
    if (facts.launcher === 'source' && facts.spec === 'target') return followLive(record, instance, circumstances.now);
    if (runsOnTarget(facts)) {
      return act('Moved', { kind: 'record', why: 'seenOnTarget', record: { ...record, seenOnTarget: true } });
    }
  }
  return decideSources(facts, record, circumstances);
};

const decideSources = (facts: MachineFacts, record: MigrationRecord, { clearance }: Circumstances): Decision => {
  const asked = facts.view.migration.spec.retention === 'DeleteSource' && facts.goal === 'migrate';
  if (!asked || record.sourcesDeleted) return wait('Moved', '');
  if (!record.seenOnTarget)
    return wait('Moved', 'the machine to be seen running on the target before the sources are deleted');
  const undisturbed = runsOnTarget(facts) && facts.spec === 'target';
  if (!undisturbed || facts.unfinished.length > 0) {
    return wait('Moved', 'the machine to run on the target undisturbed before the sources are deleted');
  }
  const [unreadable] = facts.view.unreadableClaims;
  if (unreadable !== undefined) return needsAttention('UnreadableObject', unreadable);
  const remaining = record.disks.filter((disk) => facts.view.claim(disk.source)?.uid === disk.sourceUid);
  if (remaining.length === 0) {
    return act('Moved', { kind: 'record', why: 'sourcesDeleted', record: { ...record, sourcesDeleted: true } });
  }
  const sources = new Set(remaining.map((disk) => disk.source));
  const holders = facts.view.pods.filter((pod) => !hasEnded(pod) && pod.claims.some((claim) => sources.has(claim)));
  const isOwn = facts.view.machine?.volumes.some((entry) => sources.has(claimOf(entry))) === true;
  const users = [...(isOwn ? [facts.name] : []), ...remaining.flatMap((disk) => facts.view.otherUsersOf(disk.source))];
  if (holders.length > 0 || users.length > 0) {
    const names = [...holders.map((pod) => `pod ${pod.name}`), ...users.map((name) => `VM ${name}`)];
    return wait('Moved', `others to let go of the source claims: ${names.join(', ')}`);
  }
  const commands = remaining
    .filter((disk) => facts.view.claim(disk.source)?.deleting === false)
    .map((disk): Command => ({ kind: 'deleteSource', disk }));
  return commands.length === 0 ? wait('Moved', 'the source claims to be gone') : begin('Moved', clearance, ...commands);
};
