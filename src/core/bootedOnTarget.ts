// What a person is told when a guest runs on a claim that was never copied whole. Found while a migration is watched
// over, when the machine stands on its source again, and right after a cut-over.

import { type Decision, needsAttention } from './decision.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { describeDisks } from './volumes.ts';

/** Contract §4.4.3: the guest was booted on a claim that is not a complete copy of its disk. */
export const bootedOnTarget = (record: MigrationRecord): Decision =>
  needsAttention(
    'BootedOnIncompleteTarget',
    `the guest was booted on an incomplete copy; its data is whole on the source claims (${describeDisks(record)}). Stop the ` +
      'VM: its volumes are then put back, and the migration goes on',
  );
