// Plays one run of cuts until each was made and the last copy is believed. Whenever the daemon's judge believes a copy,
// source and target are compared byte for byte; whenever it does not, it has a reason, and one that can be true of a cut.
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { CopyFailureReason } from '../../src/core/copyFailure.ts';
import { type CopyResult, copyResultOf } from '../../src/core/copyResult.ts';
import { client as clientPod } from '../core/builders.ts';
import { firstDifference } from './cutDisk.ts';
import type { Plan, Segment } from './cutPlan.ts';
import { type Attempt, cutWorld } from './cutWorld.ts';

/** What became of one attempt. */
export interface Told {
  /** What was struck and how; undefined when nothing was. */
  readonly cut: string | undefined;
  /** A cut was to be made, whether or not the copy came so far. */
  readonly isPlanned: boolean;
  /** `whole`, or why not. */
  readonly result: string;
  readonly wireBytes: number;
}

export interface Played {
  readonly attempts: readonly Told[];
  /** Bytes on the wire of a copy of the same disk onto an empty target, where that was measured. */
  readonly firstBytes: number | undefined;
}

/** Attempts beyond one for each cut: a busy machine can be silent for longer than a short time-out. */
const spareAttempts = 2;

/**
 * What a cut may be called: of the known reasons those that heal by themselves, blame no key, and do not say that a copy
 * was made which is not one.
 */
const reasons = [
  ...(['ServerUnreachable', 'Busy', 'PeerSilent', 'Cancelled', 'RsyncFailed', 'NoEndRecord', 'CopyPodFailed'] as const),
] satisfies CopyFailureReason[];

/** A client with the exit code and the message that a kubelet tells: the tail of its log where it left none. */
const judged = ({ end, stdout }: Attempt, verify: boolean): CopyResult => {
  if (end === undefined) return copyResultOf(clientPod('web-1', { phase: 'Failed', ended: undefined }), verify);
  const exitCode = typeof end.code === 'number' ? end.code : 128 + constants.signals[end.code];
  const isSilent = Object.keys(end.record).length === 0;
  const message = isSilent ? (exitCode === 0 ? '' : stdout.slice(-2048)) : JSON.stringify(end.record);
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
  return copyResultOf(clientPod('web-1', { phase, ended: { exitCode, message } }), verify);
};

/** About what a segment comes to on the wire. */
const weight: Readonly<Record<Segment['content'], number>> = { random: 1, text: 0.1, zeros: 0.005, hole: 0.005 };
const toSendOf = ({ segments }: Plan): number =>
  segments.reduce((sum, { bytes, content }) => sum + bytes * weight[content], 0);

export const playRun = async (plan: Plan): Promise<Played> => {
  const world = await cutWorld(plan);
  const attempts: Told[] = [];
  const fail = (why: string, said = ''): never => {
    const planned = JSON.stringify({ ...plan, segments: plan.segments.length });
    throw new Error([why, ...attempts.map((each) => JSON.stringify(each)), planned, said].join('\n'));
  };
  const compare = (said: string): void => {
    const different = firstDifference(readFileSync(world.source()), readFileSync(world.target));
    if (different !== undefined) fail(`a copy was believed, and ${different}`, said);
  };

  /** A server that is just ending may still welcome a client, and a short time-out may be too short. */
  const isShaken = (): boolean =>
    plan.timeoutSeconds !== undefined || attempts.at(-2)?.cut?.startsWith('server') === true;

  const play = async (fresh: boolean, index: number, toSend: number): Promise<Told> => {
    const cut = plan.cuts[index];
    const attempt = await world.attempt(fresh, cut, toSend);
    const { struck, stdout, wireBytes } = attempt;
    const result = judged(attempt, plan.verify);
    const name = result.kind === 'failed' ? result.reason : result.kind;
    const told: Told = { cut: struck?.name, isPlanned: cut !== undefined, result: name, wireBytes };
    attempts.push(told);
    if (result.kind === 'whole') compare(stdout);
    else if (struck === undefined && !isShaken()) fail('a copy failed without a cut', stdout);
    else if (!reasons.some((reason) => reason === name)) fail(`${name} is what no cut can bring about`, stdout);
    return told;
  };

  const measure = async (toSend: number): Promise<number> => {
    const { wireBytes, result } = await play(true, plan.cuts.length, toSend);
    if (result !== 'whole') fail('a copy failed without a cut');
    attempts.pop();
    world.empty();
    return wireBytes;
  };

  try {
    const whole = toSendOf(plan);
    const firstBytes = plan.measured ? await measure(whole) : undefined;
    let there = 0;
    for (let index = 0; ; index += 1) {
      const change = index === 0 ? undefined : plan.changes[index - 1];
      if (change !== undefined) world.change(change);
      const toSend = world.matches ? Math.max(whole - there, whole / 50) : whole;
      const { result, wireBytes } = await play(index === 0, index, toSend);
      there += wireBytes;
      if (result === 'whole' && index >= plan.cuts.length) break;
      if (index >= plan.cuts.length + spareAttempts) fail('no copy comes to be whole');
    }
    await world.settle();
    compare('');
    const struck = attempts.filter(({ cut }) => cut?.startsWith('server')).length;
    if (world.serverStarts() - 1 > struck) fail('a server ended that nothing was done to');
    return { attempts, firstBytes };
  } finally {
    await world.close();
  }
};
