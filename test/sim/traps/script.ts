// The words a trap's script is written in: acts, and waits for something to be true. A wait that never ends fails with
// its own words.
import {
  concat,
  defer,
  EMPTY,
  filter,
  ignoreElements,
  map,
  merge,
  type Observable,
  startWith,
  take,
  timer,
} from 'rxjs';
import { KubeFailure } from '../../../src/kube/api.ts';
import type { Scene } from './scene.ts';

export type Step = (scene: Scene) => Observable<unknown>;

/** Something is done, or a fact is asserted. */
export const act =
  (what: (scene: Scene) => void): Step =>
  (scene) =>
    defer(() => {
      what(scene);
      return EMPTY;
    });

/** Like `act`, but a refusal by the API server is shrugged off, as people do. */
export const attempt = (what: (scene: Scene) => void): Step =>
  act((scene) => {
    try {
      what(scene);
    } catch (refusal) {
      if (!(refusal instanceof KubeFailure)) throw refusal;
    }
  });

export const letPass =
  (ms: number): Step =>
  () =>
    timer(ms);

const usualPatienceMs = 240_000;

/** Goes on as soon as it holds: it is looked at after every accepted write. */
export const until =
  (what: string, holds: (scene: Scene) => boolean, patienceMs = usualPatienceMs): Step =>
  (scene) =>
    merge(
      scene.world.server.changes$.pipe(
        map(() => undefined),
        startWith(undefined),
        filter(() => holds(scene)),
      ),
      timer(patienceMs).pipe(
        map(() => {
          const said = scene.players.map(({ machine }) => JSON.stringify(scene.says(machine))).join('\n');
          throw new Error(`never came: ${what}\n${said}`);
        }),
      ),
    ).pipe(take(1));

/** Nothing but time for so long, in which the laws are watched and `holds` stays true after every write. */
export const stays =
  (what: string, holds: (scene: Scene) => boolean, ms: number): Step =>
  (scene) =>
    merge(
      scene.world.server.changes$.pipe(
        startWith(undefined),
        filter(() => !holds(scene)),
        map(() => {
          throw new Error(`did not stay: ${what}`);
        }),
      ),
      timer(ms),
    ).pipe(take(1));

/** Acts in order. */
export const inOrder =
  (...steps: readonly Step[]): Step =>
  (scene) =>
    concat(...steps.map((step) => defer(() => step(scene)))).pipe(ignoreElements());
