// Carries out what is decided about each machine: two serial lanes per machine, so that what ends or undoes never
// queues behind a start that hangs (law 9).
//
// Flow: a situation wakes both lanes; a run reads the facts as they are then, decides, and carries out what belongs to
// its lane. Guarantees: one run per machine and lane at a time, never cut off, the newest wake-up waits; a command
// whose effect the store has not seen yet is not sent twice. Assumptions: any run may be the last before a restart.
import { concat, concatMap, from, last, map, merge, type Observable, of, share, tap, toArray } from 'rxjs';
import { decide } from '../core/decide.ts';
import type { Command } from '../core/decision.ts';
import type { MachineFacts } from '../core/facts.ts';
import type { Mode } from '../core/mode.ts';
import { keyText, type MachineKey } from '../core/reading.ts';
import type { KubeObject } from '../kube/api.ts';
import { groupWhile } from '../operators/groupWhile.ts';
import { serialRuns } from '../operators/serialRuns.ts';
import { clearanceFor } from './clearance.ts';
import type { EffectDeps } from './deps.ts';
import { type Executed, execute, type WriteRecord } from './execute.ts';
import type { Happening } from './happening.ts';
import { noteWriteRefusal } from './noteWriteRefusal.ts';
import { backOffMs, idle, type Run, reactionTo } from './run.ts';

/** A wake-up for one machine; see streams/modes.ts. */
export interface MachineWake {
  readonly key: MachineKey;
  readonly settled: Mode;
  /** Undefined: the machine is gone; its lanes end. */
  readonly facts: MachineFacts | undefined;
}

type Lane = 'ends' | 'begins';

/** Runs the lanes of every machine that wakes. */
export const machineLoop = (
  wakes: Observable<MachineWake>,
  deps: EffectDeps,
  writeRecord: WriteRecord,
): Observable<Happening> =>
  wakes.pipe(
    groupWhile({
      key: (wake) => keyText(wake.key),
      until: (wake) => wake.facts === undefined,
      project: (group$, topic) => {
        const wake$ = group$.pipe(
          tap((wake) => {
            if (wake.facts === undefined) deps.ownWrites.forget(topic);
          }),
          share(),
        );
        return merge(laneOf('ends', wake$, deps, writeRecord), laneOf('begins', wake$, deps, writeRecord));
      },
    }),
  );

interface Memory {
  failures: number;
  /** The wake-up of the last run: one that comes again is a repetition, not an event. */
  wake: MachineWake | undefined;
  /** Clock reading, in ms, of the last patch that began a move of the machine. */
  begunMs: number;
}

const laneOf = (
  lane: Lane,
  wakes: Observable<MachineWake>,
  deps: EffectDeps,
  writeRecord: WriteRecord,
): Observable<Happening> => {
  const memory: Memory = { failures: 0, wake: undefined, begunMs: Number.NEGATIVE_INFINITY };
  return wakes.pipe(
    serialRuns(
      (wake) => runOnce(lane, wake, memory, deps, writeRecord),
      (run) => run.checkAgainMs,
    ),
    concatMap((run) => from(run.happenings)),
  );
};

const runOnce = (
  lane: Lane,
  wake: MachineWake,
  memory: Memory,
  deps: EffectDeps,
  writeRecord: WriteRecord,
): Observable<Run> => {
  const { key } = wake;
  const isEvent = memory.wake !== wake;
  memory.wake = wake;
  // The last wake-up of a machine that is gone; under its name there may be another by now, which has lanes of its own.
  if (wake.facts === undefined) return of(idle());
  const facts = deps.reading.synced() ? deps.reading.machine(key) : undefined;
  if (facts === undefined) return of(idle());
  const clearance = clearanceFor(deps, key, deps.settledMode(key));
  const decision = decide(facts, { clearance, limits: deps.limits, now: deps.now() });
  if (decision.commands.length === 0) return of(idle(lane === 'begins' ? decision.checkAgainMs : undefined));
  if (decision.begins !== (lane === 'begins')) return of(idle());
  if (decision.commands.some((command) => isEcho(command, key, deps))) return of(idle(echoMs));
  const beginsMove = decision.commands.some(({ kind }) => kind === 'startLive' || kind === 'cutOver');
  const tooSoonMs = memory.begunMs + deps.limits.moveGapMs - deps.now();
  // Whatever goes wrong between two parties who both mean well, it goes wrong slowly.
  if (beginsMove && tooSoonMs > 0) return of(idle(tooSoonMs));
  if (beginsMove) memory.begunMs = deps.now();
  const reaction = isEvent && lane === 'ends' ? reactionTo(key, deps) : [];
  return concat(...decision.commands.map((command) => executed(command, key, facts, deps, writeRecord))).pipe(
    toArray(),
    map((results): Run => {
      for (const [index, { outcome }] of results.entries())
        noteWriteRefusal(decision.commands[index], outcome, key, deps);
      const happenings = [...reaction, ...results.map(({ happening }) => happening)];
      if (results.every(({ outcome }) => outcome.kind === 'done')) {
        memory.failures = 0;
        return { happenings, checkAgainMs: undefined };
      }
      memory.failures += 1;
      return { happenings, checkAgainMs: backOffMs(memory.failures, deps.limits) };
    }),
  );
};

/** How soon to look again for a write of our own that the store has not seen. */
const echoMs = 50;

/** The same was just carried out, and only the store does not know it yet. */
const isEcho = (command: Command, key: MachineKey, deps: EffectDeps): boolean => {
  const kind = command.kind === 'record' ? 'storageMigrations' : 'virtualMachines';
  const repeats = command.kind === 'record' || command.kind === 'revert' || command.kind === 'repair';
  return repeats && deps.ownWrites.isUnseen(keyText(key), kind, deps.reading);
};

interface Result {
  readonly outcome: Executed['outcome'];
  readonly happening: Happening;
}

const executed = (
  command: Command,
  key: MachineKey,
  facts: MachineFacts,
  deps: EffectDeps,
  writeRecord: WriteRecord,
): Observable<Result> =>
  execute(command, key, facts, deps, writeRecord).pipe(
    last(),
    tap(({ outcome, kind }) => remember(key, outcome, kind, deps)),
    map(
      ({ outcome }): Result => ({
        outcome,
        happening: {
          kind: 'command',
          key,
          command: command.kind,
          outcome: outcome.kind,
          detail: outcome.kind === 'done' ? '' : outcome.message,
          cause: command.kind === 'revert' ? command.cause : undefined,
          record: command.kind === 'record' ? command.why : undefined,
        },
      }),
    ),
  );

const remember = (key: MachineKey, outcome: Executed['outcome'], kind: Executed['kind'], deps: EffectDeps): void => {
  const topic = keyText(key);
  if (outcome.kind === 'unknown') deps.ownWrites.uncertain(topic);
  if (outcome.kind !== 'done' || kind === undefined) return;
  const version = (outcome.value as KubeObject | undefined)?.metadata.resourceVersion;
  if (version !== undefined) deps.ownWrites.wrote(topic, kind, key.namespace, version);
};
