// What both programs print: one JSON object a line on stdout, which is the pod's log. Messages are constant; what varies
// stands beside them. Lines of rsync and stunnel are passed on under their names.

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Progress } from './progressLines.ts';

const print = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

export const log = (message: string, more: Readonly<Record<string, unknown>> = {}): void =>
  print({ t: 'log', message, ...more });

export const printProgress = (progress: Progress, total: number): void => print({ t: 'progress', ...progress, total });

/** stunnel says these as errors of every tunnel that works: no certificates are used, and nothing is waited for. */
const falseAlarm = /No trusted certificates found|TIMEOUTclose exceeded/;

/** Passes on the lines of another program, and keeps the last of them. stunnel also speaks through rsync's stderr. */
export const passOn = (from: 'rsync' | 'stunnel', stream: Readable): { readonly last: readonly string[] } => {
  const last: string[] = [];
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
    const message = line.slice(0, 1000);
    if (falseAlarm.test(message)) return;
    last.push(message);
    if (last.length > 20) last.shift();
    const stunnels = from === 'stunnel' || /^\d{4}\.\d\d\.\d\d [\d:]+ LOG\d|^\[[ .!]\] /.test(message);
    if (message !== '') print({ t: 'log', from: stunnels ? 'stunnel' : 'rsync', message });
  });
  return { last };
};
