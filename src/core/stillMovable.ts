// The last look before volumes are patched: the VMI as the server has it now, against the facts that were decided on.
// Pure. What was seen may be older than a switch-over; then the patch would make KubeVirt copy onto the disk in use.
import type { MachineFacts } from './facts.ts';
import type { VirtualMachineInstance } from './objects.ts';
import { arePairsStranded } from './takesVolumesBack.ts';

/**
 * Whether the VMI that was just read is the one that was decided on, runs on its source claims, and has not been in a
 * migration that the recorded attempt does not know (contract §0.7, §3).
 */
export const isStillMovable = (read: VirtualMachineInstance | undefined, { view, record }: MachineFacts): boolean => {
  if (read === undefined || record === undefined || read.uid !== view.instance?.uid) return false;
  if (read.phase !== 'Running' || read.deleting || !(read.ready || read.paused)) return false;
  const sources = new Set(record.disks.map((disk) => disk.source));
  const moved = new Set(record.disks.map((disk) => disk.volume));
  const isOnSource = read.claims.every(({ volume, claim }) => !moved.has(volume) || sources.has(claim));
  const state = read.migrationState;
  const isKnown = state === undefined || record.live?.knownMigrations.includes(state.migrationUid) === true;
  return isOnSource && isKnown && (read.migratedVolumes.length === 0 || arePairsStranded(read, record));
};
