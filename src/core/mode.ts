// What one machine needs now (design §1): the coarse state whose changes cancel one kind of migration and start the
// other. Pure; settled per machine in streams/modes.ts before anything is started by it.
import type { MachineFacts } from './facts.ts';

export type Mode = 'live' | 'offline' | 'hold' | 'done';

/** Whether the machine was given up and spec has not changed since. */
export const isGivenUp = (facts: MachineFacts): boolean =>
  facts.record?.gaveUp !== undefined && facts.record.gaveUp.generation === facts.view.migration.generation;

/**
 * The mode of a machine. `live` and `offline` need evidence for them; whatever is changing, unknown, refused, given up
 * or to be undone is `hold`, in which only cancelling is allowed.
 */
export const modeOf = (facts: MachineFacts): Mode => {
  const { record } = facts;
  if (record === undefined) return 'hold';
  if (record.completed !== undefined) return 'done';
  if (facts.goal === 'cancel' || facts.identity !== 'same' || isGivenUp(facts)) return 'hold';
  if (facts.view.unreadable.length > 0) return 'hold';
  if (facts.spec === 'foreign' || facts.switchOver.kind === 'unknown') return 'hold';
  if (facts.guest.kind === 'running') return 'live';
  return facts.guest.kind === 'off' ? 'offline' : 'hold';
};
