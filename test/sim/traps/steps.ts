// Steps that many traps take: machines are made and moved, copies run or are held, daemons come and go.
import { expect } from 'vitest';
import type { KubeObject } from '../../../src/kube/api.ts';
import { resources } from '../../../src/kube/resources.ts';
import type { Json } from '../../../src/sim/cluster.ts';
import { ensureNamespace } from '../../../src/sim/scenario/world.ts';
import { at, type Machine, sight } from '../sight.ts';
import { type Player, type Scene, targetsOf, web } from './scene.ts';
import { act, attempt, inOrder, letPass, type Step, until } from './script.ts';

const isRunning = (scene: Scene, machine: Machine): boolean => {
  const vmi = scene.vmi(machine);
  const ready = vmi?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  return vmi?.status?.phase === 'Running' && ready && vmi.metadata.deletionTimestamp === undefined;
};

/** The StorageMigration for all machines of a namespace. */
export const migrationFor = (machines: readonly Machine[], name = 'move', spec: Json = {}): KubeObject => ({
  apiVersion: 'transship.dev/v1alpha1',
  kind: 'StorageMigration',
  metadata: { name, namespace: machines[0]?.namespace ?? 'shop' },
  spec: {
    virtualMachines: machines.map((machine) => ({
      name: machine.name,
      volumes: machine.disks.map((disk) => ({ name: disk.volume, target: { claimName: disk.target } })),
    })),
    ...spec,
  },
});

const createVm = (scene: Scene, { machine, runStrategy, on = true, disk }: Player): void => {
  ensureNamespace(scene.world.server, machine.namespace);
  const vm = scene.world.people.createVm({
    name: machine.name,
    namespace: machine.namespace,
    runStrategy: runStrategy ?? (on ? 'Always' : 'Halted'),
    disks: machine.disks.map((each, index) => ({
      name: each.volume,
      claim: each.source,
      target: each.target,
      ...disk?.(index),
    })),
  });
  if (on && runStrategy === 'Manual') scene.world.people.start(vm);
};

/** Steps that are told of by name in many traps. */
export const steps = {
  makeMachines: inOrder(
    act((scene) => {
      for (const player of scene.players) createVm(scene, player);
    }),
    until('the machines run', (scene) =>
      scene.players.every(
        ({ machine, on = true, runStrategy }) => !(on || runStrategy === 'RerunOnFailure') || isRunning(scene, machine),
      ),
    ),
    act((scene) => {
      for (const { machine, on = true, runStrategy } of scene.players)
        if (!on && runStrategy === 'RerunOnFailure') scene.world.people.stop(machine);
    }),
    until('the others are off', (scene) =>
      scene.players.every(({ machine, on = true }) => on || scene.vmi(machine) === undefined),
    ),
  ),
  createVm,
  /** Asks for every machine of the trap to be moved, one StorageMigration per namespace. */
  ask: act((scene) => {
    const machines = scene.players.map(({ machine }) => machine);
    for (const namespace of new Set(machines.map((machine) => machine.namespace))) {
      const migration = migrationFor(machines.filter((machine) => machine.namespace === namespace));
      scene.world.server.create(resources.storageMigrations, migration, 'user');
    }
  }),
  holdCopy: (machine: Machine = web): Step => act(({ world }) => world.kubeVirt.nodeSide(machine, { copy: 'hold' })),
  releaseCopy: (machine: Machine = web): Step =>
    act(({ world }) => world.kubeVirt.nodeSide(machine, { copy: 'succeed' })),
  copyingLive: (machine: Machine = web): Step =>
    until('a live copy that is half done', (scene) => {
      const state = scene.vmi(machine)?.status?.migrationState;
      return state?.targetNodeDomainDetected === true && state.endTimestamp === undefined;
    }),
  copyingOffline: (machine: Machine = web): Step =>
    until('an offline copy that runs', (scene) => {
      const pods = scene.copyPods(machine);
      return pods.length > machine.disks.length && pods.every((pod) => at(pod, 'status', 'phase') === 'Running');
    }),
  running: (machine: Machine = web): Step => until(`${machine.name} runs`, (scene) => isRunning(scene, machine)),
  off: (machine: Machine = web): Step => until(`${machine.name} is off`, (scene) => scene.vmi(machine) === undefined),
  attention: (reason: string, machine: Machine = web): Step =>
    until(`attention ${reason}`, (scene) => scene.says(machine).reason === reason),
  stop: (machine: Machine = web): Step => act(({ world }) => world.people.stop(machine)),
  start: (machine: Machine = web): Step => act(({ world }) => world.people.start(machine)),
  killDaemon: act(({ stage, network, world }) => {
    stage.kill();
    network?.trouble(world.server.now(), Number.POSITIVE_INFINITY);
  }),
  startDaemon: act(({ stage }) => stage.start()),
  /**
   * The machine is moved, its disks hold what the guest wrote, and so they do after it was off and on again; `restMs`
   * is how long everything is left alone in between.
   */
  movedForGood: (machine: Machine = web, restMs = 5000): Step =>
    inOrder(
      until(`${machine.name} is moved`, (scene) => scene.isDone(machine)),
      letPass(restMs),
      act((scene) => isMoved(scene, machine)),
      attempt(({ world }) => world.people.stop(machine)),
      until('it is off', (scene) => !isRunning(scene, machine) && scene.runsOn(machine) === undefined),
      letPass(restMs),
      attempt(({ world }) => world.people.start(machine)),
      steps.running(machine),
      letPass(restMs),
      act((scene) => {
        isMoved(scene, machine);
        expect(scene.runsOn(machine)).toEqual(targetsOf(machine));
      }),
    ),
} as const;

const isMoved = (scene: Scene, machine: Machine): void => {
  expect(scene.says(machine).phase).toBe('Moved');
  expect(sight.sideOf(scene.vm(machine), machine)).toBe('target');
  expect(scene.runsOn(machine) ?? targetsOf(machine)).toEqual(targetsOf(machine));
  expect(scene.world.disks.lostWrites(machine)).toEqual([]);
  expect(scene.copyPods(machine)).toEqual([]);
};
