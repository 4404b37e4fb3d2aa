// What the benchmark has found, and how it is shown: the same numbers as a table for people and as JSON. Pure.
import { median } from '../bench/statistics.ts';
import type { FirstByte } from './firstByte.ts';
import type { Machine } from './machine.ts';

export interface Row {
  readonly name: string;
  readonly target: 'file' | 'block';
  readonly isOurs: boolean;
  /** Least ratio of its time to ours. */
  readonly wanted: number | undefined;
  /** The Debian package without which it could not be measured. */
  readonly lacking: string | undefined;
  /** One for each round, in their order; NaN where there was no copy. */
  readonly seconds: readonly number[];
  readonly processorSeconds: number;
  readonly identical: readonly boolean[];
  readonly allocatedMiB: number;
  /** A device that can discard: what is allocated tells whether it stays thin. */
  readonly isDevice: boolean;
}

export interface Results {
  readonly machine: Machine;
  readonly bytes: number;
  readonly dataMiB: number;
  readonly rounds: number;
  /** What stands for a device. */
  readonly device: string;
  readonly rows: readonly Row[];
  readonly firstByte: FirstByte;
  /** Copies that were none; the numbers mean nothing then. */
  readonly faults: readonly string[];
}

export interface Ratio {
  readonly what: string;
  /** Time of the other way to ours: more than 1 means that ours is faster. The median of the rounds' ratios. */
  readonly value: number;
  /** The same of processor time, which other work on the machine makes hardly longer. */
  readonly processor: number;
  readonly wanted: number | undefined;
}

/** Rounds are compared one by one: both of a pair were measured while the machine was as busy. */
const ratioTo = (ours: Row, other: Row): Ratio => ({
  what: `file -> ${other.target}: ${other.name} : ${ours.name}`,
  value: median(other.seconds.map((seconds, round) => seconds / (ours.seconds[round] ?? Number.NaN))),
  processor: other.processorSeconds / ours.processorSeconds,
  wanted: other.wanted,
});

/** One for each way that was measured besides ours. */
const ratiosOf = ({ rows }: Pick<Results, 'rows'>): readonly Ratio[] =>
  rows
    .filter(({ isOurs }) => isOurs)
    .flatMap((ours) =>
      rows
        .filter((row) => row.target === ours.target && !row.isOurs && row.seconds.length > 0)
        .map((row) => ratioTo(ours, row)),
    );

const targetMs = 500;

const verdict = (reached: boolean, wanted: string): string => `${reached ? 'reached' : 'missed '}  (${wanted})`;

const thin = (row: Row, dataMiB: number): string => {
  if (!row.isDevice) return '';
  // What a file system allocates besides is far less than this.
  return row.allocatedMiB < dataMiB * 1.1 + 8 ? 'thin' : 'full';
};

const rowText = (row: Row, dataMiB: number): string => {
  const head = `file -> ${row.target.padEnd(5)}  ${row.name.padEnd(28)}`;
  if (row.lacking !== undefined) return `${head} not measured: install the Debian package ${row.lacking}`;
  const number = (value: number, width: number, digits: number): string => value.toFixed(digits).padStart(width);
  const rounds = row.seconds.map((seconds) => seconds.toFixed(2)).join(' ');
  const identical = row.identical.every((each) => each) ? 'identical' : 'DIFFERENT';
  const parts = [
    number(median(row.seconds), 8, 2),
    number(row.processorSeconds, 9, 2),
    number(row.allocatedMiB, 10, 0),
    thin(row, dataMiB).padEnd(4),
  ];
  return `${head} ${parts.join('  ')}  ${identical}   ${rounds}`;
};

const ratioText = ({ what, value, processor, wanted }: Ratio): string =>
  `${what.padEnd(58)} ${value.toFixed(2).padStart(6)} ${processor.toFixed(2).padStart(10)}  ${wanted === undefined ? '' : verdict(value >= wanted, `>= ${wanted}`)}`.trimEnd();

const firstByteText = ({ parts, totalsMs, simulatedMs, settleMs, machines }: FirstByte): readonly string[] => {
  const totalMs = median(totalsMs);
  return [
    `from the stop of a machine to the first byte, medians of ${machines}, without ${settleMs} ms of settling`,
    ...parts.map(({ what, atMs }) => `  ${what.padEnd(56)} ${atMs.toFixed(0).padStart(6)} ms`),
    `  (${simulatedMs} ms of it are the simulated cluster's: nodes for two pods, start of a container)`,
    `${'VM stopped -> first byte on the wire'.padEnd(58)} ${totalMs.toFixed(0).padStart(6)} ms  ${verdict(totalMs < targetMs, `< ${targetMs} ms`)}`,
  ];
};

/** The table for people. */
export const tableOf = (results: Results): string => {
  const { machine, bytes, dataMiB, rounds, device, rows, firstByte, faults } = results;
  const { cores, memoryGiB, linux, rsync, loadBefore, loadAfter } = machine;
  const loads = `load ${loadBefore.toFixed(1)} before, ${loadAfter.toFixed(1)} after`;
  return `${[
    `${cores} cores, ${memoryGiB} GiB, Linux ${linux}, rsync ${rsync}; ${loads}`,
    `disk of ${bytes / 2 ** 20} MiB with ${dataMiB.toFixed(0)} MiB of data, in the page cache; target block: ${device}`,
    `medians of ${rounds} rounds; all but cp in TLS 1.3 on loopback; every target flushed`,
    '',
    `${'copy'.padEnd(15)} ${'by'.padEnd(27)}  seconds  processor  allocated MiB                   rounds`,
    ...rows.map((row) => rowText(row, dataMiB)),
    '',
    `${'the other : ours; more than 1 means ours is faster'.padEnd(60)} time  processor`,
    ...ratiosOf(results).map(ratioText),
    '',
    ...firstByteText(firstByte),
    '',
    ...faults.map((fault) => `FAULT: ${fault}`),
  ]
    .join('\n')
    .trimEnd()}\n`;
};

/** The same for programs: one JSON object. */
export const jsonOf = (results: Results): string =>
  `${JSON.stringify({ ...results, ratios: ratiosOf(results) }, undefined, 2)}\n`;
