// Whether a pod's containers have all ended for good: such a pod can write nothing any more, though it may still exist.
import type { Pod } from './objects.ts';

/** Phase Succeeded or Failed. A pod whose phase is not known may be writing. */
export const hasEnded = ({ phase }: Pick<Pod, 'phase'>): boolean => phase === 'Succeeded' || phase === 'Failed';
