// A disk that is hotplugged, as its guest has it: it comes when the pod that attaches it runs, and goes when that pod is
// deleted.
import { type Disks, mountedDisks } from '../nodes/disks.ts';
import type { Pod } from './objects.ts';

/** Gives the guest of a VMI the disks of an attachment pod, or takes them away. */
export const attachDisks = (disks: Disks, vmiUid: string, pod: Pod): void => {
  const isDeleted = pod.metadata.deletionTimestamp !== undefined;
  for (const disk of mountedDisks(pod)) {
    if (pod.status?.phase === 'Running' && !isDeleted) disks.attach(vmiUid, disk);
    else if (isDeleted && disks.running(vmiUid)?.some(({ claim }) => claim === disk.claim) === true) {
      disks.detach(vmiUid, disk.volume);
    }
  }
};
