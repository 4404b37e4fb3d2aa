// The table at the end: for each row what was expected, what was seen in which order, whether the disks hold what the
// guests wrote, and the verdict. Pure.
import type { Row } from '../scenario/rows.ts';
import type { Paint } from './paint.ts';
import type { Performed } from './performRow.ts';

/** Breaks a text at spaces into lines of at most `width`; a longer word is left as it is. */
export const wrapped = (text: string, width: number): readonly string[] => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
};

const widths = { number: 2, expected: 32, seen: 34, disks: 8, time: 6, verdict: 7 };

const headings = {
  number: '#',
  expected: 'expected',
  seen: 'seen, in this order',
  disks: 'disks',
  time: 'time',
  verdict: 'verdict',
};

type Name = keyof typeof widths;
const names = Object.keys(widths) as Name[];

const lineOf = (cells: Readonly<Partial<Record<Name, string>>>): string =>
  names
    .map((name) => (cells[name] ?? '').padEnd(widths[name]))
    .join('  ')
    .trimEnd();

/** What the row is judged by, and what people did; the rest only makes the list long. */
const isTelling = (what: string, { chains, never }: Row): boolean =>
  what.startsWith('people ') || never.includes(what) || chains.some((chain) => chain.includes(what));

const linesOf = (result: Performed, paint: Paint): readonly string[] => {
  const { row, faults, milestones, verifiedDisks, lostDisks, clusterMs } = result;
  const title = wrapped(`${row.title}:`, widths.expected);
  const expected = [...title, ...wrapped(row.expected, widths.expected)];
  const seen = wrapped(milestones.flatMap(({ what }) => (isTelling(what, row) ? [what] : [])).join(', '), widths.seen);
  const passed = faults.length === 0;
  const first = {
    number: String(row.number),
    disks: lostDisks === 0 ? `${verifiedDisks} whole` : `${lostDisks} LOST`,
    time: `${(clusterMs / 1000).toFixed(1)}s`.padStart(widths.time - 1),
  };
  const height = Math.max(expected.length, seen.length);
  const lines = Array.from({ length: height }, (_, index) => {
    const line = lineOf({ ...(index === 0 ? first : {}), expected: expected[index] ?? '', seen: seen[index] ?? '' });
    // Painted after padding, because colours have a length but no width.
    const title0 = title[index];
    const bold = title0 === undefined ? line : line.replace(title0, () => paint('bold', title0));
    if (index > 0) return bold;
    const room = lineOf({ ...first, expected: expected[0] ?? '', seen: seen[0] ?? '', verdict: '|' }).length - 1;
    const verdict = passed ? paint('green', 'passed') : paint('red', 'FAILED');
    return `${bold}${' '.repeat(Math.max(0, room - line.length))}${verdict}`;
  });
  return [...lines, ...faults.flatMap((fault) => wrapped(fault, 92).map((text) => `    ${paint('red', text)}`))];
};

/** The table with a heading, rows apart from each other. */
export const tableOf = (results: readonly Performed[], paint: Paint): readonly string[] => {
  const rule = paint('dim', '─'.repeat(names.reduce((sum, name) => sum + widths[name] + 2, -2)));
  return [paint('bold', lineOf(headings)), ...results.flatMap((result) => [rule, ...linesOf(result, paint)]), rule];
};

/** The last line of the demo. */
export const totalOf = (results: readonly Performed[]): string => {
  const passed = results.filter(({ faults }) => faults.length === 0).length;
  return `${passed} passed, ${results.length - passed} failed`;
};
