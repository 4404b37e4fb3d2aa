// Plays a score: the lines of a cluster on one side, the lines of what the daemon writes on the other.
import { record } from '../core/builders.ts';
import { migration } from './cast.ts';
import { type Cluster, linesOf, recordWords, writeWords } from './letters.ts';
import { marbles } from './marbles.ts';
import { type Play, stage } from './stage.ts';

export interface Expected {
  readonly records: string;
  readonly writes: string;
  /** How the answer to a write comes, by its letter: `-(a|)` unless said otherwise. It lands when it is answered. */
  readonly answers?: Readonly<Record<string, string>>;
  /** From when to when a write was under way, by its letter: it must never be cut off. */
  readonly sent?: Readonly<Record<string, string | readonly string[]>>;
}

const wordOf = (letter: string): string => {
  const word = writeWords[letter];
  if (word === undefined) throw new Error(`There is no write with the letter ${letter}.`);
  return word;
};

/**
 * Plays `cluster` to machines that are accepted and expects what the daemon writes until 5 frames after the last
 * column, and nothing else; every watch is kept from the first frame to the last.
 */
export const expectPlay = (
  machines: readonly string[],
  cluster: Cluster,
  { records, writes, answers = {}, sent = {} }: Expected,
  further: Partial<Play> = {},
): void =>
  marbles((helpers) => {
    const accepted = Object.fromEntries(machines.map((machine) => [machine, record({ machine })]));
    const played = stage(helpers, {
      machines,
      migration: migration(machines, { records: accepted }),
      lines: linesOf(cluster),
      answers: Object.fromEntries(Object.entries(answers).map(([letter, answer]) => [wordOf(letter), answer])),
      ...further,
    });
    const columns = Math.max(...Object.values(cluster).map((line: string) => line.trim().length)) + 5;
    const end = `${'-'.repeat(columns)}!`;
    helpers.expectObservable(played.writes, end).toBe(writes, writeWords);
    helpers.expectObservable(played.records, end).toBe(records, recordWords);
    for (const [letter, line] of Object.entries(sent)) {
      helpers.expectSubscriptions(played.sent(wordOf(letter))).toBe(line);
    }
    if (further.cuts === undefined && further.stop === undefined) {
      for (const watch of played.watches()) helpers.expectSubscriptions(watch).toBe(`^${end.slice(1)}`);
    }
  });
