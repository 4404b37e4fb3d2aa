// The verdict on one recording: played as it was and in every variation, does each end the same way, and is no law ever
// broken?
import { asRecorded, type Perturbation, perturbationsOf } from './perturbations.ts';
import { type End, type Replayed, replay, type Substitutes } from './replay.ts';
import type { Tape } from './tape.ts';

export interface Verdict {
  readonly played: Replayed;
  /** How many variations were played, the recording itself included. */
  readonly count: number;
  /** Laws that were broken, each with the variation in which it was. */
  readonly broken: readonly string[];
  /** Machines that ended otherwise in a variation than as recorded. */
  readonly different: readonly string[];
  /** Variations in which the end of a VMI fell into a gap of the watch, so that a person was rightly asked. */
  readonly undecided: readonly string[];
}

/**
 * Whether a variation ended in "nobody knows": the only end that may differ, because what was missed cannot be known
 * (law 7). It can only come about where something was missed.
 */
const isUndecided = ({ is }: End, { cutsMs, restartsMs }: Perturbation): boolean =>
  cutsMs.length + restartsMs.length > 0 &&
  is['switchOver'] === 'unknown' &&
  is['mode'] === 'hold' &&
  is['decision'] === 'NeedsAttention';

/** What differs between two ends of a machine, in words; empty if nothing does. */
const differenceOf = (expected: End | undefined, got: End): string =>
  Object.entries(got.is)
    .filter(([field, value]) => expected?.is[field] !== value)
    .map(([field, value]) => `${field}: ${expected?.is[field] || '-'} as recorded, ${value || '-'}`)
    .join('; ');

/** Plays `tape` in every variation. */
export const verdictOn = (
  tape: Tape,
  perturbations: readonly Perturbation[] = perturbationsOf(tape),
  substitutes: Substitutes = {},
): Verdict => {
  const played = replay(tape, asRecorded, substitutes);
  const broken = played.broken.map((wrong) => `${wrong} [${asRecorded.name}]`);
  const different: string[] = [];
  const undecided: string[] = [];
  for (const perturbation of perturbations) {
    const other = replay(tape, perturbation, substitutes);
    broken.push(...other.broken.map((wrong) => `${wrong} [${perturbation.name}]`));
    other.ends.forEach((end, index) => {
      const difference = differenceOf(played.ends[index], end);
      if (difference === '') return;
      if (isUndecided(end, perturbation)) undecided.push(`${end.machine} [${perturbation.name}]`);
      else different.push(`${end.machine}: ${difference} [${perturbation.name}]`);
    });
  }
  return { played, count: perturbations.length + 1, broken, different, undecided };
};
