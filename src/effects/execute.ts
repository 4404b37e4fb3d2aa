// Carries out one command about one machine. The only place that writes virtual machines and claims.
//
// Flow: each command is one guarded write; the two that cannot be taken back read the deciding object from the server
// first (style §3 rule 9). Guarantees: a command that comes too late changes nothing, because its tests no longer hold.
// Assumptions: any of them may be repeated, and may land after we gave up waiting for it.
import { concatMap, map, type Observable, of } from 'rxjs';
import type { Command } from '../core/decision.ts';
import type { MachineFacts } from '../core/facts.ts';
import type { VirtualMachine } from '../core/objects.ts';
import type { MachineKey, WrittenKind } from '../core/reading.ts';
import { isStillMovable } from '../core/stillMovable.ts';
import type { MigrationRecord } from '../core/storageMigration.ts';
import { type PatchOperation, patchRepair, patchToSource, patchToTarget } from '../core/volumePatch.ts';
import { resources } from '../kube/resources.ts';
import { targetClaim } from '../kube/targetClaim.ts';
import type { EffectDeps } from './deps.ts';
import { instanceIsOver, instanceOnServer } from './instanceOnServer.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

/** What was written, for the memory of own writes; undefined where no start depends on it being seen. */
export interface Executed {
  readonly outcome: Outcome;
  readonly kind: WrittenKind | undefined;
}

/** Writes the record of a machine; see migrationLoop.ts. */
export type WriteRecord = (
  key: MachineKey,
  before: MigrationRecord | undefined,
  after: MigrationRecord,
) => Observable<Outcome>;

const conflict = (message: string): Outcome<never> => ({ kind: 'conflict', message });

/** Carries out `command`, decided from `facts`. */
export const execute = (
  command: Command,
  key: MachineKey,
  facts: MachineFacts,
  deps: EffectDeps,
  writeRecord: WriteRecord,
): Observable<Executed> => {
  const { record, view } = facts;
  const { machine } = view;
  const written = (kind: WrittenKind | undefined, outcome: Observable<Outcome>): Observable<Executed> =>
    outcome.pipe(map((result) => ({ outcome: result, kind })));
  // The migration's own loop remembers its writes.
  if (command.kind === 'record') return written(undefined, writeRecord(key, record, command.record));
  if (machine === undefined || record === undefined) {
    return written(undefined, of(conflict('the VM is gone')));
  }
  const patch = (operations: readonly PatchOperation[]): Observable<Outcome> =>
    outcomeOf(deps.api.patch(resources.virtualMachines, refOf(machine), { type: 'json', operations }));
  switch (command.kind) {
    case 'revert':
      return written('virtualMachines', patch(patchToSource(machine, record)));
    case 'repair':
      return written('virtualMachines', patch(patchRepair(machine, record, command.strategy)));
    case 'startLive':
      return written(
        'virtualMachines',
        ifStillRunning(facts, deps, () => patch(patchToTarget(machine, record))),
      );
    case 'cutOver':
      return written(
        'virtualMachines',
        ifStillOff(facts, deps, () => patch(patchToTarget(machine, record))),
      );
    case 'createClaim': {
      const source = view.claim(command.disk.source);
      if (source === undefined) return written(undefined, of(conflict('the source claim is gone')));
      const manifest = targetClaim(source, command.target);
      return written('claims', outcomeOf(deps.api.create(resources.persistentVolumeClaims, manifest)));
    }
    case 'deleteSource':
      return written('claims', deleteSource(command.disk.source, facts, deps));
    default:
      return command satisfies never;
  }
};

const refOf = (machine: VirtualMachine) => ({ namespace: machine.namespace, name: machine.name });

/** Volumes must never be patched unless the VMI is Running on its sources and not on its way out (contract §0.7). */
const ifStillRunning = (facts: MachineFacts, deps: EffectDeps, write: () => Observable<Outcome>): Observable<Outcome> =>
  instanceOnServer(facts.view.migration.namespace, facts.name, deps).pipe(
    concatMap((read): Observable<Outcome> => {
      if (read.kind !== 'done') return of(read);
      return isStillMovable(read.value, facts)
        ? write()
        : of(conflict('the VMI no longer runs on its source claims as it was seen'));
    }),
  );

const ifStillOff = (facts: MachineFacts, deps: EffectDeps, write: () => Observable<Outcome>): Observable<Outcome> =>
  instanceIsOver(facts.view.migration.namespace, facts.name, deps).pipe(
    concatMap((over): Observable<Outcome> => (over.kind === 'done' ? write() : of(over))),
  );

/** A claim that a DataVolume owns goes with it; deleted alone it would be made again (contract §8). */
const deleteSource = (source: string, facts: MachineFacts, deps: EffectDeps): Observable<Outcome> => {
  const claim = facts.view.claim(source);
  if (claim === undefined) return of({ kind: 'done', value: undefined });
  const { namespace } = claim;
  const { dataVolume } = claim;
  return dataVolume === undefined
    ? outcomeOf(deps.api.remove(resources.persistentVolumeClaims, { namespace, name: source }, { uid: claim.uid }))
    : outcomeOf(deps.api.remove(resources.dataVolumes, { namespace, name: dataVolume.name }, { uid: dataVolume.uid }));
};
