// The cluster on which rows are played with real copies. People come into the middle of something a moment after it has
// begun, in real time (realVariation.ts), so live copies last long enough for that too, also on a busy machine.
import type { WorldOptions } from './world.ts';

/** How long a live copy lasts, in ms of real time. */
const liveCopyMs = 2500;

/** Options of a cluster that is `speed` times as fast as a real one. */
export const realWorld = (speed: number): WorldOptions => ({
  realCopies: {},
  kubeVirt: { liveCopyMs: liveCopyMs * speed },
});
