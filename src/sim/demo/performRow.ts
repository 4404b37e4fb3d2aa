// Plays one row on a stage and follows it with pictures: what comes out is the score so far, again and again, and last
// the score with the result. Here time is real; what is written down are times of the cluster.
import {
  concat,
  defer,
  filter,
  ignoreElements,
  interval,
  last,
  map,
  merge,
  type Observable,
  of,
  takeWhile,
  tap,
  timer,
} from 'rxjs';
import { resources } from '../../kube/resources.ts';
import { isResult, playRow, type RowResult } from '../scenario/playRow.ts';
import { realVariation } from '../scenario/realVariation.ts';
import { castOf } from '../scenario/rowObjects.ts';
import type { Row } from '../scenario/rows.ts';
import { usualVariation, type Variation } from '../scenario/variation.ts';
import type { World } from '../scenario/world.ts';
import { pictureOf } from './picture.ts';
import { emptyScore, type ModeState, type Score, withNote, withPicture } from './score.ts';
import type { Stage } from './stage.ts';

/** The result of a row with what was found on its disks. */
export interface Performed extends RowResult {
  /** Disks that lack something their guest wrote. */
  readonly lostDisks: number;
  /** From the asking for the migration to its end, in ms of the cluster. */
  readonly clusterMs: number;
}

export interface Scene {
  readonly score: Score;
  /** Set when the row is over. */
  readonly result: Performed | undefined;
}

/** How often a scene comes out, in ms: often enough for the eye. */
const frameMs = 100;

/** People act when the copies are well under way, so that there is something to see; in ms of the cluster. */
const peopleWaitMs = 2000;

/** What is cleaned up after the last machine is done is shown as well; in ms of the cluster. */
const lingerMs = 2500;

/** Many times what a row takes, in ms of the cluster. */
const timeoutMs = 150_000;

/** The row in a namespace of its own. */
const variationOf = (row: Row, { copiesAreReal, speed }: Pick<World, 'copiesAreReal' | 'speed'>): Variation => ({
  ...usualVariation,
  namespace: `row-${row.number}`,
  delayMs: peopleWaitMs,
  timeoutMs,
  ...(copiesAreReal ? realVariation(row, speed) : {}),
});

/** Emits scenes as the row is played and completes with the scene that has its result. */
export const performRow = ({ world, happening$ }: Stage, row: Row): Observable<Scene> =>
  defer(() => {
    const { server, speed } = world;
    const variation = variationOf(row, world);
    const { namespace } = variation;
    const cast = castOf(row, variation);
    const modes = new Map<string, ModeState>();
    let score = emptyScore;
    let result: Performed | undefined;
    /** When the migration was asked for; before that nothing is worth showing. */
    let startMs: number | undefined;

    const timed = (change: (score: Score, atMs: number) => Score): void => {
      if (startMs !== undefined) score = change(score, (server.now() - startMs) * speed);
    };
    const performed = (given: RowResult): Performed => ({
      ...given,
      lostDisks: cast.flatMap((machine) => world.disks.lostWrites(machine)).length,
      clusterMs: startMs === undefined ? 0 : (server.now() - startMs) * speed,
    });
    const look = (): void => timed((before, atMs) => withPicture(before, atMs, pictureOf(world, cast, modes)));

    const looked$ = server.changes$.pipe(
      filter(({ object }) => object.metadata.namespace === namespace),
      tap(({ resource, type }) => {
        if (type === 'added' && resource.plural === resources.storageMigrations.plural) startMs = server.now();
        look();
      }),
      ignoreElements(),
    );
    const switched$ = happening$.pipe(
      tap((happening) => {
        if (happening.kind !== 'switched' || happening.key.namespace !== namespace) return;
        modes.set(happening.key.machine, happening.to);
        look();
      }),
      ignoreElements(),
    );
    const played$ = playRow(world, row, variation).pipe(
      tap((item) => {
        if (isResult(item)) result = performed(item);
        else timed((before, atMs) => withNote(before, { atMs, what: item.what }));
      }),
    );
    const scene = (): Scene => ({ score, result });
    const frame$ = interval(frameMs).pipe(tap(look), map(scene));
    const over$ = concat(played$, timer(lingerMs / speed)).pipe(
      last(),
      map((): 'over' => 'over'),
    );
    // The play begins last, when everybody looks.
    return concat(
      merge(looked$, switched$, frame$, over$).pipe(takeWhile((item): item is Scene => item !== 'over')),
      defer(() => of(scene())),
    );
  });
