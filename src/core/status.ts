// What people read of a StorageMigration: conditions, summary and one entry per machine, derived from facts and
// decisions each time. Only `record` in it is ever read back (style: a phase is never steered by). Pure.
import { type CopyRefusal, copyTroubleOf, refusalTroubleOf } from './copyTrouble.ts';
import type { Decision, Limits } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import { failureSentence, isHopeless } from './failedCopies.ts';
import type { MigrationDecision } from './migration.ts';
import { modeOf } from './mode.ts';
import type { StorageMigration } from './objects.ts';
import type { CopyNews } from './reading.ts';
import { shortened } from './shortened.ts';
import type {
  Condition,
  DiskStatus,
  MigrationRecord,
  ModeName,
  RecordedDisk,
  StorageMigrationStatus,
  VirtualMachineStatus,
} from './storageMigration.ts';
import { type WriteRefusal, writeTroubleOf } from './writeTrouble.ts';

export interface MachineReport {
  readonly facts: MachineFacts;
  readonly decision: Decision;
  /** What was heard of a copy pod, by its uid. */
  readonly newsOn: (podUid: string) => CopyNews | undefined;
  /** That the API server will not have a copy pod of it. */
  readonly copyRefusal: CopyRefusal | undefined;
  /** That the API server will not take a write about it. */
  readonly writeRefusal: WriteRefusal | undefined;
}

export interface StatusInput {
  readonly migration: StorageMigration;
  readonly reports: readonly MachineReport[];
  readonly decision: MigrationDecision;
  readonly limits: Pick<Limits, 'maxCopyFailures'>;
  readonly now: number;
}

/** Most characters of what is told of one machine, and of one condition of all. */
const longestOfMachine = 1000;
const longestOfAll = 8000;

const modeNames: Readonly<Record<ReturnType<typeof modeOf>, ModeName>> = {
  live: 'Live',
  offline: 'Offline',
  hold: 'Hold',
  done: 'Done',
};

const sentences: Readonly<Record<Decision['phase'], string>> = {
  Pending: 'Not accepted yet.',
  Waiting: 'Waiting for the next step.',
  CopyingLive: 'KubeVirt copies the disks under the running guest.',
  SwitchedOver: 'The guest runs on the target claims; KubeVirt finishes the migration.',
  Reverting: 'The live migration is being taken back; the source claims are good.',
  CopyingOffline: 'The disks are being copied while the machine is off.',
  CuttingOver: 'The copy is whole; the machine is being moved to the target claims.',
  Moved: 'The machine is on the target claims.',
  Cancelled: 'Undone; the machine is on the source claims.',
  Failed: 'Given up.',
  NeedsAttention: 'A person has to decide.',
};

/** How far the copy of a disk is; undefined while it does not run or nothing was heard of it. */
const copyOf = (volume: string, attempt: number, { facts, newsOn }: MachineReport): DiskStatus['copy'] => {
  const client = facts.copyPods.find((pod) => pod.role === 'copyClient' && pod.volumeName === volume);
  const progress = client === undefined ? undefined : newsOn(client.uid)?.progress;
  if (progress === undefined) return undefined;
  const { secondsLeft, ...position } = progress;
  return { attempt, ...position, ...(secondsLeft === undefined ? {} : { secondsLeft }) };
};

const diskOf = (
  disk: RecordedDisk,
  record: MigrationRecord,
  report: MachineReport,
  limits: StatusInput['limits'],
): DiskStatus => {
  const failure = record.offline?.failures.find(({ volume }) => volume === disk.volume);
  const isLost = failure !== undefined && isHopeless(failure, limits, report.facts.view.migration.generation);
  const found = diskPhase(record, disk.volume, report.decision);
  const phase = isLost && (found === 'Copying' || found === 'Waiting') ? 'Failed' : found;
  const copy = phase === 'Copying' ? copyOf(disk.volume, (failure?.count ?? 0) + 1, report) : undefined;
  const isOpen = phase === 'Copying' || phase === 'Waiting' || phase === 'Failed';
  return {
    name: disk.volume,
    source: disk.source,
    target: disk.target,
    phase,
    ...(copy === undefined ? {} : { copy }),
    ...(isOpen && failure !== undefined ? { message: failure.message } : {}),
  };
};

