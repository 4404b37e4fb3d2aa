// The demo's command line taken apart: what it is asked to do, or what is wrong with it. Pure.
import { parseArgs } from 'node:util';
import { nearest } from '../../core/nearest.ts';
import { rows } from '../scenario/rows.ts';

export type Wish =
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | {
      readonly kind: 'play';
      /** Absent: all rows. */
      readonly row: number | undefined;
      readonly speed: number;
      readonly logFile: string | undefined;
      /** Copy pods are processes, and disks are images and devices. */
      readonly realCopies: boolean;
    }
  | { readonly kind: 'serve'; readonly logFile: string | undefined; readonly realCopies: boolean }
  | { readonly kind: 'mistake'; readonly message: string };

const options = {
  row: { type: 'string' },
  speed: { type: 'string' },
  log: { type: 'string' },
  'real-copies': { type: 'boolean' },
  list: { type: 'boolean' },
  serve: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** How many times as fast as a cluster the rows are played: all of them in half a minute, and still in order on a busy machine. */
export const usualSpeed = 6;
const fastest = 20;

export const help = `Usage: npm run demo -- [--row N] [--speed N] [--log FILE] [--real-copies]
       npm run demo -- --serve [--log FILE] [--real-copies]
       npm run demo -- --list

Starts a simulated Kubernetes cluster with KubeVirt, reached over HTTP like a real one, and Transship on it; then
starts and stops virtual machines in the middle of their migrations, in the ${rows.length} ways that matter, and shows what
becomes of them. Needs no cluster, no rights and no network but loopback; leaves nothing behind.

  --row N        Play one of the rows only, 1 to ${rows.length}.
  --list         List the rows.
  --speed N      So many times as fast as a cluster, 1 to ${fastest}. Default ${usualSpeed}.
  --serve        Play nothing; keep cluster and Transship up, at the speed of a cluster, for kubectl. Ends with Ctrl-C.
  --real-copies  Copy for real: the programs of the copy pods run as processes of this machine, at their own speed,
                 between disk images and, for root, loop devices. Needs Linux, rsync and stunnel.
  --log FILE     Append what Transship logs to this file, one JSON object a line.
  --help         This.

Exit code: 0 when every row went as it must, 1 when one did not, 2 when an option is wrong.
`;

const mistake = (message: string): Wish => ({ kind: 'mistake', message });

const unknown = (name: string): Wish => {
  const meant = nearest(name, Object.keys(options));
  return mistake(`--${name} is not an option${meant === undefined ? '' : `: did you mean --${meant}?`}`);
};

/** A whole number from 1 to `most`; undefined if the text is none. */
const numberFrom = (text: string, most: number): number | undefined =>
  /^[1-9][0-9]*$/.test(text) && Number(text) <= most ? Number(text) : undefined;

type Values = Readonly<Record<string, string | undefined>>;

const wishFrom = (flags: ReadonlySet<string>, values: Values): Wish => {
  const { row: rowText, speed: speedText, log: logFile } = values;
  const realCopies = flags.has('real-copies');
  if (flags.has('help')) return { kind: 'help' };
  if (flags.has('list')) return { kind: 'list' };
  if (flags.has('serve')) {
    const other = ['row', 'speed'].find((name) => values[name] !== undefined);
    if (other !== undefined) return mistake(`--${other} cannot be given with --serve, which plays no row`);
    return { kind: 'serve', logFile, realCopies };
  }
  const row = rowText === undefined ? undefined : numberFrom(rowText, rows.length);
  if (rowText !== undefined && row === undefined) {
    return mistake(`--row: "${rowText}" is not a row: give a number from 1 to ${rows.length} (--list shows them)`);
  }
  const speed = speedText === undefined ? usualSpeed : numberFrom(speedText, fastest);
  if (speed === undefined) return mistake(`--speed: "${speedText}" is not a whole number from 1 to ${fastest}`);
  return { kind: 'play', row, speed, logFile, realCopies };
};

/** What the arguments after the program's name ask for; the first mistake, if there is one. */
export const wishOf = (args: readonly string[]): Wish => {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const flags = new Set<string>();
  const values: Record<string, string | undefined> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') return mistake(`"${token.value}" is not an option: options begin with --`);
    if (token.kind !== 'option') continue;
    const { name, value } = token;
    if (!Object.hasOwn(options, name)) return unknown(name);
    const takesValue = options[name as keyof typeof options].type === 'string';
    if (!takesValue && value !== undefined) return mistake(`--${name} takes no value`);
    if (takesValue && (value === undefined || value === '' || value.startsWith('--'))) {
      return mistake(`--${name} has no value`);
    }
    if (takesValue && values[name] !== undefined) return mistake(`--${name} is given twice`);
    if (takesValue) values[name] = value;
    else flags.add(name);
  }
  return wishFrom(flags, values);
};
