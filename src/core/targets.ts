// Target claims: which must be made, how large, and what is wrong with one that exists. Pure; used when a machine is
// accepted and again before anything is started with it.
import type { Attention, Command } from './decision.ts';
import type { MachineFacts, MachineView } from './facts.ts';
import type { PersistentVolumeClaim } from './objects.ts';
import { quantityText } from './quantity.ts';
import type { MigrationRecord, RecordedDisk, VirtualMachineSpec } from './storageMigration.ts';

/** Share of a file system that KubeVirt and CDI keep free by default (contract §8). */
const filesystemOverhead = 0.055;

const sizeOf = (claim: PersistentVolumeClaim): number => Math.max(claim.capacityBytes, claim.requestedBytes);

/**
 * How many bytes a target must offer to hold the disk on `source`. From a block claim onto a file system the overhead
 * comes on top: the image file is as large as the device.
 */
export const neededBytes = (source: PersistentVolumeClaim, mode: PersistentVolumeClaim['volumeMode']): number => {
  const bytes = sizeOf(source);
  return source.volumeMode === 'Block' && mode === 'Filesystem' ? Math.ceil(bytes / (1 - filesystemOverhead)) : bytes;
};

/** What is wrong with the claims of one disk; undefined when they will do, or when the target is still to be made. */
export const claimsProblem = (
  view: MachineView,
  disk: { readonly source: string; readonly target: string },
): Attention | undefined => {
  const source = view.claim(disk.source);
  if (source === undefined) {
    return {
      reason: 'SourceClaimMissing',
      message: `source claim ${disk.source} does not exist; restore it or remove the disk from this migration`,
    };
  }
  const target = view.claim(disk.target);
  if (target === undefined) return undefined;
  if (target.deleting) {
    return {
      reason: 'TargetClaimDeleting',
      message: `target claim ${disk.target} is being deleted; wait until it is gone or name another one`,
    };
  }
  const needed = neededBytes(source, target.volumeMode);
  if (sizeOf(target) < needed) {
    return {
      reason: 'TargetTooSmall',
      message: `target claim ${disk.target} offers ${quantityText(sizeOf(target))}, ${disk.source} needs ${quantityText(needed)}; make it larger or name another one`,
    };
  }
  return undefined;
};

const targetSpecOf = (wanted: VirtualMachineSpec | undefined, disk: RecordedDisk) =>
  wanted?.volumes.find((volume) => volume.name === disk.volume)?.target;

/** Commands that make the target claims which do not exist yet. */
export const missingClaims = (facts: MachineFacts, record: MigrationRecord): readonly Command[] =>
  record.disks.flatMap((disk): readonly Command[] => {
    const target = targetSpecOf(facts.wanted, disk);
    if (target === undefined || facts.view.claim(disk.target) !== undefined) return [];
    return [{ kind: 'createClaim', disk, target }];
  });

/** A target that another VM names by now: what is written to it may be what that VM's guest is to find there. */
export const takenTarget = (facts: MachineFacts, record: MigrationRecord): Attention | undefined => {
  for (const { target } of record.disks) {
    const users = facts.view.otherUsersOf(target);
    if (users.length === 0) continue;
    return {
      reason: 'TargetInUse',
      message: `target claim ${target} is named by VM ${users.join(', ')} by now; take it out there, or name another one`,
    };
  }
  return undefined;
};

/** The first problem with any claim of an accepted machine, which has no business on its targets yet, nor has any other. */
export const targetObstacle = (facts: MachineFacts, record: MigrationRecord): Attention | undefined => {
  // What cannot be read must not be told to be missing, nor be made a second time.
  const [unreadable] = facts.view.unreadableClaims;
  if (unreadable !== undefined) return { reason: 'UnreadableObject', message: unreadable };
  for (const disk of record.disks) {
    const problem = claimsProblem(facts.view, disk);
    if (problem !== undefined) return problem;
  }
  return takenTarget(facts, record);
};
