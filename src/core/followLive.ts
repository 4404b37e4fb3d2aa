// Taking up a live migration that nobody here began. Decided while a migration is watched over, right after a cut-over,
// and when a machine that was moved is started on its source.

import { act, type Decision } from './decision.ts';
import type { MigrationRecord } from './storageMigration.ts';

/**
 * The guest runs on A while VM and VMI name B: KubeVirt copies A to B by itself (contract §4.6). From here it is a
 * live migration that is seen through or reverted like any other. No generation of the VM can prove that its patch
 * never landed, hence 0.
 */
export const followLive = (record: MigrationRecord, vmiUid: string, now: number): Decision => {
  const { offline: _, cutOver: __, completed: ___, ...rest } = record;
  const live = { vmiUid, vmGeneration: 0, knownMigrations: [], attempt: 1, startedAt: new Date(now).toISOString() };
  return act('CopyingLive', { kind: 'record', why: 'liveFollowed', record: { ...rest, live, seenOnTarget: false } });
};
