// The stage set for a trap: machines, a StorageMigration, a daemon that runs from the beginning unless the trap takes
// it away, and a script of steps. The laws watch all the while.
import { concat, defer, type Observable, of } from 'rxjs';
import { resources } from '../../../src/kube/resources.ts';
import { type Network, networkOf } from '../network.ts';
import { at, sight } from '../sight.ts';
import { isDaemon, perform, type StageOptions } from '../stage.ts';
import { type Player, type Scene, sceneOf, web } from './scene.ts';
import { inOrder, type Step } from './script.ts';
import { steps } from './steps.ts';

export { machineOf, type Scene, sourcesOf, targetsOf, web } from './scene.ts';
export { act, attempt, letPass, type Step, stays, until } from './script.ts';
export { steps } from './steps.ts';

export interface Trap extends Omit<StageOptions, 'cast' | 'network'> {
  /** Default one machine `web` that is on. */
  readonly players?: readonly Player[];
  /** Absent: nothing goes wrong between daemon and server, so that the revert must come at once. */
  readonly network?: Network;
  /** The migration is made by a step of the script. */
  readonly asksLater?: boolean;
}

/** Plays a trap; fails on a broken law, a step that fails, or when the time is up. */
export const play = (trap: Trap, ...script: readonly Step[]): Scene => {
  const players = trap.players ?? [{ machine: web }];
  const { players: _, asksLater, ...options } = trap;
  return perform({ limitMs: 1_800_000, ...options, cast: players.map(({ machine }) => machine) }, (stage) =>
    defer(() => {
      const scene = sceneOf(stage, players, trap.network);
      return concat(
        inOrder(steps.startDaemon, steps.makeMachines, ...(asksLater === true ? [] : [steps.ask]), ...script)(scene),
        of(scene),
      ) as Observable<Scene>;
    }),
  );
};

/** A network on which nothing goes wrong by itself. */
export const goodNetwork = (): Network => networkOf({});

/** Whether the daemon never wrote the VM so that it names its targets while its VMI was not Running. */
export const patchedOnlyRunning = (scene: Scene): readonly string[] => {
  const bad: string[] = [];
  const phases = new Map<string, unknown>();
  for (const change of scene.changes) {
    const key = `${change.object.metadata.namespace}/${change.object.metadata.name}`;
    if (change.resource.plural === 'virtualmachineinstances')
      phases.set(key, change.type === 'deleted' ? undefined : at(change.object, 'status', 'phase'));
    const player = scene.players.find(({ machine }) => `${machine.namespace}/${machine.name}` === key);
    if (player === undefined || !isDaemon(change.actor)) continue;
    if (!sight.writes(change, resources.virtualMachines, player.machine)) continue;
    const phase = phases.get(key);
    if (sight.movedTo('target', change, player.machine) && phase !== undefined && phase !== 'Running')
      bad.push(`${key} was patched while its VMI was ${phase}`);
  }
  return bad;
};
