// What the judges make of what was told about a machine: whether its guest has switched over, whether it is ending,
// whether that can be known at all, and what must therefore be done at once. Independent of the core's facts.
import type { Pod } from '../../core/objects.ts';
import type { MigrationRecord } from '../../core/storageMigration.ts';
import { claimOf, volumeName } from '../../core/volumes.ts';
import type { Sight } from './seen.ts';

/** Whether a pod can write no more. */
export const hasEnded = (pod: Pod): boolean => pod.phase === 'Succeeded' || pod.phase === 'Failed';

/** Whether a VMI or a migration in this phase has ended for good. */
export const isFinal = (phase: string): boolean => phase === 'Succeeded' || phase === 'Failed';

/** A and B of every recorded disk. */
export const claimsOf = (record: MigrationRecord | undefined): readonly string[] =>
  record?.disks.flatMap(({ source, target }) => [source, target]) ?? [];

/** The claims that the recorded disks are on by the VM's spec; empty for a disk that is not there. */
export const namedBy = ({ vm, record }: Sight): readonly string[] =>
  record?.disks.map(({ volume }) => {
    const entry = vm?.volumes.find((candidate) => volumeName(candidate) === volume);
    return entry === undefined ? '' : claimOf(entry);
  }) ?? [];

/** At least one disk is named on B, and every one on A or B. */
const namesTarget = (sight: Sight): boolean => {
  const named = namedBy(sight);
  const known = claimsOf(sight.record);
  return named.every((claim) => known.includes(claim)) && !namesSource(sight);
};

const namesSource = (sight: Sight): boolean =>
  namedBy(sight).every((claim, index) => claim === sight.record?.disks[index]?.source);

/** The guest was seen to switch over in the live migration that is recorded, or that is on record itself. */
export const hasSwitchedOver = (sight: Sight): boolean => {
  const { record, switchOvers } = sight;
  if (record?.switchedOver !== undefined) return true;
  const live = record?.live;
  if (record === undefined || live === undefined) return false;
  const targets = record.disks.map(({ target }) => target);
  return switchOvers.some(
    ({ migrationUid, targetClaims }) =>
      !live.knownMigrations.includes(migrationUid) &&
      (targetClaims === undefined ? namesTarget(sight) : targetClaims.some((claim) => targets.includes(claim))),
  );
};

/** Nobody watched the end of the VMI that a live migration was begun on, and what is left may be from before or after. */
export const endIsUnknown = (sight: Sight): boolean => {
  const { record, vm, vmi, wasWatchedToItsEnd } = sight;
  const live = record?.live;
  if (live === undefined || hasSwitchedOver(sight) || vmi?.uid === live.vmiUid) return false;
  if (wasWatchedToItsEnd(live.vmiUid)) return false;
  if (vm?.generation === live.vmGeneration && namesSource(sight)) return false;
  // A person who has taken the strategy away vouches for A (contract §4.2).
  return !(namesSource(sight) && vm?.updateVolumesStrategy !== 'Migration');
};

/** The strong signs that the VMI which is migrated live is ending (contract §4.4); in words. */
export const signOfEnd = ({ vm, vmi, record }: Sight): string | undefined => {
  if (vmi === undefined) return 'there is no VMI';
  if (vmi.uid !== record?.live?.vmiUid) return 'there is another VMI';
  if (isFinal(vmi.phase)) return `the VMI is ${vmi.phase}`;
  if (vmi.deleting) return 'the VMI is being deleted';
  if (vm?.deleting) return 'the VM is being deleted';
  if (vm?.runStrategy === 'Halted') return 'the VM is Halted';
  if (vm?.requests[0] === 'Stop') return 'a stop is queued';
  return undefined;
};

/** A virt-launcher of another VMI is there, or its guest runs: too late for a revert (contract §4.4.3). */
const isBootedAgain = ({ vmi, record, pods }: Sight): boolean =>
  vmi !== undefined &&
  vmi.uid !== record?.live?.vmiUid &&
  (vmi.phase === 'Running' || pods.some((pod) => pod.ownerUid === vmi.uid && !hasEnded(pod)));

/** What waits for nothing. */
export type Demand = 'revert' | 'recordSwitchOver';

/** What must be decided at once, whatever else is known; undefined when nothing must. */
export const demandOf = (sight: Sight): Demand | undefined => {
  const { record, vm } = sight;
  if (record?.live === undefined || record.completed !== undefined || vm === undefined) return undefined;
  if (record.vmUid !== vm.uid || endIsUnknown(sight)) return undefined;
  if (hasSwitchedOver(sight)) return record.switchedOver === undefined ? 'recordSwitchOver' : undefined;
  if (!namesTarget(sight) || isBootedAgain(sight)) return undefined;
  return signOfEnd(sight) === undefined ? undefined : 'revert';
};
