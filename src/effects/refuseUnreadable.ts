// Says on a StorageMigration that cannot be read why nothing is done for it: conditions, and nothing else of its status.
//
// Flow: a wake-up starts a run; the run reads the object from the server as it is, because the stores hold nothing of
// what cannot be read, and patches the conditions. Guarantees: the record in the status is never touched, so all goes
// on where it was once the object is mended; a refusal is written once. Assumptions: the patch lands only on the
// version that was read, and the writer of readable migrations (migrationLoop.ts) overwrites these conditions.
import { concatMap, from, map, type Observable, of } from 'rxjs';
import { isSame } from '../core/isSame.ts';
import type { Malformed } from '../core/projection.ts';
import { keyText, type MigrationKey } from '../core/reading.ts';
import type { JsonPatchOperation, KubeObject } from '../kube/api.ts';
import { resources } from '../kube/resources.ts';
import { groupWhile } from '../operators/groupWhile.ts';
import { serialRuns } from '../operators/serialRuns.ts';
import type { EffectDeps } from './deps.ts';
import type { Happening } from './happening.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { backOffMs, idle, type Run } from './run.ts';

export interface RefuseDeps extends Pick<EffectDeps, 'api' | 'now' | 'limits'> {
  /** What is wrong with a migration; undefined when it is gone or can be read. */
  readonly unreadable: (key: MigrationKey) => Malformed | undefined;
}

/** What one loop remembers; it lives in the subscription. */
interface Memory {
  /** The refusal that the server has: its own echo is no reason to write again. */
  told: string;
  failures: number;
}

/** Runs a loop for each migration that wakes, until it can be read or is gone. */
export const refuseUnreadable = (wakes: Observable<MigrationKey>, deps: RefuseDeps): Observable<Happening> =>
  wakes.pipe(
    groupWhile({
      key: keyText,
      until: (key) => deps.unreadable(key) === undefined,
      project: (group$) => {
        const memory: Memory = { told: '', failures: 0 };
        return group$.pipe(
          serialRuns(
            (key) => runOnce(key, memory, deps),
            (run) => run.checkAgainMs,
          ),
          concatMap((run) => from(run.happenings)),
        );
      },
    }),
  );

const runOnce = (key: MigrationKey, memory: Memory, deps: RefuseDeps): Observable<Run> => {
  const malformed = deps.unreadable(key);
  if (malformed === undefined || malformed.uid === '') return of(idle());
  const refusal = `${malformed.uid} ${malformed.generation} ${malformed.message}`;
  if (memory.told === refusal) return of(idle());
  const ref = { namespace: key.namespace, name: key.migration };
  return outcomeOf(deps.api.get(resources.storageMigrations, ref)).pipe(
    concatMap((read): Observable<Run> => {
      if (read.kind !== 'done') return of(again(memory, deps));
      const operations = conditionsPatch(read.value, malformed, deps.now());
      if (operations === 'told') {
        memory.told = refusal;
        return of(idle());
      }
      const patch = { type: 'json', operations } as const;
      return outcomeOf(deps.api.patch(resources.storageMigrations, ref, patch, { subresource: 'status' })).pipe(
        map((outcome): Run => {
          if (outcome.kind !== 'done') return again(memory, deps, [happeningOf(key, outcome)]);
          memory.told = refusal;
          memory.failures = 0;
          return { happenings: [happeningOf(key, outcome)], checkAgainMs: undefined };
        }),
      );
    }),
  );
};

const again = (memory: Memory, deps: RefuseDeps, happenings: readonly Happening[] = []): Run => {
  memory.failures += 1;
  return { happenings, checkAgainMs: backOffMs(memory.failures, deps.limits) };
};

const happeningOf = (key: MigrationKey, outcome: Outcome): Happening => ({
  kind: 'command',
  key,
  command: 'status',
  outcome: outcome.kind,
  detail: outcome.kind === 'done' ? '' : outcome.message,
  cause: undefined,
  record: undefined,
});

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The patch that makes the conditions say so; `told` when they do, or when there is no place for them. */
const conditionsPatch = (
  object: KubeObject,
  malformed: Malformed,
  nowMs: number,
): readonly JsonPatchOperation[] | 'told' => {
  const status = object['status'] ?? undefined;
  // Our record may be in there for a person to save: what is no object is not overwritten by one.
  if (status !== undefined && !isFields(status)) return 'told';
  const found: unknown = status?.['conditions'];
  const before = (Array.isArray(found) ? found : []).filter(isFields);
  const ours = conditionsFor(malformed).map((condition): Fields => {
    const known = before.find(({ type }) => type === condition.type);
    const since = known?.['status'] === condition.status ? known['lastTransitionTime'] : undefined;
    const lastTransitionTime = typeof since === 'string' ? since : new Date(nowMs).toISOString();
    return { ...condition, observedGeneration: malformed.generation, lastTransitionTime };
  });
  if (ours.every((condition) => before.some((known) => isSame(known, condition)))) return 'told';
  const conditions = [...ours, ...before.filter(({ type }) => ours.every((condition) => condition['type'] !== type))];
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion },
    status === undefined
      ? { op: 'add', path: '/status', value: { conditions } }
      : { op: 'add', path: '/status/conditions', value: conditions },
  ];
};

/** The same three whichever part is at fault; only a person can go on from there. */
const conditionsFor = ({ part, message }: Malformed) => {
  const reason = part === 'status' ? 'StatusNotReadable' : 'SpecNotReadable';
  const remedy =
    part === 'status'
      ? 'The status holds what was begun, so nothing is done before it is mended.'
      : 'Nothing is begun or undone for it before this is mended.';
  return [
    { type: 'Ready', status: 'False', reason, message: `${message}. ${remedy}` },
    { type: 'Progressing', status: 'False', reason, message: 'Nothing is done; see condition Ready.' },
    { type: 'NeedsAttention', status: 'True', reason, message: `${message}. ${remedy}` },
  ];
};
