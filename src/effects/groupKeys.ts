// Makes the keys that a copy server waits for. The server's pod exists first and owns them, so the cluster removes
// them with it; the kubelet starts no container before they are there.
//
// Flow: they are made as soon as the pod is; any machine of a migration wakes the lane, in which a run makes those of
// every server that has not started and whose keys this process has not made.
// Guarantees: however often it is repeated, a server has one set of keys: who finds the name taken leaves it alone. It is
// repeated until a request was answered with the keys or the server has started.
// Assumptions: the name is known to nobody before the pod is made, so what stands under it is ours.
import { catchError, concatMap, defer, EMPTY, from, map, mergeMap, type Observable, of, tap, toArray } from 'rxjs';
import type { Pod } from '../core/objects.ts';
import type { MigrationKey } from '../core/reading.ts';
import { KubeFailure } from '../kube/api.ts';
import { copyKeys } from '../kube/copyKeys.ts';
import { resources } from '../kube/resources.ts';
import { serialRuns } from '../operators/serialRuns.ts';
import type { EffectDeps } from './deps.ts';
import type { Happening } from './happening.ts';
import { outcomeOf } from './outcome.ts';
import { backOffMs, idle, type Run } from './run.ts';

const needsKeys = (pod: Pod): boolean =>
  pod.role === 'copyServer' && pod.phase === 'Pending' && !pod.deleting && pod.keys !== '';

/** Runs the lane of one migration. `made` holds the uids of the servers whose keys are there or under way. */
export const groupKeys = (
  wakes: Observable<MigrationKey>,
  made: Set<string>,
  deps: EffectDeps,
): Observable<Happening> =>
  defer(() => {
    const memory = { failures: 0, seen: new Set<string>() };
    const runOnce = (key: MigrationKey): Observable<Run> => {
      if (!deps.reading.synced()) return of(idle());
      const pods = deps.reading.migration(key)?.pods ?? [];
      const present = new Set(pods.map((pod) => pod.uid));
      // One that was just made is not seen yet, and its keys are not to be made twice.
      for (const uid of memory.seen) if (!present.has(uid)) made.delete(uid);
      memory.seen = present;
      const waiting = pods.filter(needsKeys);
      const due = waiting.filter((pod) => !made.has(pod.uid));
      // Those under way may yet fail.
      if (due.length === 0) return of(idle(waiting.length > 0 ? deps.limits.retryMaxMs : undefined));
      return from(due).pipe(
        mergeMap((server) => makeKeys(key, server, made, deps)),
        toArray(),
        map((happenings): Run => {
          memory.failures = due.every((server) => made.has(server.uid)) ? 0 : memory.failures + 1;
          const checkAgainMs = memory.failures === 0 ? undefined : backOffMs(memory.failures, deps.limits);
          return { happenings, checkAgainMs };
        }),
      );
    };
    return wakes.pipe(
      serialRuns(runOnce, (run) => run.checkAgainMs),
      concatMap((run) => from(run.happenings)),
    );
  });

/**
 * Makes the keys of one server, unless somebody here is at it already: its making is answered and seen in either order.
 * Taken is as good as made. Not every conflict says that: a quota that is being counted answers so too.
 */
export const makeKeys = (key: MigrationKey, server: Pod, made: Set<string>, deps: EffectDeps): Observable<Happening> =>
  defer(() => {
    if (made.has(server.uid)) return EMPTY;
    made.add(server.uid);
    return outcomeOf(
      deps.api.create(resources.secrets, copyKeys(server, deps.randomHex)).pipe(
        catchError((error: unknown) => {
          if (error instanceof KubeFailure && error.reason === 'AlreadyExists') return of(undefined);
          throw error;
        }),
      ),
    );
  }).pipe(
    tap(({ kind }) => {
      if (kind !== 'done') made.delete(server.uid);
    }),
    map((outcome) => ({
      kind: 'command',
      key,
      command: 'createKeys',
      outcome: outcome.kind,
      detail: outcome.kind === 'done' ? server.keys : outcome.message,
      cause: undefined,
      record: undefined,
    })),
  );
