// Carries out what is decided about the copy pods of each migration: deletions each on their own, creations in one
// serial lane per migration.
//
// Flow: any machine of a migration wakes it; a run reads the facts as they are then and decides for all its groups.
// Guarantees: a deletion waits for nothing and takes exactly the pod it was decided for; before a pod is made, the
// server is asked whether its machines are still off (stillOff.ts). Assumptions: names are deterministic, so making a
// pod twice meets AlreadyExists.
import { concatMap, defer, from, map, merge, mergeMap, type Observable, of, share, tap, toArray } from 'rxjs';
import { decideGroups, type GroupCommand, type GroupDecision } from '../core/groups.ts';
import type { MigrationView } from '../core/migration.ts';
import { keyText, type MigrationKey } from '../core/reading.ts';
import type { KubeObject } from '../kube/api.ts';
import { projectPod } from '../kube/project.ts';
import { resources } from '../kube/resources.ts';
import { auditLeading } from '../operators/auditLeading.ts';
import { groupWhile } from '../operators/groupWhile.ts';
import { serialRuns } from '../operators/serialRuns.ts';
import { clearanceFor } from './clearance.ts';
import { copyManifest } from './copyManifest.ts';
import type { EffectDeps } from './deps.ts';
import { groupKeys, makeKeys } from './groupKeys.ts';
import type { Happening } from './happening.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { backOffMs, idle, type Run } from './run.ts';
import { stillOff } from './stillOff.ts';

type Deletion = Extract<GroupCommand, { kind: 'deletePod' }>;
type Creation = Exclude<GroupCommand, Deletion>;

/** Runs the lanes of every migration that wakes. */
export const groupLoop = (wakes: Observable<MigrationKey>, deps: EffectDeps): Observable<Happening> =>
  wakes.pipe(
    groupWhile({
      key: (key) => keyText(key),
      until: (key) => deps.reading.migration(key) === undefined,
      project: (group$) => {
        // Many machines wake it in the same moment; it looks at once, and once more when all have.
        const wake$ = group$.pipe(auditLeading(0), share());
        const keysMade = new Set<string>();
        return merge(endsOf(wake$, deps), beginsOf(wake$, keysMade, deps), groupKeys(wake$, keysMade, deps));
      },
    }),
  );

const decisionFor = (
  key: MigrationKey,
  deps: EffectDeps,
): { view: MigrationView; decision: GroupDecision } | undefined => {
  const view = deps.reading.synced() ? deps.reading.migration(key) : undefined;
  if (view === undefined) return undefined;
  const clearanceOf = (machine: string) => {
    const machineKey = { ...key, machine };
    return clearanceFor(deps, machineKey, deps.settledMode(machineKey));
  };
  return { view, decision: decideGroups(view, { clearanceOf, limits: deps.limits, now: deps.now() }) };
};

const happeningOf = (key: MigrationKey, command: GroupCommand, outcome: Outcome): Happening => ({
  kind: 'command',
  key: machineOf(command) === undefined ? key : { ...key, machine: machineOf(command) as string },
  command: command.kind,
  outcome: outcome.kind,
  detail: outcome.kind === 'done' ? nameOf(command) : outcome.message,
  cause: command.kind === 'deletePod' ? command.cause : undefined,
  record: undefined,
});

const machineOf = (command: GroupCommand): string | undefined => {
  if (command.kind !== 'deletePod') return command.machine;
  return command.pod.vmName === '' ? undefined : command.pod.vmName;
};

const nameOf = (command: GroupCommand): string => (command.kind === 'deletePod' ? command.pod.name : '');

/** Deletions: each pod has a lane of its own, so that one request that hangs keeps no other pod alive. */
const endsOf = (wakes: Observable<MigrationKey>, deps: EffectDeps): Observable<Happening> =>
  defer(() => {
    // Pods whose deletion is under way, or was accepted and is not seen yet.
    const asked = new Set<string>();
    return wakes.pipe(
      serialRuns(
        (key) =>
          defer(() => {
            const decided = decisionFor(key, deps);
            const ends = decided?.decision.ends.flatMap((end) => (end.kind === 'deletePod' ? [end] : [])) ?? [];
            const present = new Set(decided?.view.pods.map((pod) => pod.uid));
            for (const uid of asked) if (!present.has(uid)) asked.delete(uid);
            const due = ends.filter(({ pod }) => !asked.has(pod.uid));
            for (const { pod } of due) asked.add(pod.uid);
            return of({ key, due, checkAgainMs: ends.length > 0 ? deps.limits.retryMs : undefined });
          }),
        (run) => run.checkAgainMs,
      ),
      mergeMap(({ key, due }) => from(due).pipe(map((command) => ({ key, command })))),
      mergeMap(({ key, command }) =>
        deletePod(command, deps).pipe(
          tap((outcome) => {
            if (outcome.kind !== 'done') asked.delete(command.pod.uid);
          }),
          map((outcome) => happeningOf(key, command, outcome)),
        ),
      ),
    );
  });

const deletePod = ({ pod }: Deletion, deps: EffectDeps): Observable<Outcome> =>
  outcomeOf(deps.api.remove(resources.pods, { namespace: pod.namespace, name: pod.name }, { uid: pod.uid }));

