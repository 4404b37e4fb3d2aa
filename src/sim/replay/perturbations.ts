// What may happen to watches on their way: events repeated, one kind later than another, watches cut so that only a list
// helps, the daemon killed and started again. Each is a variation in which a tape is played.
import { seededRandom } from '../apiServer/seededRandom.ts';
import type { Tape } from './tape.ts';

export interface Perturbation {
  readonly name: string;
  readonly duplicates: boolean;
  /** By how much event `index` of a kind is late, in ms. */
  readonly lateMs: (plural: string, index: number) => number;
  /** Moments, in ms, at which every watch is answered 410 Gone. */
  readonly cutsMs: readonly number[];
  /** How long it takes about until the list after a cut; what happens meanwhile is not told. */
  readonly relistMs: number;
  /** Moments, in ms, at which the daemon is killed and started again. */
  readonly restartsMs: readonly number[];
}

/** Everything arrives as it was recorded. */
export const asRecorded: Perturbation = {
  name: 'as recorded',
  duplicates: false,
  lateMs: () => 0,
  cutsMs: [],
  relistMs: 250,
  restartsMs: [],
};

const numberOf = (text: string): number => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7);

/** Each kind is late by itself, up to `mostMs`, differently for each event and each seed. */
const lateBy =
  (seed: number, mostMs: number) =>
  (plural: string, index: number): number => {
    const random = seededRandom(numberOf(`${seed} ${plural} ${index}`));
    random();
    return Math.round(random() * mostMs);
  };

/** Every event comes twice, and once more after the next one. */
export const duplicated: Perturbation = { ...asRecorded, name: 'duplicated', duplicates: true };

/** Kinds are late by up to `mostMs`, independently of each other. */
export const delayed = (seed: number, mostMs = 300): Perturbation => ({
  ...asRecorded,
  name: `delayed across kinds by up to ${mostMs} ms, seed ${seed}`,
  lateMs: lateBy(seed, mostMs),
});

/** Watches are cut at these moments; what happens within `relistMs` or so is only seen in the list. */
export const cutAt = (cutsMs: readonly number[], relistMs = 250): Perturbation => ({
  ...asRecorded,
  name: `cut at ${cutsMs.map((ms) => `${ms} ms`).join(', ')} (back after ${relistMs} ms)`,
  cutsMs,
  relistMs,
});

/** The daemon is started again at these moments. */
export const restartedAt = (restartsMs: readonly number[]): Perturbation => ({
  ...asRecorded,
  name: `restarted at ${restartsMs.map((ms) => `${ms} ms`).join(', ')}`,
  restartsMs,
});

/** Moments just after something was recorded, every one different, in order. */
export const momentsOf = (tape: Tape): readonly number[] =>
  [...new Set(tape.lines.map(({ at }) => at + 1))].toSorted((a, b) => a - b);

/** About `count` of them, evenly spread. */
const some = (moments: readonly number[], count: number): readonly number[] => {
  const step = Math.max(1, Math.ceil(moments.length / count));
  return moments.filter((_, index) => index % step === Math.floor(step / 2));
};

/** The variations in which every tape is played beside the one that was recorded. */
export const perturbationsOf = (tape: Tape): readonly Perturbation[] => {
  const moments = momentsOf(tape);
  const middle = moments[Math.floor(moments.length / 2)] ?? 0;
  const few = some(moments, 5);
  return [
    duplicated,
    ...[1, 2, 3].map((seed) => delayed(seed)),
    cutAt([middle]),
    cutAt(few),
    ...some(moments, 8).map((ms) => cutAt([ms], 1000)),
    ...some(moments, 8).map((ms) => restartedAt([ms])),
    restartedAt(few),
    { ...delayed(4), name: 'duplicated, delayed and cut', duplicates: true, cutsMs: few },
  ];
};
