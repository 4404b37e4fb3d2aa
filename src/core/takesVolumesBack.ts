// Whether KubeVirt still has to take the volumes of a VMI back after a revert, or never will. Pure; asked before a live
// migration is begun, and before one that was taken back is forgotten.
import { type Decision, type Phase, wait } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import type { VirtualMachineInstance } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';

/** From the beginning of an attempt until KubeVirt has surely seen all that was written to the VM for it, in ms. */
const caughtUpMs = 30_000;

/**
 * KubeVirt begins a volume migration in two runs: the first names the pairs in the VMI's status, the second the targets
 * in its spec (contract §2.1). Where the VM is back on its sources in between, nothing is begun and nothing ever removes
 * the pairs. They are in nobody's way: the next migration of these volumes goes on from them.
 */
export const arePairsStranded = (instance: VirtualMachineInstance, { disks }: MigrationRecord): boolean =>
  instance.volumesChange === undefined &&
  instance.migratedVolumes.every(
    ({ volume, source }) =>
      disks.some((disk) => disk.volume === volume && disk.source === source) &&
      instance.claims.some((each) => each.volume === volume && each.claim === source),
  );

/** What to wait for while the VMI names pairs that KubeVirt may yet act on; undefined when it does not. */
export const takesVolumesBack = (
  phase: Phase,
  { view: { instance, machine } }: MachineFacts,
  record: MigrationRecord,
  now: number,
): Decision | undefined => {
  if (instance === undefined || instance.migratedVolumes.length === 0) return undefined;
  const waits = (checkAgainMs?: number) => wait(phase, 'KubeVirt to take the volumes back', checkAgainMs);
  if (!arePairsStranded(instance, record)) return waits();
  const { live } = record;
  // A record that was written after the revert says nothing of when the VM was patched, and nothing is on its way any more.
  if (live === undefined || live.vmGeneration === machine?.generation) return undefined;
  const leftMs = Date.parse(live.startedAt) + caughtUpMs - now;
  return leftMs > 0 ? waits(leftMs) : undefined;
};
