// The daemon's options as demo and tests run it on a simulated cluster: the defaults of Config where time does not
// matter, and where it does the same proportions in a hurry.

import { createHash } from 'node:crypto';

let drawn = 0;

/** Never the same twice, whichever daemon asks: a name that was used before would mean the keys of another server. */
const randomHex = (bytes: number): string => {
  drawn += 1;
  return createHash('sha256')
    .update(String(drawn))
    .digest('hex')
    .slice(0, 2 * bytes);
};

/** `speed` divides every time, as it does in the cluster. `random` spreads watches and back-offs. */
export const daemonOptions = (speed: number, random: () => number) => ({
  settleMs: 1000 / speed,
  settleMaxMs: 10_000 / speed,
  resyncMs: 60_000 / speed,
  auditMs: 2,
  startupHoldMs: 2000 / speed,
  lateWriteMs: 10_000 / speed,
  copyImage: 'transship:demo',
  progressMs: 2000 / speed,
  randomHex,
  instance: 'transship-simulated',
  watch: { random, backoffMs: 250 / speed, maxBackoffMs: 5000 / speed, quietMs: 10_000 / speed },
  limits: {
    cutOverQuietMs: 2000 / speed,
    maxLiveAttempts: 5,
    maxFailedMigrations: 5,
    maxCopyFailures: 5,
    copyRetryMs: 1000 / speed,
    gatherMs: 5000 / speed,
    retryMs: 250 / speed,
    retryMaxMs: 10_000 / speed,
    moveGapMs: 5000 / speed,
    statusMs: 1000 / speed,
    concurrentCreates: 4,
  },
});
