// Reads the volumes of a virtual machine and says on which claims they stand: the only place that knows how a volume
// entry names its claim. Pure; feeds facts, refusals and patches.
import type { Verbatim, VirtualMachine } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';

const field = (entry: unknown, name: string): unknown =>
  typeof entry === 'object' && entry !== null ? (entry as Verbatim)[name] : undefined;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The volume's name; empty if the entry has none. */
export const volumeName = (entry: Verbatim): string => text(entry['name']);

/** The claim behind a volume entry; a DataVolume's claim has its name (contract §1.1). Empty: not a claim at all. */
export const claimOf = (entry: Verbatim): string =>
  text(field(entry['persistentVolumeClaim'], 'claimName')) || text(field(entry['dataVolume'], 'name'));

/** Whether the entry is a disk that was plugged in while the machine ran; the mark must be kept (contract §1.1). */
export const isHotplugged = (entry: Verbatim): boolean =>
  field(entry['persistentVolumeClaim'], 'hotpluggable') === true || field(entry['dataVolume'], 'hotpluggable') === true;

/** The name under `metadata` of a dataVolumeTemplates entry. */
export const templateName = (template: Verbatim): string => text(field(template['metadata'], 'name'));

/**
 * On which claims the recorded disks of a machine stand by its spec. `foreign`: a disk is gone from the spec or names
 * a claim that is neither its source nor its target, so somebody else is at work.
 */
export type SpecSide = 'source' | 'target' | 'mixed' | 'foreign';

/** Compares a machine's spec with the record; see SpecSide. */
export const specSideOf = (machine: VirtualMachine, record: MigrationRecord): SpecSide => {
  let onSource = 0;
  let onTarget = 0;
  for (const disk of record.disks) {
    const entry = machine.volumes.find((volume) => volumeName(volume) === disk.volume);
    const claim = entry === undefined ? '' : claimOf(entry);
    if (claim === disk.source) onSource += 1;
    else if (claim === disk.target) onTarget += 1;
    else return 'foreign';
  }
  if (onTarget === 0) return 'source';
  return onSource === 0 ? 'target' : 'mixed';
};

/** The disks of a record in words: "rootdisk: web-root to web-root-fast". */
export const describeDisks = (record: MigrationRecord): string =>
  record.disks.map((disk) => `${disk.volume}: ${disk.source} to ${disk.target}`).join(', ');
