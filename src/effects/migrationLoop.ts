// The one writer of StorageMigrations: finalizer, records and the status that people read, one serial loop per object.
//
// Flow: a wake-up or a record to be written starts a run; the run takes every record that waits, derives the whole
// status from facts, and sends what changed in one patch. Records are answered when the server has them (law 8).
// Guarantees: a record is only written over the very record it was decided from; a conflict is read again; status for
// people alone is written `statusMs` after it has changed, together with all that has changed meanwhile, unless a
// record takes it along before.
// Assumptions: dying between two steps leaves the old status, from which everything is decided again.
import { concatMap, from, map, merge, type Observable, of, tap } from 'rxjs';
import type { MigrationView } from '../core/migration.ts';
import type { StorageMigration } from '../core/objects.ts';
import { keyText, type MachineKey, type MigrationKey } from '../core/reading.ts';
import { compareVersions } from '../core/resourceVersion.ts';
import type { MigrationRecord } from '../core/storageMigration.ts';
import type { JsonPatchOperation, KubeObject } from '../kube/api.ts';
import { cancelFinalizer } from '../kube/names.ts';
import { projectStorageMigration } from '../kube/project.ts';
import { resources } from '../kube/resources.ts';
import { groupWhile } from '../operators/groupWhile.ts';
import { serialRuns } from '../operators/serialRuns.ts';
import type { EffectDeps } from './deps.ts';
import { draftStatus, type StatusDraft } from './draftStatus.ts';
import type { CommandKind, Happening } from './happening.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { backOffMs, idle, type Run } from './run.ts';
import { statusPatch } from './statusPatch.ts';

/** A record that waits to be written. */
export interface RecordRequest {
  readonly key: MachineKey;
  /** The record it was decided from. */
  readonly before: MigrationRecord | undefined;
  readonly after: MigrationRecord;
  /** Called once, with what became of it. */
  readonly answer: (outcome: Outcome) => void;
}

/** What one loop remembers; it lives in the subscription. */
interface Memory {
  waiting: RecordRequest[];
  /** The newest version this loop knows of: of the store, or an answer from the server. */
  newest: StorageMigration | undefined;
  writtenMs: number;
  /** Clock reading, in ms, when what people read is to be looked at; undefined while nothing has happened. */
  textDueMs: number | undefined;
  failures: number;
}

/** Runs the loops of all migrations that `wakes` or `requests` name. */
export const migrationLoop = (
  wakes: Observable<MigrationKey>,
  requests: Observable<RecordRequest>,
  deps: EffectDeps,
): Observable<Happening> =>
  merge(wakes, requests).pipe(
    groupWhile({
      key: (event) => keyText(migrationOf(event)),
      until: (event) => deps.reading.migration(migrationOf(event)) === undefined,
      project: (events) => {
        const memory: Memory = {
          waiting: [],
          newest: undefined,
          writtenMs: Number.NEGATIVE_INFINITY,
          textDueMs: undefined,
          failures: 0,
        };
        return events.pipe(
          tap((event) => {
            if ('answer' in event) memory.waiting.push(event);
          }),
          serialRuns(
            (event) => runOnce(migrationOf(event), memory, deps),
            (run) => run.checkAgainMs,
          ),
          concatMap((run) => from(run.happenings)),
        );
      },
    }),
  );

const migrationOf = (event: MigrationKey | RecordRequest): MigrationKey => {
  const { namespace, migration } = 'answer' in event ? event.key : event;
  return { namespace, migration };
};

const newerOf = (known: StorageMigration | undefined, seen: StorageMigration): StorageMigration => {
  if (known === undefined || known.uid !== seen.uid) return seen;
  return (compareVersions(known.resourceVersion, seen.resourceVersion) ?? -1) > 0 ? known : seen;
};

const runOnce = (key: MigrationKey, memory: Memory, deps: EffectDeps): Observable<Run> => {
  const requests = memory.waiting;
  memory.waiting = [];
  const view = deps.reading.synced() ? deps.reading.migration(key) : undefined;
  if (view === undefined) {
    for (const request of requests) request.answer({ kind: 'conflict', message: 'the StorageMigration is not seen' });
    return of(idle());
  }
  memory.newest = newerOf(memory.newest, view.migration);
  const draft = draftStatus(key, view, memory.newest, requests, deps);
  for (const request of draft.outdated) {
    request.answer({ kind: 'conflict', message: 'the record has changed since it was decided upon' });
  }
  if (draft.decision.finalizer !== 'keep' && draft.accepted.length === 0) {
    return writeFinalizer(key, view, draft, memory, deps);
  }
  return writeStatus(key, memory.newest, draft, memory, deps);
};

