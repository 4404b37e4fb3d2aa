// Taking up a live migration that nobody here began. Decided while a migration is watched over, right after a cut-over,
// and when a machine that was moved is started on its source.

import { act, type Decision } from './decision.ts';
import type { VirtualMachineInstance } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';

/**
 * The guest runs on A while VM and VMI name B: KubeVirt copies A to B by itself (contract §4.6). From here it is a
 * live migration that is seen through or reverted like any other. No generation of the VM can prove that its patch
 * never landed, hence 0. A migration of it in which the guest has switched over was to A, where it runs.
 */
export const followLive = (record: MigrationRecord, instance: VirtualMachineInstance, now: number): Decision => {
  const { offline: _, cutOver: __, completed: ___, ...rest } = record;
  const state = instance.migrationState;
  const live = {
    vmiUid: instance.uid,
    vmGeneration: 0,
    knownMigrations: state === undefined || state.targetNodeDomainReadyTimestamp === '' ? [] : [state.migrationUid],
    attempt: 1,
    startedAt: new Date(now).toISOString(),
  };
  return act('CopyingLive', { kind: 'record', why: 'liveFollowed', record: { ...rest, live, seenOnTarget: false } });
};