const diskPhase = (record: MigrationRecord, volume: string, decision: Decision): DiskStatus['phase'] => {
  if (record.completed !== undefined || record.switchedOver !== undefined) return 'Moved';
  if (record.offline?.copied.includes(volume)) return 'Copied';
  return decision.phase === 'CopyingLive' || decision.phase === 'CopyingOffline' ? 'Copying' : 'Waiting';
};

/** What is said of a machine whose copies failed and are tried again; undefined when none did. */
const failuresOf = (
  record: MigrationRecord | undefined,
  { phase }: Decision,
  { limits, migration }: StatusInput,
): string | undefined => {
  const failures = record?.offline?.failures ?? [];
  if (record === undefined || failures.length === 0 || phase !== 'CopyingOffline') return undefined;
  return failures
    .map((failure) => failureSentence(failure, record, isHopeless(failure, limits, migration.generation)))
    .join(' ');
};

const entryOf = (report: MachineReport, input: StatusInput): VirtualMachineStatus => {
  const { facts, decision } = report;
  const { record } = facts;
  const { acceptance } = input.decision;
  const refusal =
    acceptance?.kind === 'refused' ? acceptance.refusals.find((each) => each.machine === facts.name) : undefined;
  const attention = decision.attention;
  const message =
    refusal !== undefined
      ? `${refusal.field}: ${refusal.message}`
      : (attention?.message ?? failuresOf(record, decision, input) ?? sentences[decision.phase]);
  return {
    name: facts.name,
    mode: record?.completed === undefined ? modeNames[modeOf(facts)] : 'Done',
    phase: refusal !== undefined ? 'Refused' : record?.completed !== undefined ? 'Moved' : decision.phase,
    reason: refusal?.reason ?? attention?.reason ?? decision.phase,
    message: shortened(message, longestOfMachine),
    waitingFor: refusal !== undefined ? 'the field to be mended' : shortened(decision.waitingFor, longestOfMachine),
    volumes: record?.disks.map((disk) => diskOf(disk, record, report, input.limits)) ?? [],
    ...(record === undefined ? {} : { record }),
  };
};

