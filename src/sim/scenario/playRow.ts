// Plays one row of the table on a simulated cluster: makes the machines and the StorageMigration, waits for the row's
// moment, lets people act, and watches until every machine is done. The daemon is somebody else's to run.
import {
  concat,
  defer,
  EMPTY,
  filter,
  ignoreElements,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  race,
  Subject,
  share,
  startWith,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { labels } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import { judge } from './judge.ts';
import { type Cast, type Milestone, milestonesOf } from './milestones.ts';
import { change, changeTheirMinds } from './peopleAct.ts';
import { areAsTheyBegin, areOff, hasCome, holdBack, release, spokenOf, stopThoseThatAreOff } from './rowMoment.ts';
import { castOf, makeMachines, migrationOf } from './rowObjects.ts';
import type { Row } from './rows.ts';
import { usualVariation, type Variation } from './variation.ts';
import { ensureNamespace, type World } from './world.ts';

export interface RowResult {
  readonly row: Row;
  readonly milestones: readonly Milestone[];
  /** What is wrong, as sentences; empty when the row passed. */
  readonly faults: readonly string[];
  readonly tookMs: number;
  /** Disks whose content was compared with what the guest wrote. */
  readonly verifiedDisks: number;
}

/** Plays `row`; emits each milestone as it is seen and the result last. */
export const playRow = (
  world: World,
  row: Row,
  variation: Variation = usualVariation,
): Observable<Milestone | RowResult> =>
  defer(() => {
    const { server } = world;
    const cast = castOf(row, variation);
    const startMs = server.now();
    const seen: Milestone[] = [];
    const people$ = new Subject<Milestone>();
    const milestone$ = merge(
      people$,
      milestonesOf(server.changes$, cast, () => server.now() - startMs),
    ).pipe(
      tap((milestone) => seen.push(milestone)),
      share(),
    );
    /** Completes as soon as `holds`; looks at it with every accepted write, and besides when `also` emits. */
    const until = (holds: () => boolean, also: Observable<unknown> = EMPTY): Observable<never> =>
      merge(server.changes$, also).pipe(
        map(() => undefined),
        startWith(undefined),
        filter(() => holds()),
        take(1),
        ignoreElements(),
      );
    const act = (what: () => void): Observable<never> => defer(() => of(what())).pipe(ignoreElements());
    let letCopyPodsRun = (): void => {};
    const script = concat(
      act(() => ensureNamespace(server, variation.namespace)),
      act(() => makeMachines(world, row, cast, variation)),
      until(() => areAsTheyBegin(world, row, variation)),
      act(() => stopThoseThatAreOff(world, row, variation)),
      until(() => areOff(world, row, variation)),
      act(() => {
        if (variation.moment === undefined) holdBack(world, row, variation);
        if (variation.copyPods === 'pending') {
          letCopyPodsRun = world.nodes.holdContainers((pod) => pod.metadata.labels?.[labels.role] !== undefined);
        }
      }),
      act(() => server.create(resources.storageMigrations, migrationOf(cast, variation), 'user')),
      race(
        until(() => variation.moment === 'any' || hasCome(world, row, variation, seen), spokenOf(variation)),
        variation.patienceMs === undefined ? NEVER : timer(variation.patienceMs / world.speed).pipe(ignoreElements()),
      ),
      timer(variation.delayMs / world.speed).pipe(ignoreElements()),
      act(() =>
        change(world, row, variation, (what, machine) =>
          people$.next({ atMs: server.now() - startMs, what: `people ${what} ${machine}`, machine }),
        ),
      ),
      changeTheirMinds(world, row, variation),
      act(() => {
        release(world, row, variation);
        letCopyPodsRun();
      }),
      until(() => cast.every((machine) => seen.some(({ what }) => what === `${machine.name} is done`))),
    );
    const ended$ = race(
      concat(script, of('through' as const)),
      timer(variation.timeoutMs / world.speed).pipe(map(() => 'late' as const)),
    ).pipe(take(1), share());
    const result = ended$.pipe(
      map((ended) => resultOf(world, row, variation, cast, seen, ended, server.now() - startMs)),
    );
    return merge(milestone$.pipe(takeUntil(ended$)), result);
  });

const resultOf = (
  world: World,
  row: Row,
  variation: Variation,
  cast: readonly Cast[],
  seen: readonly Milestone[],
  ended: 'through' | 'late',
  tookMs: number,
): RowResult => {
  const lost = cast.flatMap((machine) => world.disks.lostWrites({ namespace: machine.namespace, name: machine.name }));
  return {
    row,
    milestones: seen,
    faults: [
      ...(ended === 'late' ? ['not every machine was done in time'] : []),
      ...(variation.moment === undefined && variation.flaps === undefined ? judge(row, seen) : []),
      ...lost.map(
        (loss) =>
          `${loss.vm}: ${loss.lostBlocks} blocks of ${loss.volume} on ${loss.claim} are not what the guest wrote`,
      ),
    ],
    tookMs,
    verifiedDisks: cast.reduce((sum, machine) => sum + machine.disks.length, 0),
  };
};

/** Tells the result from the milestones before it. */
export const isResult = (item: Milestone | RowResult): item is RowResult => 'faults' in item;