const writeFinalizer = (
  key: MigrationKey,
  view: MigrationView,
  draft: StatusDraft,
  memory: Memory,
  deps: EffectDeps,
): Observable<Run> => {
  const base = memory.newest ?? view.migration;
  const adds = draft.decision.finalizer === 'add';
  const value = adds
    ? [...base.finalizers, cancelFinalizer]
    : base.finalizers.filter((finalizer) => finalizer !== cancelFinalizer);
  const operations: readonly JsonPatchOperation[] = [
    { op: 'test', path: '/metadata/resourceVersion', value: base.resourceVersion },
    { op: 'add', path: '/metadata/finalizers', value },
  ];
  return patch(key, operations, adds ? 'addFinalizer' : 'removeFinalizer', memory, deps).pipe(map(({ run }) => run));
};

const writeStatus = (
  key: MigrationKey,
  base: StorageMigration,
  draft: StatusDraft,
  memory: Memory,
  deps: EffectDeps,
): Observable<Run> => {
  const matters = draft.accepted.length > 0 || draft.records.length > 0;
  const waitMs = matters ? 0 : textWaitMs(base, memory, deps);
  if (waitMs > 0) return of(idle(waitMs));
  memory.textDueMs = undefined;
  const operations = statusPatch(base, draft.status());
  if (operations.length === 0) {
    for (const request of draft.accepted) request.answer({ kind: 'done', value: base });
    return of(idle());
  }
  memory.writtenMs = deps.now();
  return patch(key, operations, 'status', memory, deps).pipe(
    map(({ outcome, run }) => {
      for (const name of draft.records) {
        const topic = keyText({ ...key, machine: name });
        if (outcome.kind === 'done') {
          deps.ownWrites.wrote(topic, 'storageMigrations', key.namespace, outcome.value.metadata.resourceVersion ?? '');
        }
        if (outcome.kind === 'unknown') deps.ownWrites.uncertain(topic);
      }
      for (const request of draft.accepted) request.answer(outcome);
      return run;
    }),
  );
};

/** How long what people read has to wait; the answer to a new spec only if something was written a moment ago. */
const textWaitMs = (base: StorageMigration, memory: Memory, { now, limits }: EffectDeps): number => {
  if (base.status?.observedGeneration !== base.generation) return memory.writtenMs + limits.statusMs - now();
  memory.textDueMs ??= now() + limits.statusMs;
  return memory.textDueMs - now();
};

/** Sends one patch; anything but `done` makes the next run begin from what the server has. */
const patch = (
  key: MigrationKey,
  operations: readonly JsonPatchOperation[],
  command: CommandKind,
  memory: Memory,
  deps: EffectDeps,
): Observable<{ readonly outcome: Outcome<KubeObject>; readonly run: Run }> => {
  const ref = { namespace: key.namespace, name: key.migration };
  const options = command === 'status' ? { subresource: 'status' as const } : undefined;
  const request = deps.api.patch(resources.storageMigrations, ref, { type: 'json', operations }, options);
  return outcomeOf(request).pipe(
    concatMap((outcome) => {
      const happening: Happening = {
        kind: 'command',
        key,
        command,
        outcome: outcome.kind,
        detail: outcome.kind === 'done' ? '' : outcome.message,
        cause: undefined,
        record: undefined,
      };
      if (outcome.kind === 'done') {
        memory.failures = 0;
        take(outcome.value, memory);
        return of({ outcome, run: { happenings: [happening], checkAgainMs: undefined } });
      }
      memory.failures += 1;
      const run: Run = { happenings: [happening], checkAgainMs: backOffMs(memory.failures, deps.limits) };
      return outcomeOf(deps.api.get(resources.storageMigrations, ref)).pipe(
        tap((found) => {
          if (found.kind === 'done') take(found.value, memory);
        }),
        map(() => ({ outcome, run })),
      );
    }),
  );
};

const take = (object: KubeObject, memory: Memory): void => {
  const projection = projectStorageMigration(object);
  if (projection.kind === 'kept') memory.newest = newerOf(memory.newest, projection.object);
};