interface Finding {
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

const listOf = (entries: readonly { readonly name: string; readonly message: string }[]): string =>
  entries.map((entry) => `${entry.name}: ${entry.message}`).join(' ');

const readyOf = (input: StatusInput): Finding => {
  const { acceptance } = input.decision;
  if (acceptance?.kind !== 'refused')
    return { status: true, reason: 'Accepted', message: 'Every machine named can be moved.' };
  const message = acceptance.refusals.map((refusal) => `${refusal.field}: ${refusal.message}.`).join(' ');
  return { status: false, reason: acceptance.refusals[0]?.reason ?? 'Refused', message };
};

const progressingOf = (entries: readonly VirtualMachineStatus[], input: StatusInput): Finding => {
  const open = entries.filter((entry) => entry.mode !== 'Done');
  if (input.migration.deleting)
    return { status: true, reason: 'Cancelling', message: 'What is not finished is being undone.' };
  if (open.length === 0)
    return { status: false, reason: 'Finished', message: 'Every machine is on its target claims.' };
  // A refusal that comes later holds nothing but what it is about.
  if (input.decision.acceptance?.kind === 'refused' && open.every(({ record }) => record === undefined))
    return { status: false, reason: 'Refused', message: 'Nothing is started; see condition Ready.' };
  if (input.migration.spec.paused)
    return { status: false, reason: 'Paused', message: 'Nothing new is started while spec.paused is true.' };
  const stuck = open.filter(({ phase }) => phase === 'NeedsAttention' || phase === 'Failed' || phase === 'Refused');
  if (stuck.length === open.length)
    return { status: false, reason: 'NeedsAttention', message: 'No machine can go on by itself.' };
  const waiting = open.map((entry) => `${entry.name}: ${entry.waitingFor || entry.message}`);
  return { status: true, reason: 'Migrating', message: `Waiting for: ${waiting.join('; ')}.` };
};

/** What waits for a person: machines, and a spec that is refused. */
const attentionOf = (entries: readonly VirtualMachineStatus[], input: StatusInput): Finding => {
  const waiting = entries.filter((entry) => entry.phase === 'NeedsAttention');
  const { status: isAccepted, ...refused } = readyOf(input);
  const [first] = waiting;
  if (first === undefined && isAccepted)
    return { status: false, reason: 'NothingToDecide', message: 'Nothing waits for a person.' };
  const messages = [...(isAccepted ? [] : [refused.message]), ...(first === undefined ? [] : [listOf(waiting)])];
  return { status: true, reason: first?.reason ?? refused.reason, message: messages.join(' ') };
};

const conditionsOf = (entries: readonly VirtualMachineStatus[], input: StatusInput): Condition[] => {
  const done = entries.filter((entry) => entry.mode === 'Done');
  const failed = entries.flatMap(({ name, mode, record }) => {
    const stands = record?.gaveUp?.generation === input.migration.generation && mode !== 'Done';
    return stands && record?.gaveUp !== undefined ? [{ name, ...record.gaveUp }] : [];
  });
  const allDone = entries.length > 0 && done.length === entries.length;
  const findings: readonly (readonly [string, Finding])[] = [
    ['Ready', readyOf(input)],
    ['Progressing', progressingOf(entries, input)],
    [
      'Succeeded',
      allDone
        ? { status: true, reason: 'AllMoved', message: 'Every machine is on its target claims.' }
        : { status: false, reason: 'NotFinished', message: `${done.length} of ${entries.length} machines are moved.` },
    ],
    [
      'Failed',
      failed.length > 0
        ? { status: true, reason: failed[0]?.reason ?? 'GivenUp', message: listOf(failed) }
        : { status: false, reason: 'NoFailure', message: 'No machine was given up.' },
    ],
    ['NeedsAttention', attentionOf(entries, input)],
  ];
  return findings.map(([type, finding]) => conditionOf(type, finding, input));
};

const conditionOf = (type: string, finding: Finding, input: StatusInput): Condition => {
  const status = finding.status ? 'True' : 'False';
  const before = input.migration.status?.conditions?.find((condition) => condition.type === type);
  return {
    type,
    status,
    observedGeneration: input.migration.generation,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : new Date(input.now).toISOString(),
    reason: finding.reason,
    message: shortened(finding.message, longestOfAll),
  };
};

const troubleOf = ({ facts, decision, newsOn, copyRefusal, writeRefusal }: MachineReport, now: number) => {
  if (decision.phase !== 'CopyingOffline') return writeTroubleOf(writeRefusal, decision.commands, now);
  return (
    copyTroubleOf(facts.copyPods, ({ uid }) => newsOn(uid)?.words ?? '', now) ?? refusalTroubleOf(copyRefusal, now)
  );
};

/** What cannot be made, or does not get to run, is a matter for people, unless there is a graver one. */
const withTrouble = (report: MachineReport, now: number): MachineReport => {
  const { decision } = report;
  const attention = decision.attention === undefined ? troubleOf(report, now) : undefined;
  return attention === undefined
    ? report
    : { ...report, decision: { ...decision, phase: 'NeedsAttention', attention } };
};

/** Derives the whole status; equal facts give an equal status, but for the time of a condition that changed. */
export const statusOf = (input: StatusInput): StorageMigrationStatus => {
  const entries = input.reports
    .map((report) => withTrouble(report, input.now))
    .filter(({ facts }) => !input.decision.dropped.has(facts.name) || facts.wanted !== undefined)
    .map((report) => {
      const entry = entryOf(report, input);
      if (!input.decision.dropped.has(report.facts.name)) return entry;
      const { record: _, ...rest } = entry;
      return rest;
    });
  const disks = entries.flatMap((entry) => entry.volumes);
  const modes = [...new Set(entries.filter((entry) => entry.mode !== 'Done').map((entry) => entry.mode))].sort();
  return {
    observedGeneration: input.migration.generation,
    conditions: conditionsOf(entries, input),
    summary: `${entries.filter((entry) => entry.mode === 'Done').length}/${entries.length}`,
    mode: modes.length === 0 ? 'Done' : modes.join(','),
    progress: `${disks.filter((disk) => disk.phase === 'Moved').length}/${disks.length}`,
    virtualMachines: entries,
  };
};
