// Since when nothing has commanded a start of a VM: the fold of the VM store. It must see every version, because a
// snapshot may skip the one in which the VM was started and stopped again (law 5, contract §4.6).
import { startCause } from '../core/guest.ts';
import type { VirtualMachine } from '../core/objects.ts';
import { compareVersions } from '../core/resourceVersion.ts';
import type { Fold } from './storeContent.ts';

/**
 * Fills in `offSince` and `offSinceMs`. A run of versions in which nothing starts the VM goes on only where no version
 * can lie between two of them, and ends where `created` turns true: then KubeVirt has made a VMI all the same.
 */
export const offSince: Fold<VirtualMachine> = {
  next: (previous, next, { contiguous, nowMs }) => {
    if (startCause(next) !== '') return next;
    const wasStarted = previous !== undefined && next.created && !previous.created;
    return contiguous && previous?.offSince !== undefined && !wasStarted
      ? { ...next, offSince: previous.offSince, offSinceMs: previous.offSinceMs }
      : { ...next, offSince: next.resourceVersion, offSinceMs: nowMs };
  },
  late: (kept, late, { nowMs }) => {
    if (kept.offSince === undefined || (compareVersions(late.resourceVersion, kept.offSince) ?? 1) <= 0) return kept;
    // A version from within the run, seen only now: if it could have been a start, the run begins after it.
    if (startCause(late) === '' && !late.created) return kept;
    return { ...kept, offSince: kept.resourceVersion, offSinceMs: nowMs };
  },
};