const beginsOf = (wakes: Observable<MigrationKey>, keysMade: Set<string>, deps: EffectDeps): Observable<Happening> =>
  defer(() => {
    const memory = { failures: 0, keysMade };
    return wakes.pipe(
      serialRuns(
        (key) => beginOnce(key, memory, deps),
        (run) => run.checkAgainMs,
      ),
      concatMap((run) => from(run.happenings)),
    );
  });

interface Memory {
  failures: number;
  /** uids of the servers whose keys are there or under way; see groupKeys.ts. */
  readonly keysMade: Set<string>;
}

const beginOnce = (key: MigrationKey, memory: Memory, deps: EffectDeps): Observable<Run> => {
  const decided = decisionFor(key, deps);
  if (decided === undefined) return of(idle());
  const { view, decision } = decided;
  const creations = decision.begins.flatMap((command) => (command.kind === 'deletePod' ? [] : [command]));
  const awaited = new Set(creations.flatMap((command) => machinesOf(command, view)));
  for (const { name } of view.members)
    if (!awaited.has(name)) deps.copyRefusals.delete(keyText({ ...key, machine: name }));
  if (creations.length === 0) return of(idle(decision.checkAgainMs));
  return from(creations).pipe(
    mergeMap((command) => create(key, command, view, memory, deps), deps.limits.concurrentCreates),
    toArray(),
    map((results): Run => {
      const happenings = results.flatMap((result) => result.happenings);
      memory.failures = results.every(({ outcome }) => outcome.kind === 'done') ? 0 : memory.failures + 1;
      const checkAgainMs = memory.failures === 0 ? decision.checkAgainMs : backOffMs(memory.failures, deps.limits);
      return { happenings, checkAgainMs };
    }),
  );
};

const create = (
  key: MigrationKey,
  command: Creation,
  view: MigrationView,
  memory: Memory,
  deps: EffectDeps,
): Observable<{ readonly outcome: Outcome; readonly happenings: readonly Happening[] }> => {
  const machines = machinesOf(command, view);
  const topics = command.kind === 'createClient' ? [keyText({ ...key, machine: command.machine })] : [keyText(key)];
  return stillOff(machines, view, deps).pipe(
    concatMap((outcome): Observable<Outcome<KubeObject | undefined>> => {
      if (outcome.kind !== 'done') return of(outcome);
      if (!isStillDecided(key, command, deps)) return of({ kind: 'conflict', message: 'it is no longer wanted' });
      return outcomeOf(deps.api.create(resources.pods, copyManifest(command, view, deps)));
    }),
    tap((outcome) => {
      for (const machine of machines) noteCopyRefusal(keyText({ ...key, machine }), outcome, deps);
      for (const topic of topics) {
        if (outcome.kind === 'unknown') deps.ownWrites.uncertain(topic);
        const version = outcome.kind === 'done' ? outcome.value?.metadata.resourceVersion : undefined;
        if (version !== undefined) deps.ownWrites.wrote(topic, 'pods', key.namespace, version);
      }
    }),
    concatMap((outcome) => {
      const happening = happeningOf(key, command, outcome);
      return keysFor(key, outcome, memory, deps).pipe(
        map((further) => ({ outcome, happenings: [happening, ...further] })),
      );
    }),
  );
};

/** A server that was made gets its keys at once: its node looks for them as soon as it knows of the pod. */
const keysFor = (
  key: MigrationKey,
  outcome: Outcome<KubeObject | undefined>,
  memory: Memory,
  deps: EffectDeps,
): Observable<readonly Happening[]> => {
  if (outcome.kind !== 'done' || outcome.value === undefined) return of([]);
  const pod = projectPod(outcome.value);
  if (pod.kind !== 'kept' || pod.object.role !== 'copyServer') return of([]);
  return makeKeys(key, pod.object, memory.keysMade, deps).pipe(toArray());
};

/** Whether the same would be decided now: what was asked of the server may have been long on its way, and the watch faster. */
const isStillDecided = (key: MigrationKey, command: Creation, deps: EffectDeps): boolean =>
  decisionFor(key, deps)?.decision.begins.some((each) => isSamePod(each, command)) === true;

const isSamePod = (one: GroupCommand, other: Creation): boolean => {
  if (one.kind === 'createClient' && other.kind === 'createClient') {
    const sameDisk = one.machine === other.machine && one.disk.volume === other.disk.volume;
    return sameDisk && one.copyId === other.copyId && one.server.uid === other.server.uid;
  }
  if (one.kind !== 'createServer' || other.kind !== 'createServer') return false;
  return one.machine === other.machine && one.targets.join() === other.targets.join();
};

/** The machine of a client; all that a server is for. */
const machinesOf = (command: Creation, { members }: MigrationView): readonly string[] =>
  command.kind === 'createClient'
    ? [command.machine]
    : members
        .filter((member) => member.record?.disks.some((disk) => command.targets.includes(disk.target)))
        .map((member) => member.name);

/** Kept from the first time in a row. */
const noteCopyRefusal = (machine: string, outcome: Outcome, { copyRefusals, now }: EffectDeps): void => {
  if (outcome.kind !== 'refused') copyRefusals.delete(machine);
  else copyRefusals.set(machine, { message: outcome.message, sinceMs: copyRefusals.get(machine)?.sinceMs ?? now() });
};
