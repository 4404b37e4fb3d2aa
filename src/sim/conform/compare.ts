// Compares what the simulation did with what was recorded: per object and field the sequence of distinct values must be
// that of a recording, apart from the listed freedoms.
import { freedoms } from './freedoms.ts';
import type { Sequences } from './timeline.ts';

export interface Difference {
  readonly object: string;
  readonly field: string;
  readonly expected: readonly (readonly string[])[];
  readonly got: readonly string[];
}

/** The values of a field that may come and go. */
export const passingOf = (object: string, field: string): ReadonlySet<string> =>
  new Set(
    freedoms
      .filter((freedom) => freedom.field === field && freedom.object.test(object))
      .flatMap(({ passing }) => passing),
  );

/** Without values that only pass between others; the first and the last value always count. */
const collapsed = (values: readonly string[]): readonly string[] =>
  values.filter((value, index) => value !== values[index - 1]);

const settled = (values: readonly string[], passing: ReadonlySet<string>): string => {
  const kept = values.filter((value, index) => index === 0 || index === values.length - 1 || !passing.has(value));
  return JSON.stringify(collapsed(kept));
};

const absent: readonly string[] = [];

/** Whether `values` has come as far as `wanted`: it begins with it, or has left its way for good. */
export const hasReached = (
  values: readonly string[],
  wanted: readonly string[],
  passing: ReadonlySet<string>,
): boolean => {
  const kept = (list: readonly string[]): readonly string[] => collapsed(list.filter((value) => !passing.has(value)));
  const [mine, theirs] = [kept(values), kept(wanted)];
  if (mine.length >= theirs.length) return true;
  return mine.some((value, index) => value !== theirs[index]);
};

/** Every difference between what was got and all of the recordings of one scenario. */
export const differences = (got: Sequences, recordings: readonly Sequences[]): readonly Difference[] => {
  const objects = new Set([...got.keys(), ...recordings.flatMap((recording) => [...recording.keys()])]);
  const found: Difference[] = [];
  for (const object of objects) {
    const all = [got, ...recordings].map((sequences) => sequences.get(object));
    const fields = new Set(all.flatMap((sequences) => [...(sequences?.keys() ?? [])]));
    for (const field of fields) {
      const passing = passingOf(object, field);
      const [mine = absent, ...expected] = all.map((sequences) => sequences?.get(field) ?? absent);
      if (expected.some((values) => settled(values, passing) === settled(mine, passing))) continue;
      found.push({ object, field, expected, got: mine });
    }
  }
  return found;
};
