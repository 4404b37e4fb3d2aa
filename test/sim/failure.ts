// What went wrong when a schedule was played, and the report of it for a person: the schedule shrunk to what is needed,
// as lines that can be read, with the commands that play both again.
import { errorMessage } from '../../src/core/errorMessage.ts';
import { type FleetPerformance, type PlayedFleet, playedSchedule } from './playedFleet.ts';
import { keeping, partsOf, type Schedule } from './schedule.ts';
import { scheduleText } from './scheduleText.ts';
import { shrink } from './shrink.ts';

export interface Failure {
  /** The same for failures that have the same cause as far as can be told: the law, or the words without names. */
  readonly kind: string;
  readonly report: string;
}

export type Playing =
  | { readonly kind: 'passed'; readonly played: PlayedFleet }
  | { readonly kind: 'failed'; readonly failure: Failure };

type Hooks = Pick<FleetPerformance, 'told' | 'onRequest'>;

const kindOf = (report: string): string =>
  /LAW BROKEN: .*/.exec(report)?.[0] ?? (report.split('\n')[0] ?? '').replace(/\S*\d\S*/g, '…');

/** Plays a schedule; whatever is wrong with it is a value. */
export const playing = (schedule: Schedule, hooks: Hooks = {}): Playing => {
  try {
    const played = playedSchedule(schedule, hooks);
    const { faults } = played.result;
    if (faults.length === 0) return { kind: 'passed', played };
    const report = [...faults, '  the last writes:', ...played.stage.watch.recent(60)].join('\n');
    return { kind: 'failed', failure: { kind: kindOf(report), report } };
  } catch (error) {
    const report = errorMessage(error);
    return { kind: 'failed', failure: { kind: kindOf(report), report } };
  }
};

const command = (seed: number, parts: readonly string[] | undefined): string => {
  const keep = parts === undefined ? '' : ` TRANSSHIP_KEEP=${parts.join(',')}`;
  return `TRANSSHIP_SEED=${seed}${keep} npx vitest run test/sim/seeds.test.ts`;
};

export interface ShrunkFailure {
  readonly parts: readonly string[];
  readonly message: string;
}

/** Shrinks a schedule that fails in this way, and says so; `within` are the parts that were played. */
export const shrunkFailure = (
  schedule: Schedule,
  failure: Failure,
  { onRequest }: Pick<FleetPerformance, 'onRequest'> = {},
): ShrunkFailure => {
  const all = partsOf(schedule);
  const play = (parts: Iterable<string>): Playing =>
    playing(keeping(schedule, new Set(parts)), onRequest === undefined ? {} : { onRequest });
  const { parts, plays } = shrink(all, (kept) => {
    const again = play(kept);
    return again.kind === 'failed' && again.failure.kind === failure.kind;
  });
  const last = play(parts);
  const message = [
    `seed ${schedule.seed}: ${failure.kind}`,
    `of ${all.length} parts ${parts.length} are needed (${plays} schedules played):`,
    ...scheduleText(keeping(schedule, new Set(parts))).map((line) => `  ${line}`),
    `replay this with  ${command(schedule.seed, parts)}`,
    `replay all with   ${command(schedule.seed, undefined)}`,
    last.kind === 'failed' ? last.failure.report : failure.report,
  ].join('\n');
  return { parts, message };
};
