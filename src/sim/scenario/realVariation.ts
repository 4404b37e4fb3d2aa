// How the rows are played when copies are real: disks of every kind in turn, copies slow enough for people to come in
// the middle of one, and people who wait until there is a middle.

import type { Row } from './rows.ts';
import type { Variation, VolumeModes } from './variation.ts';

const combinations: readonly VolumeModes[] = [
  { source: 'Filesystem', target: 'Filesystem' },
  { source: 'Filesystem', target: 'Block' },
  { source: 'Block', target: 'Filesystem' },
  { source: 'Block', target: 'Block' },
];

/** Each row begins with another combination, so that all rows together have each several times. */
const combinationsFor = ({ number }: Row): readonly VolumeModes[] =>
  combinations.map((_, index) => combinations[(index + number) % combinations.length] as VolumeModes);

/** A disk of 8 MiB, three quarters of which are worth sending, takes more than two seconds. */
const bandwidthLimit = '2500Ki';

/** From a client's first word on the copy to the deed, in ms. */
const intoTheCopyMs = 600;

/** Many times what a row takes, in ms. */
const timeoutMs = 90_000;

/** What is different; the cluster is `speed` times as fast as a real one, copies are not. */
export const realVariation = (row: Row, speed: number): Partial<Variation> => ({
  delayMs: intoTheCopyMs * speed,
  timeoutMs: timeoutMs * speed,
  copyPods: 'copying',
  bandwidthLimit,
  volumeModes: combinationsFor(row),
});
