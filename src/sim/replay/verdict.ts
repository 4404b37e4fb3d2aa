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

/** An event may be this late before a cut, and the list this much later than asked for, in ms. */
const slackMs = 500;

/** Whether the end of some VMI fell into a time in which nobody listened, or nobody remembers it. */
const missedAnEnd = (tape: Tape, { cutsMs, relistMs, restartsMs }: Perturbation): boolean =>
  tape.lines.some(
    (line) =>
      line.kind === 'event' &&
      line.watch === 'virtualmachineinstances' &&
      line.type === 'DELETED' &&
      (restartsMs.some((ms) => line.at <= ms + slackMs) ||
        cutsMs.some((ms) => line.at >= ms - slackMs && line.at <= ms + relistMs + slackMs)),
  );

/** Whether a machine ended in "nobody knows": the one end that may differ, for what was missed cannot be known (law 7). */
const isUndecided = ({ is }: End): boolean => is['switchOver'] === 'unknown' && is['mode'] === 'hold';

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
      if (isUndecided(end) && missedAnEnd(tape, perturbation)) undecided.push(`${end.machine} [${perturbation.name}]`);
      else different.push(`${end.machine}: ${difference} [${perturbation.name}]`);
    });
  }
  return { played, count: perturbations.length + 1, broken, different, undecided };
};

/** What a program says of it to whoever started it: 0 if all is well, 1 if a law was broken (the same end is law 8). */
export const exitCodeOf = ({ broken, different }: Verdict): 0 | 1 => (broken.length + different.length === 0 ? 0 : 1);

/** The verdict in one sentence. */
export const verdictText = (verdict: Verdict): string => {
  const { broken, different, count, undecided } = verdict;
  if (exitCodeOf(verdict) === 1) {
    return `bad: laws broken ${broken.length} times and ${different.length} other ends in ${count} variations`;
  }
  const asked =
    undecided.length === 0
      ? ''
      : `; in ${undecided.length} the end of a VMI was missed and a person was asked, as law 7 demands`;
  return `good: played in ${count} variations, no law broken, the same end each time${asked}`;
};
