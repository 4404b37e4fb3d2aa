// The stage set for a trap: machines, a StorageMigration, a daemon that runs from the beginning unless the trap takes
// it away, and a script of steps. Each step is an act or a wait for something to be true; a wait that never ends fails
// with its own words. The laws watch all the while.
import {
  concat,
  defer,
  EMPTY,
  filter,
  ignoreElements,
  map,
  merge,
  type Observable,
  of,
  startWith,
  take,
  timer,
} from 'rxjs';
import { expect } from 'vitest';
import { KubeFailure, type KubeObject } from '../../../src/kube/api.ts';
import { labels } from '../../../src/kube/names.ts';
import { resources } from '../../../src/kube/resources.ts';
import type { Change, Json } from '../../../src/sim/cluster.ts';
import type { NewDisk, NewVm } from '../../../src/sim/kubevirt/manifests.ts';
import { model } from '../../../src/sim/kubevirt/model.ts';
import type { Pod, Vm, Vmi, Vmim } from '../../../src/sim/kubevirt/objects.ts';
import { ensureNamespace, type World } from '../../../src/sim/scenario/world.ts';
import { type Network, networkOf } from '../network.ts';
import { at, type Machine, sight } from '../sight.ts';
import { isDaemon, perform, type Stage, type StageOptions } from '../stage.ts';

/** A machine of a trap. */
export interface Player {
  readonly machine: Machine;
  /** Default Always, and Halted for one that is off. */
  readonly runStrategy?: NewVm['runStrategy'];
  /** Default true. */
  readonly on?: boolean;
  /** What its disks are besides plain claims; by the place of the disk. */
  readonly disk?: (index: number) => Partial<NewDisk>;
}

export interface Trap extends Omit<StageOptions, 'cast' | 'network'> {
  /** Default one machine `web` that is on. */
  readonly players?: readonly Player[];
  /** Absent: nothing goes wrong between daemon and server, so that the revert must come at once. */
  readonly network?: Network;
  /** The migration is made by a step of the script. */
  readonly asksLater?: boolean;
}

export type Step = (scene: Scene) => Observable<unknown>;

export interface Scene {
  readonly stage: Stage;
  readonly world: World;
  readonly network: Network | undefined;
  readonly players: readonly Player[];
  vm(machine?: Machine): Vm;
  vmi(machine?: Machine): Vmi | undefined;
  vmims(machine?: Machine): readonly Vmim[];
  launchers(machine?: Machine): readonly Pod[];
  copyPods(machine?: Machine): readonly KubeObject[];
  /** Claims that the guest really runs on. */
  runsOn(machine?: Machine): readonly string[] | undefined;
  /** What the StorageMigration says of the machine. */
  says(machine?: Machine): { readonly phase: unknown; readonly reason: unknown; readonly message: unknown };
  isDone(machine?: Machine): boolean;
  /** Accepted writes so far of the daemons, about this machine's VM. */
  readonly vmWrites: (machine?: Machine) => readonly Change[];
  /** Accepted writes so far. */
  readonly changes: readonly Change[];
}

export const machineOf = (name: string, disks = 1, namespace = 'shop'): Machine => ({
  name,
  namespace,
  disks: Array.from({ length: disks }, (_, index) => ({
    volume: `disk${index}`,
    source: `${name}-disk${index}-old`,
    target: `${name}-disk${index}-new`,
  })),
});

/** The machine most traps are about. */
export const web = machineOf('web');

export const sourcesOf = (machine: Machine): readonly string[] => machine.disks.map(({ source }) => source);
export const targetsOf = (machine: Machine): readonly string[] => machine.disks.map(({ target }) => target);

const sceneOf = (stage: Stage, players: readonly Player[], network: Network | undefined): Scene => {
  const { world } = stage;
  const { server } = world;
  const changes: Change[] = [];
  const podsOf = (machine: Machine): readonly KubeObject[] => server.all(resources.pods, machine.namespace);
  const says = (machine: Machine) => {
    const entries = server
      .all(resources.storageMigrations, machine.namespace)
      .flatMap((migration) => (at(migration, 'status', 'virtualMachines') ?? []) as readonly unknown[])
      .filter((entry) => at(entry, 'name') === machine.name);
    const entry = entries.at(-1);
    return { phase: at(entry, 'phase'), reason: at(entry, 'reason'), message: at(entry, 'message') };
  };
  const vmi = (machine: Machine) => model.maybe<Vmi>(server.read(resources.virtualMachineInstances, machine));
  server.changes$.subscribe((change) => changes.push(change));
  return {
    stage,
    world,
    network,
    players,
    changes,
    vm: (machine = web) => {
      const found = model.maybe<Vm>(server.read(resources.virtualMachines, machine));
      if (found === undefined) throw new Error(`there is no VM ${machine.name}`);
      return found;
    },
    vmi: (machine = web) => vmi(machine),
    vmims: (machine = web) =>
      server
        .all(resources.virtualMachineInstanceMigrations, machine.namespace)
        .filter((vmim) => at(vmim, 'spec', 'vmiName') === machine.name) as unknown as readonly Vmim[],
    launchers: (machine = web) =>
      podsOf(machine).filter(
        (pod) =>
          pod.metadata.labels?.['kubevirt.io'] === 'virt-launcher' &&
          pod.metadata.annotations?.['kubevirt.io/domain'] === machine.name,
      ) as unknown as readonly Pod[],
    copyPods: (machine = web) =>
      podsOf(machine).filter(
        (pod) => pod.metadata.labels?.[labels.role] !== undefined && sight.mountsAny(pod, machine),
      ),
    runsOn: (machine = web) => world.disks.running(vmi(machine)?.metadata.uid ?? '')?.map(({ claim }) => claim),
    says: (machine = web) => says(machine),
    isDone: (machine = web) => says(machine).phase === 'Moved',
    vmWrites: (machine = web) =>
      changes.filter((change) => isDaemon(change.actor) && sight.writes(change, resources.virtualMachines, machine)),
  };
};

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
  /** The machine stands on its sources with everything the guest wrote, and no copy pod is left. */
  isOnSource: (machine: Machine = web): Step =>
    act((scene) => {
      expect(sight.sideOf(scene.vm(machine), machine)).toBe('source');
      expect(scene.copyPods(machine)).toEqual([]);
      expect(scene.world.disks.lostWrites(machine)).toEqual([]);
    }),
} as const;

const isMoved = (scene: Scene, machine: Machine): void => {
  expect(scene.says(machine).phase).toBe('Moved');
  expect(sight.sideOf(scene.vm(machine), machine)).toBe('target');
  expect(scene.runsOn(machine) ?? targetsOf(machine)).toEqual(targetsOf(machine));
  expect(scene.world.disks.lostWrites(machine)).toEqual([]);
  expect(scene.copyPods(machine)).toEqual([]);
};

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
