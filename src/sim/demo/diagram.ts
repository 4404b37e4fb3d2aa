// Draws a score as a marble diagram: time grows to the right, one column for each slice of it, a lane for each machine
// and pod. Pure: text in, text out; the widths are those of a plain terminal.
import { type Cell, type Column, cellsOf } from './laneCells.ts';
import type { Paint } from './paint.ts';
import type { Lane, Note, Score } from './score.ts';

export interface Drawing {
  /** The diagram's lines: scale, numbers of the steps, lanes. */
  readonly lanes: readonly string[];
  /** What happened, a line for each number in the diagram. */
  readonly steps: readonly string[];
}

export interface DrawOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly paint: Paint;
}

const labelWidth = 19;
const stepIndent = 12;

/** How much time one column stands for, in ms: the first that lets all of it stand in the width. */
const slices = [250, 300, 400, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

const sliceFor = (untilMs: number, columns: number): number =>
  slices.find((slice) => Math.floor(untilMs / slice) < columns) ?? Math.ceil((untilMs + 1) / columns);

const labelOf = ({ role, machine, slot }: Lane, lanes: readonly Lane[]): string => {
  const isAlone = lanes.every((other) => other.slot === slot || other.role !== role || other.machine !== machine);
  const number = isAlone ? '' : ` ${slot}`;
  switch (role) {
    case 'guest':
      return `VM ${machine}`;
    case 'mode':
      return '  mode';
    case 'content':
      return '  disk B';
    case 'launcher':
      return `  virt-launcher${number}`;
    case 'client':
      return `  copy client${number}`;
    case 'server':
      return `copy server${number}`;
    default:
      return role satisfies never;
  }
};

/** Cells of the same style are painted together. */
const painted = (cells: readonly Cell[], paint: Paint): string => {
  const runs: { style: Cell['style']; text: string }[] = [];
  const end = cells.findLastIndex(({ glyph }) => glyph !== ' ') + 1;
  for (const { style, glyph } of cells.slice(0, end)) {
    const last = runs.at(-1);
    if (last?.style === style) last.text += glyph;
    else runs.push({ style, text: glyph });
  }
  return runs.map(({ style, text }) => paint(style, text)).join('');
};

/** Writes texts into one line at their columns; one that would run into the text before it is left out. */
const lineWith = (texts: readonly { readonly column: number; readonly text: string }[], width: number): string => {
  let line = '';
  for (const { column, text } of texts) {
    if (column < line.length + (line === '' ? 0 : 1) || column + text.length > width) continue;
    line = line.padEnd(column) + text;
  }
  return line;
};

const everySeconds = (sliceMs: number): number =>
  [2, 5, 10, 30, 60, 300, 600].find((s) => (s * 1000) / sliceMs >= 6) ?? 3600;

const scaleOf = (columns: number, sliceMs: number): string => {
  const step = everySeconds(sliceMs);
  const marks = Array.from({ length: Math.ceil((columns * sliceMs) / 1000 / step) }, (_, index) => index * step);
  return lineWith(
    marks.map((seconds) => ({ column: Math.ceil((seconds * 1000) / sliceMs), text: `${seconds}s` })),
    columns,
  );
};

/** All milestones of one column are one step: they are too near each other to be told apart in the diagram. */
interface Step {
  readonly column: number;
  readonly notes: readonly Note[];
}

const stepsOf = (notes: readonly Note[], sliceMs: number): readonly Step[] => {
  const steps = new Map<number, Note[]>();
  for (const note of notes) {
    const column = Math.floor(note.atMs / sliceMs);
    steps.set(column, [...(steps.get(column) ?? []), note]);
  }
  return [...steps].map(([column, together]) => ({ column, notes: together }));
};

/** Numbers above their columns, tens over units, so that neighbours do not run into each other. */
const numbersOf = (steps: readonly Step[]): readonly string[] => {
  const line = (digit: (number: number) => string): string =>
    steps.reduce((text, { column }, index) => text.padEnd(column) + digit(index + 1), '').trimEnd();
  const tens = line((number) => (number < 10 ? ' ' : String(Math.floor(number / 10) % 10)));
  const units = line((number) => String(number % 10));
  return tens === '' ? [units] : [tens, units];
};

const isByPeople = ({ what }: Note): boolean => what.startsWith('people ');

/** A mark where people acted, with what they did beside it. */
const peopleOf = (steps: readonly Step[], columns: number): string => {
  const acts = steps.flatMap(({ column, notes }) => {
    const what = notes.filter(isByPeople).map((note) => note.what.replace('people ', ''));
    return what.length === 0 ? [] : [{ column, text: `▲ ${what.join(', ')}` }];
  });
  // At the right edge the words stand before the mark.
  const placed = acts.map(({ column, text }) =>
    column + text.length <= columns
      ? { column, text }
      : { column: Math.max(0, column + 1 - text.length), text: `${text.slice(2)} ▲` },
  );
  return lineWith(placed, columns);
};

/** A step's lines: number, time of its first milestone, and all of them in their order. */
const stepLines = (step: Step, index: number, { width, paint }: DrawOptions): readonly string[] => {
  const time = `${((step.notes[0]?.atMs ?? 0) / 1000).toFixed(1)}s`;
  const lines: Note[][] = [[]];
  let used = stepIndent;
  for (const note of step.notes) {
    if (used > stepIndent && used + note.what.length > width) {
      lines.push([]);
      used = stepIndent;
    }
    lines.at(-1)?.push(note);
    used += note.what.length + 2;
  }
  return lines.map((notes, line) => {
    const words = notes.map((note) => paint(isByPeople(note) ? 'bold' : 'plain', note.what)).join(', ');
    const head = `${paint('bold', String(index + 1).padStart(3))} ${paint('dim', time.padStart(6))}  `;
    return `${line === 0 ? head : ' '.repeat(stepIndent)}${words}${line < lines.length - 1 ? ',' : ''}`;
  });
};

/** Draws what has happened so far. */
export const diagramOf = (score: Score, { width, paint }: DrawOptions): Drawing => {
  const columns = Math.max(20, width - labelWidth - 1);
  const sliceMs = sliceFor(score.untilMs, columns);
  const used = Math.floor(score.untilMs / sliceMs) + 1;
  const steps = stepsOf(score.notes, sliceMs);
  const times: readonly Column[] = Array.from({ length: used }, (_, index) => ({
    fromMs: index * sliceMs,
    toMs: (index + 1) * sliceMs,
  }));
  const titled = (label: string, text: string): string => `${label.padEnd(labelWidth)}${text}`.trimEnd();
  const numbers = numbersOf(steps);
  return {
    lanes: [
      paint('dim', titled('', scaleOf(columns, sliceMs))),
      ...numbers.map((line, index) => paint('bold', titled(index === numbers.length - 1 ? 'step' : '', line))),
      paint('bold', titled('people', peopleOf(steps, columns))),
      ...score.lanes.map((lane) => {
        const label = labelOf(lane, score.lanes).padEnd(labelWidth);
        return `${paint(lane.role === 'guest' ? 'bold' : 'plain', label)}${painted(cellsOf(lane, times), paint)}`;
      }),
    ],
    steps: steps.flatMap((step, index) => stepLines(step, index, { width, paint })),
  };
};
