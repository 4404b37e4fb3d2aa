// Drafts the status of a StorageMigration for one run of its writer: which of the waiting records may be written,
// which machines are accepted, and what people read. Pure but for asking the clearance of each machine.
import { decide } from '../core/decide.ts';
import type { Decision } from '../core/decision.ts';
import { factsOf } from '../core/facts.ts';
import { isSame } from '../core/isSame.ts';
import { decideMigration, type MigrationDecision, type MigrationView } from '../core/migration.ts';
import type { StorageMigration } from '../core/objects.ts';
import { keyText, type MigrationKey } from '../core/reading.ts';
import { type MachineReport, statusOf } from '../core/status.ts';
import type { MigrationRecord, StorageMigrationStatus, VirtualMachineStatus } from '../core/storageMigration.ts';
import { cancelFinalizer } from '../kube/names.ts';
import { clearanceFor } from './clearance.ts';
import type { EffectDeps } from './deps.ts';
import type { RecordRequest } from './migrationLoop.ts';

export interface StatusDraft {
  readonly decision: MigrationDecision;
  /** Derived when asked for: most wake-ups do not get as far as that. */
  readonly status: () => StorageMigrationStatus;
  /** Requests whose record goes into this status. */
  readonly accepted: readonly RecordRequest[];
  /** Requests that were decided from another record than the one there is. */
  readonly outdated: readonly RecordRequest[];
  /** Machines whose record changes with this status. */
  readonly records: readonly string[];
}

const recordIn = (migration: StorageMigration, machine: string): MigrationRecord | undefined =>
  migration.status?.virtualMachines?.find((entry) => entry.name === machine)?.record;

/** The migration as it will be once these records are written. */
const withRecords = (
  base: StorageMigration,
  names: readonly string[],
  records: ReadonlyMap<string, MigrationRecord>,
): StorageMigration => {
  if (records.size === 0) return base;
  const virtualMachines = names.map((name): VirtualMachineStatus => {
    const entry = base.status?.virtualMachines?.find((candidate) => candidate.name === name);
    const record = records.get(name) ?? entry?.record;
    const empty = { name, mode: 'Hold' as const, phase: '', reason: '', message: '', waitingFor: '', volumes: [] };
    return { ...(entry ?? empty), ...(record === undefined ? {} : { record }) };
  });
  return { ...base, status: { ...base.status, virtualMachines } };
};

/** What is waited for once a command is carried out that is about to be: it need not be written a second time. */
const waitedForAfter = ({ commands, waitingFor }: Decision): string =>
  commands.some(({ kind }) => kind === 'startLive') ? 'KubeVirt to begin a migration' : waitingFor;

/** Drafts the status; `base` is the newest version of the object that is known. */
export const draftStatus = (
  key: MigrationKey,
  view: MigrationView,
  base: StorageMigration,
  requests: readonly RecordRequest[],
  deps: EffectDeps,
): StatusDraft => {
  const isCurrent = (request: RecordRequest): boolean => isSame(recordIn(base, request.key.machine), request.before);
  const accepted = requests.filter(isCurrent);
  const outdated = requests.filter((request) => !isCurrent(request));
  const records = new Map(accepted.map((request) => [request.key.machine, request.after]));
  const names = view.members.map((member) => member.name);
  const factsWith = (migration: StorageMigration) =>
    view.members.map((member) => {
      const holds = base === view.migration && !records.has(member.name);
      return holds ? member : factsOf({ ...member.view, migration });
    });

  const judged = decideMigration(
    { ...view, migration: base, members: factsWith(withRecords(base, names, records)) },
    cancelFinalizer,
  );
  const held = base.finalizers.includes(cancelFinalizer);
  if (judged.acceptance?.kind === 'accepted' && held && !base.deleting) {
    for (const [name, record] of judged.acceptance.records) records.set(name, record);
  }
  const status = (): StorageMigrationStatus => {
    const now = deps.now();
    const reports = factsWith(withRecords(base, names, records)).map((facts): MachineReport => {
      const machineKey = { ...key, machine: facts.name };
      const clearance = clearanceFor(deps, machineKey, deps.settledMode(machineKey), facts);
      const decision = decide(facts, { clearance, limits: deps.limits, now });
      return {
        facts,
        decision: { ...decision, waitingFor: waitedForAfter(decision) },
        newsOn: deps.reading.news,
        copyRefusal: deps.copyRefusals.get(keyText(machineKey)),
        writeRefusal: deps.writeRefusals.get(keyText(machineKey)),
      };
    });
    return statusOf({ migration: base, reports, decision: judged, limits: deps.limits, now });
  };
  const dropped = [...judged.dropped].filter((name) => recordIn(base, name) !== undefined);
  return {
    decision: judged,
    status,
    accepted,
    outdated,
    records: [...records.keys(), ...dropped],
  };
};
