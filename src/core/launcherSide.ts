// On which claims the virt-launcher stands that runs the guest: what shows, where VM and VMI may both name something
// else, on which disk the guest writes. Pure; one of the facts.
import type { MachineView } from './facts.ts';
import { isFinal } from './guest.ts';
import { hasEnded } from './hasEnded.ts';
import type { Pod, VirtualMachineInstance } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';

/**
 * On which claims the launcher that runs the guest stands (contract §4.6). `none`: no such pod is seen, or not all of
 * what it mounts: a hotplugged disk comes a moment after the rest. `mixed`: B is under the guest, and not B alone.
 */
export type LauncherSide = 'source' | 'target' | 'mixed' | 'none';

/** Claims under a launcher, those of its hotplug pods included (contract §2.5). */
export const claimsUnder = (launcher: Pod, pods: readonly Pod[]): readonly string[] => [
  ...launcher.claims,
  ...pods.flatMap((pod) => (pod.role === 'hotplug' && pod.ownerUid === launcher.uid ? pod.claims : [])),
];

const sideOf = (claims: readonly string[], record: MigrationRecord): LauncherSide => {
  const onSource = record.disks.filter((disk) => claims.includes(disk.source)).length;
  const onTarget = record.disks.filter((disk) => claims.includes(disk.target)).length;
  if (onTarget > 0) return onTarget === record.disks.length && onSource === 0 ? 'target' : 'mixed';
  return onSource === record.disks.length ? 'source' : 'none';
};

/** The launcher that runs the guest: the target's once the guest has switched over, else the one on the VMI's node. */
const activeLauncher = (instance: VirtualMachineInstance, pods: readonly Pod[]): Pod | undefined => {
  const launchers = pods.filter((pod) => pod.role === 'launcher' && pod.ownerUid === instance.uid && !hasEnded(pod));
  const state = instance.migrationState;
  if (state !== undefined && state.targetNodeDomainReadyTimestamp !== '') {
    // Until it is seen none is: one that is left over may stand on the same node.
    return launchers.find((pod) => pod.name === state.targetPod);
  }
  // One on another node may outlive it: that is not the guest's.
  const candidates = launchers.filter(
    (pod) => [pod.nodeName, instance.nodeName].includes('') || pod.nodeName === instance.nodeName,
  );
  return candidates.length === 1 ? candidates[0] : undefined;
};

/** The side of the machine's launcher now. */
export const launcherSideOf = (view: MachineView, record: MigrationRecord): LauncherSide => {
  if (view.instance === undefined || isFinal(view.instance)) return 'none';
  const launcher = activeLauncher(view.instance, view.pods);
  return launcher === undefined ? 'none' : sideOf(claimsUnder(launcher, view.pods), record);
};
