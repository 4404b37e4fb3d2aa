// One whole benchmark: a disk, a target of each kind, every way in turn, each on a machine that has come to rest; then the
// way from a machine's stop to the first byte. Whatever is started here has ended when the result is there, or the error.
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtProgram } from '../bench/builtProgram.ts';
import { median } from '../bench/statistics.ts';
import { nextLoopbackAddress } from '../realCopy/loopbackAddresses.ts';
import type { Wish } from './commandLine.ts';
import type { CopyMethod } from './copyMethod.ts';
import { measureFirstByte } from './firstByte.ts';
import { localCopy } from './localCopy.ts';
import { describeMachine, load } from './machine.ts';
import { type Copied, measureCopy, type Place } from './measureCopy.ts';
import { ourCopy } from './ourCopy.ts';
import { lacking, mustRun } from './programs.ts';
import { qemuConvert } from './qemuConvert.ts';
import type { Results, Row } from './results.ts';
import { rsyncByHand } from './rsyncByHand.ts';
import { makeSourceImage, warm } from './sourceImage.ts';
import { blockTarget, fileTarget, type TargetDisk } from './targetDisk.ts';

/** Our time may be this much longer than that of rsync by hand that leaves the same behind: ratio by hand : ours. */
const wantedRatio = 0.95;

const methodsFor = (target: TargetDisk, program: string): readonly CopyMethod[] => {
  const { kind, canDiscard } = target;
  const qemu = lacking('qemu-img', 'qemu-utils');
  const staysThin = kind === 'block' && canDiscard;
  return [
    ourCopy(kind, program),
    ...(staysThin ? [rsyncByHand(kind, false, wantedRatio)] : []),
    // It fills a device that ours leaves thin.
    rsyncByHand(kind, true, staysThin ? undefined : wantedRatio),
    qemuConvert(kind, qemu),
    localCopy(kind),
  ];
};

/** Every round begins one way later, so that none of them is always the one that comes first, or after a slow one. */
const inOrder = <T>(list: readonly T[], round: number): readonly T[] => {
  const start = round % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
};

/**
 * Makes the target as new and waits until what was written before is where it belongs: also what a disk below this
 * machine still has to do, which nobody tells and which can double the time of the next copy.
 */
const comeToRest = async (target: TargetDisk): Promise<void> => {
  await target.renew();
  await mustRun('sync', ['--file-system', target.folder]);
  await sleep((target.bytes / 2 ** 30) * 1000);
};

interface Way {
  readonly method: CopyMethod;
  readonly target: TargetDisk;
  readonly copies: Copied[];
}

const rowOf = ({ method, target, copies }: Way): Row => ({
  name: method.name,
  target: method.target,
  isOurs: method.isOurs,
  wanted: method.wanted,
  lacking: method.lacking,
  seconds: copies.map(({ seconds }) => seconds),
  processorSeconds: median(copies.map(({ processorSeconds }) => processorSeconds)),
  identical: copies.map(({ identical }) => identical),
  allocatedMiB: median(copies.map(({ allocatedMiB }) => allocatedMiB)),
  isDevice: target.canDiscard,
});

const faultsOf = ({ method, copies }: Way): readonly string[] =>
  copies.flatMap(({ fault }) => (fault === '' ? [] : [`${method.name}, file -> ${method.target}: ${fault}`]));

/** Runs it; `tell` hears what it is at. */
export const runBenchmark = async (wish: Wish, tell: (doing: string) => void): Promise<Results> => {
  for (const [file, debian] of [
    ['rsync', 'rsync'],
    ['stunnel', 'stunnel4'],
  ] as const) {
    if (lacking(file, debian) !== undefined) throw new Error(`needs ${file}: install the Debian package ${debian}`);
  }
  const loadBefore = load();
  const folder = mkdtempSync(join(tmpdir(), 'transship-bench-'));
  const targets: TargetDisk[] = [];
  const clear = (): void => {
    for (const target of targets) target.close();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', clear);
  try {
    tell('building the program of the copy pods');
    mkdirSync(join(folder, 'program'));
    const program = join(await builtProgram(join(folder, 'program')), 'copy/main.js');
    tell(`making a disk of ${wish.bytes / 2 ** 20} MiB`);
    mkdirSync(join(folder, 'source'));
    const source = join(folder, 'source/disk.img');
    makeSourceImage(source, wish.bytes);
    targets.push(fileTarget(join(folder, 'image'), wish.bytes));
    targets.push(await blockTarget(join(folder, 'device'), wish.bytes));
    const ways = targets.flatMap((target) =>
      methodsFor(target, program).map((method): Way => ({ method, target, copies: [] })),
    );
    warm(source);
    const placeOf = (target: TargetDisk): Place => ({
      source,
      target,
      folder: join(folder, 'work'),
      address: nextLoopbackAddress(),
    });
    // Memory and room that were never used before cost whoever comes first: one copy onto every target is not counted.
    for (const target of targets) {
      tell(`once for nobody: file -> ${target.kind}`);
      await measureCopy(ourCopy(target.kind, program), placeOf(target));
    }
    for (let round = 0; round < wish.rounds; round += 1) {
      for (const { method, target, copies } of targets.flatMap((each) =>
        inOrder(
          ways.filter((way) => way.target === each && way.method.lacking === undefined),
          round,
        ),
      )) {
        tell(`round ${round + 1} of ${wish.rounds}: file -> ${target.kind}, ${method.name}`);
        await comeToRest(target);
        copies.push(await measureCopy(method, placeOf(target)));
      }
    }
    tell('from the stop of a machine to the first byte');
    const firstByte = await measureFirstByte(program, wish.rounds);
    return {
      machine: { ...(await describeMachine()), loadBefore, loadAfter: load() },
      bytes: wish.bytes,
      dataMiB: (statSync(source).blocks * 512) / 2 ** 20,
      rounds: wish.rounds,
      device: targets.find(({ kind }) => kind === 'block')?.what ?? '',
      rows: ways.map(rowOf),
      firstByte,
      faults: [...ways.flatMap(faultsOf), ...firstByte.faults],
    };
  } finally {
    process.off('exit', clear);
    clear();
  }
};
