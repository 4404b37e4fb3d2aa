// What one run of an effect's loop did, and how its loop goes on: the shape all loops share.

import type { MigrationKey, Reading } from '../core/reading.ts';
import type { EffectLimits } from './deps.ts';
import type { Happening } from './happening.ts';

export interface Run {
  readonly happenings: readonly Happening[];
  /** When to run again although nothing happened; undefined: when something does. */
  readonly checkAgainMs: number | undefined;
}

/** Nothing was to be done. */
export const idle = (checkAgainMs?: number): Run => ({ happenings: [], checkAgainMs });

/** The wait after so many writes in a row that were not done: doubles up to the maximum. */
export const backOffMs = (failures: number, { retryMs, retryMaxMs }: EffectLimits): number =>
  Math.min(retryMaxMs, retryMs * 2 ** Math.min(failures - 1, 16));

/** How long ago the newest event arrived, as a happening: told by what ends something, when an event woke it. */
export const reactionTo = (
  { namespace, migration }: MigrationKey,
  { reading, now }: { readonly reading: Reading; readonly now: () => number },
): readonly Happening[] => {
  const arrivedMs = reading.lastEventMs();
  return arrivedMs === undefined ? [] : [{ kind: 'reacted', key: { namespace, migration }, ms: now() - arrivedMs }];
};
