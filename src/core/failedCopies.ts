// What the record says about copies that failed: whether a disk is tried again, and the sentence for people. Pure.
import { adviceOn, canHeal } from './copyFailure.ts';
import type { Limits } from './decision.ts';
import type { MigrationRecord } from './storageMigration.ts';

type Failure = NonNullable<MigrationRecord['offline']>['failures'][number];

/** Whether the disk is not tried again before a person has changed spec, whose generation is given. */
export const isHopeless = (
  { reason, count, generation }: Pick<Failure, 'reason' | 'count' | 'generation'>,
  { maxCopyFailures }: Pick<Limits, 'maxCopyFailures'>,
  currentGeneration: number,
): boolean => (generation ?? currentGeneration) === currentGeneration && (!canHeal(reason) || count >= maxCopyFailures);

/** Which disk, what was found, what to do. `isLast`: it is not tried again by itself. */
export const failureSentence = (
  { volume, count, reason, message }: Failure,
  record: MigrationRecord,
  isLast: boolean,
): string => {
  const disk = record.disks.find((each) => each.volume === volume);
  const claims = disk === undefined ? '' : ` (${disk.source} to ${disk.target})`;
  const often = count === 1 ? '' : ` ${count} times in a row`;
  const found = /[.!?…]$/.test(message) ? message : `${message}.`;
  return `The copy of disk ${volume}${claims} failed${often}: ${found} ${isLast && canHeal(reason) ? 'Mend the cause.' : adviceOn(reason)}`;
};
