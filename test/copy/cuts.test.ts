// Copies that are cut off at random: pods and their programs are killed, told to end and stopped, the network fails, the
// source is changed in between. A copy is believed only when it is whole, and in the end every disk is.
//
// TRANSSHIP_CUTS says how many runs there are, TRANSSHIP_FIRST_CUT with which they begin; with TRANSSHIP_CUT a single one
// is played again.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorMessage } from '../../src/core/errorMessage.ts';
import { networkBlows, places, planOf, processBlows } from './cutPlan.ts';
import { type Played, playRun } from './cutRun.ts';
import { expectPrograms } from './programs.ts';

beforeAll(expectPrograms);

const { TRANSSHIP_CUTS, TRANSSHIP_CUT, TRANSSHIP_FIRST_CUT } = process.env;
const first = Number(TRANSSHIP_CUT ?? TRANSSHIP_FIRST_CUT ?? 1);
const all = TRANSSHIP_CUT === undefined ? Number(TRANSSHIP_CUTS ?? 100) : 1;
/** Runs in one test. */
const batch = 25;
/** Runs at a time: most of one is waiting. */
const lanes = 2;

const played: Played[] = [];

const play = async (seed: number): Promise<void> => {
  try {
    played.push(await playRun(planOf(seed)));
  } catch (error) {
    const again = `TRANSSHIP_CUT=${seed} npx vitest run test/copy/cuts.test.ts`;
    throw new Error(`run ${seed}, again with ${again}\n${errorMessage(error)}`);
  }
};

const numbered = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, times]) => `${name} ${times}`).join(', ') || 'none';
const countsOf = (names: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names.toSorted()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};
const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const attempts = () => played.flatMap((each) => each.attempts);
const struck = (): readonly string[] => attempts().flatMap(({ cut }) => cut ?? []);

/** Of resumes that look for differences, as shares of what a first copy sends: what the resume sent, and both together. */
const resumes = (): readonly { readonly resume: number; readonly both: number }[] =>
  played.flatMap(({ attempts: [cutOff, resume], firstBytes }) =>
    firstBytes === undefined || cutOff?.result === 'whole' || cutOff === undefined || resume?.result !== 'whole'
      ? []
      : [{ resume: resume.wireBytes / firstBytes, both: (cutOff.wireBytes + resume.wireBytes) / firstBytes }],
  );

afterAll(() => {
  const failed = attempts().flatMap(({ result }) => (result === 'whole' ? [] : [result]));
  const missed = attempts().filter(({ cut, isPlanned }) => isPlanned && cut === undefined).length;
  const shares = resumes();
  const percent = (numbers: readonly number[]): string => `${(100 * median(numbers)).toFixed(0)} %`;
  process.stdout.write(
    `${played.length} runs, ${attempts().length} attempts, ${struck().length} cuts (${numbered(countsOf(struck()))}; ` +
      `${missed} came too late), ${failed.length} ended honestly failed (${numbered(countsOf(failed))}); ` +
      `${shares.length} resumes that look for differences sent ${percent(shares.map(({ resume }) => resume))} (median) ` +
      `of what a first copy sends, with what was sent before the cut ${percent(shares.map(({ both }) => both))}\n`,
  );
});

for (let from = first; from < first + all; from += batch) {
  const last = Math.min(from + batch, first + all) - 1;
  test(`a copy is whole or is not believed, runs ${from} to ${last}`, async () => {
    let next = from;
    const lane = async (): Promise<void> => {
      while (next <= last) {
        next += 1;
        await play(next - 1);
      }
    };
    // The others are brought to their ends before what they use is taken away.
    const ends = await Promise.allSettled(
      Array.from({ length: lanes }, () =>
        lane().catch((error: unknown) => {
          next = last + 1;
          throw error;
        }),
      ),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  });
}

test.skipIf(all < 100)('and everything was struck in every way', () => {
  const names = struck();
  const missing = [
    ...places.filter((place) => !names.some((name) => name.startsWith(`${place} `))),
    ...[...processBlows, ...networkBlows].filter((blow) => !names.some((name) => name.endsWith(` ${blow}`))),
  ];
  expect(missing).toEqual([]);
});
