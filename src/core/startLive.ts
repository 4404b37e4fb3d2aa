// Beginning a live migration: all that must hold before the volumes of a running machine are patched, in order, and the
// record that is written before. Nothing is patched that KubeVirt would not migrate, and nothing while the attempt
// before it still goes on.

import { voidCopy } from './decideOffline.ts';
import { begin, type Circumstances, type Decision, needsAttention, wait } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import { giveUpLive } from './giveUpLive.ts';
import { liveObstacle } from './liveObstacle.ts';
import { migratesToItself } from './migratesToItself.ts';
import type { VirtualMachineInstance } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { takesVolumesBack } from './takesVolumesBack.ts';
import { missingClaims } from './targets.ts';

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
    return giveUpLive(
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
    startedAt: new Date(now).toISOString(),
  };
};

/** Migrations of the VMI that were there before its volumes are patched. */
const migrationsBefore = ({ view }: MachineFacts, instance: VirtualMachineInstance): readonly string[] => {
  const known = view.attempts.map((migration) => migration.uid);
  const state = instance.migrationState;
  return state === undefined || known.includes(state.migrationUid) ? known : [...known, state.migrationUid];
};
