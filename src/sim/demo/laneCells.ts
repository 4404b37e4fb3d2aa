// The glyphs of one lane: what stands in each column, and what it means. Legend and diagram both read from here. Pure.
import type { Paint, Style } from './paint.ts';
import type { ContentState, GuestState, Lane, ModeState, PodState, Sight, Span } from './score.ts';

export interface Cell {
  readonly glyph: string;
  readonly style: Style;
}

/** The time that one column stands for, in ms; without its end. */
export interface Column {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Look {
  /** Fills the columns. */
  readonly fill: string;
  readonly style: Style;
  /** Stands at the beginning of a stretch. */
  readonly label: string;
}

const guests: Readonly<Record<GuestState, Look>> = {
  'off A': { fill: '·', style: 'dim', label: 'off A ' },
  'off B': { fill: '·', style: 'green', label: 'off B ' },
  starting: { fill: '▲', style: 'yellow', label: '' },
  'on A': { fill: '═', style: 'blue', label: 'on A ' },
  'on B': { fill: '═', style: 'green', label: 'on B ' },
  stopping: { fill: '▼', style: 'yellow', label: '' },
};

const modes: Readonly<Record<ModeState, Look>> = {
  live: { fill: '─', style: 'magenta', label: 'live ' },
  offline: { fill: '─', style: 'cyan', label: 'offline ' },
  hold: { fill: '─', style: 'yellow', label: 'hold ' },
  done: { fill: '─', style: 'green', label: 'done ' },
};

const contents: Readonly<Record<ContentState, Look>> = {
  none: { fill: ' ', style: 'plain', label: '' },
  little: { fill: '░', style: 'cyan', label: '' },
  half: { fill: '▒', style: 'cyan', label: '' },
  most: { fill: '▓', style: 'cyan', label: '' },
  all: { fill: '█', style: 'green', label: '' },
};

const pods: Readonly<Record<PodState, Look>> = {
  pending: { fill: '○', style: 'yellow', label: '' },
  running: { fill: '━', style: 'plain', label: '' },
  ending: { fill: '┄', style: 'red', label: '' },
  succeeded: { fill: '✓', style: 'green', label: '' },
  failed: { fill: '✗', style: 'red', label: '' },
};

const gone: Cell = { glyph: '×', style: 'red' };
const nothing: Cell = { glyph: ' ', style: 'plain' };

const lookOf = (sight: Sight): Look => {
  switch (sight.kind) {
    case 'guest':
      return guests[sight.state];
    case 'mode':
      return modes[sight.state];
    case 'content':
      return contents[sight.state];
    case 'pod':
      return pods[sight.state];
    default:
      return sight satisfies never;
  }
};

/** What is seen at the end of a column, and what is left in it of a pod that has gone meanwhile. */
interface Glance {
  readonly span: Span | undefined;
  readonly left: Cell;
}

const glanceAt = (lane: Lane, { fromMs, toMs }: Column): Glance => {
  const begun = lane.spans.filter((span) => span.fromMs < toMs);
  const span = begun.at(-1);
  const wentAway = begun.length > 1 && span !== undefined && span.sight === undefined && span.fromMs >= fromMs;
  if (!wentAway) return { span, left: nothing };
  const completed = begun.some(
    ({ sight }, index) => (begun[index + 1]?.fromMs ?? fromMs) >= fromMs && sight?.state === 'succeeded',
  );
  return { span, left: completed ? { glyph: pods.succeeded.fill, style: pods.succeeded.style } : gone };
};

/** Shorter stretches have no label. */
const shortestLabel = 3;

/** The label as far as there is room for it; a part of it leaves a space before what follows. */
const written = ({ label, fill }: Look, length: number): readonly string[] => {
  if (length < shortestLabel) return [...fill.repeat(length)];
  return [...(label.length <= length ? label.padEnd(length, fill) : `${label.slice(0, length - 1)} `)];
};

/** What stands in each column of a lane. A pod that comes and goes within one leaves its end. */
export const cellsOf = (lane: Lane, columns: readonly Column[]): readonly Cell[] => {
  const glances = columns.map((column) => glanceAt(lane, column));
  const cells: Cell[] = [];
  while (cells.length < glances.length) {
    const { span, left } = glances[cells.length] ?? { span: undefined, left: nothing };
    if (span?.sight === undefined) {
      cells.push(left);
      continue;
    }
    const rest = glances.slice(cells.length);
    const stretch = rest.findIndex((glance) => glance.span !== span);
    const look = lookOf(span.sight);
    const glyphs = written(look, stretch < 0 ? rest.length : stretch);
    cells.push(...glyphs.map((glyph) => ({ glyph, style: look.style })));
  }
  return cells;
};

/** What the signs mean, as lines. */
export const legend = (speed: number, paint: Paint): readonly string[] => {
  const sign = ({ fill, style, label }: Look, length = 3): string => paint(style, `${label}${fill.repeat(length)}`);
  const pod = (state: PodState, word: string): string => `${paint(pods[state].style, pods[state].fill)} ${word}`;
  const name = (text: string): string => paint('bold', text.padEnd(9));
  return [
    'Each disk is moved from claim A to claim B: live while its machine runs, offline while it is off.',
    `${name('VM')}${sign(guests['off A'])} off   ${sign(guests.starting)} starting   ${sign(guests['on A'])} running   ${sign(guests.stopping)} stopping   A, B: its disk`,
    `${name('mode')}what the daemon has settled on: ${paint('magenta', 'live')}, ${paint('cyan', 'offline')}, ${paint('yellow', 'hold')} (may only cancel) or ${paint('green', 'done')}`,
    `${name('disk B')}how much of what the guest has written is on B: ${paint('cyan', '░ ▒ ▓')} a part, ${paint('green', '█')} all`,
    `${name('pods')}${pod('pending', 'pending')}   ${pod('running', 'running')}   ${pod('ending', 'told to end')}   ${pod('succeeded', 'completed')}   ${pod('failed', 'failed')}   ${paint(gone.style, gone.glyph)} gone`,
    paint('dim', `Times are the cluster's, since the migration was asked for; here it runs ${speed} times as fast.`),
  ];
};
