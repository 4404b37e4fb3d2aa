// What the daemon does in the explored world: events reach it kind by kind, and its lanes carry out what the core
// decides as src/effects does, each write as one step. A write may go unanswered and land later, and the process may die.
import type { Act, Brain, Shape } from './brain.ts';
import { seesSwitchOver } from './decisionLaws.ts';
import { land } from './landing.ts';
import { folded } from './objects.ts';
import { isWhole, type Step, type Tell } from './step.ts';
import type { GroupSight, Late, Machine, MachineSight, World } from './world.ts';

const copyOf = <T>(value: T): T => structuredClone(value);

const isSame = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

const usual = { fair: true, slow: false, urgent: false } as const;

const forget = (machine: Machine, kind: Machine['landed']): void => {
  if (machine.landed === kind) machine.landed = '';
};

/** Everything of each kind that has happened reaches the daemon at once; every version went through the store's fold. */
const eventSteps = (world: World, steps: Step[]): void => {
  const add = (name: string, isNew: boolean, apply: (draft: World) => void): void => {
    if (isNew) steps.push({ ...usual, name: `the daemon sees the ${name}`, apply });
  };
  const some = (differs: (machine: Machine) => boolean): boolean => world.machines.some(differs);
  add(
    'VMs',
    some(({ vm }) => !isSame(vm.real, vm.seen)),
    (draft) => {
      for (const machine of draft.machines) {
        if (machine.vm.seen.offSince !== machine.vm.real.offSince) machine.quiet = false;
        machine.vm.seen = copyOf(machine.vm.real);
        machine.unseenVm = false;
        forget(machine, 'vm');
      }
    },
  );
  add(
    'VMIs',
    some(({ vmi }) => !isSame(vmi.real, vmi.seen)),
    (draft) => {
      for (const { vmi } of draft.machines) vmi.seen = copyOf(vmi.real);
    },
  );
  add(
    'VMIMs',
    some(({ vmims }) => !isSame(vmims.real, vmims.seen)),
    (draft) => {
      for (const { vmims } of draft.machines) vmims.seen = copyOf(vmims.real);
    },
  );
  add(
    'pods',
    some(({ pods }) => !isSame(pods.real, pods.seen)) || !isSame(world.server.real, world.server.seen),
    (draft) => {
      for (const machine of draft.machines) {
        machine.pods.seen = copyOf(machine.pods.real);
        machine.unseenPods = false;
        forget(machine, 'pods');
      }
      draft.server.seen = copyOf(draft.server.real);
      draft.unseenServer = false;
    },
  );
  add(
    'StorageMigration',
    some(({ rec }) => !isSame(rec.real, rec.seen)) || !isSame(world.migration.real, world.migration.seen),
    (draft) => {
      for (const machine of draft.machines) {
        if (!isSame(machine.rec.real?.offline?.id, machine.rec.seen?.offline?.id)) machine.quiet = false;
        machine.rec.seen = copyOf(machine.rec.real);
        machine.unseenRec = false;
        forget(machine, 'rec');
      }
      draft.migration.seen = copyOf(draft.migration.real);
    },
  );
};

const sightOf = ({ vm, vmi, vmims, pods, rec }: Machine) => ({
  vm: vm.seen,
  vmi: vmi.seen,
  vmims: vmims.seen,
  pods: pods.seen,
  rec: rec.seen,
});

/** Law 9: whether something may be started for the machine. Settling takes time alone, and is taken to be over. */
const isClear = (world: World, machine: Machine, index: number): boolean => {
  const { late } = world;
  if (late !== undefined && (late.orphan || late.machine === index || late.server !== undefined)) return false;
  return !(machine.landed !== '' || machine.unseenVm || machine.unseenRec || machine.unseenPods || world.unseenServer);
};

export const machineSightOf = (world: World, machine: Machine, index: number, { disks }: Shape): MachineSight => {
  const server = world.server.seen;
  const mounts = server?.mounts.slice(index * disks, (index + 1) * disks).includes(true) === true;
  const others = world.machines.filter((other) => other !== machine);
  return {
    ...sightOf(machine),
    server: mounts || server?.deleting ? server : undefined,
    migration: world.migration.seen,
    ending: others.flatMap(({ pods }) => pods.seen.clients.flatMap((client) => (client?.deleting ? [client.uid] : []))),
    clear: isClear(world, machine, index),
    quiet: machine.quiet,
  };
};

const groupSightOf = (world: World): GroupSight => ({
  machines: world.machines.map(sightOf),
  server: world.server.seen,
  migration: world.migration.seen,
  clear: world.machines.map((machine, index) => isClear(world, machine, index)),
});

const noWrite = { vm: undefined, rec: undefined, client: undefined, server: undefined };

/** Adds a write: carried out at once or, where something may still go wrong, sent and left without an answer. */
const addWrite = (name: string, write: Late, urgent: boolean, world: World, mayFail: boolean, steps: Step[]): void => {
  steps.push({
    ...usual,
    name: `the daemon ${name}`,
    urgent,
    apply: (draft, tell) => land(copyOf(write), draft, tell, false),
  });
  if (!mayFail || world.late !== undefined) return;
  steps.push({
    ...usual,
    name: `the daemon sends, without an answer: ${name}`,
    fair: false,
    apply: (draft) => {
      draft.faults -= 1;
      draft.late = copyOf(write);
    },
  });
};

const isOffStill = ({ vmi: { real } }: Machine): boolean =>
  real.now === undefined || ((real.now.phase === 'Succeeded' || real.now.phase === 'Failed') && !real.now.deleting);

/** What the last read before the write says (effects/execute.ts). */
const passesRead = (act: Act, sight: MachineSight, machine: Machine, index: number, brain: Brain): boolean => {
  if (act.kind !== 'patch') return true;
  if (act.patch.name === 'startLive') return brain.isStillMovable(sight, machine.vmi.real.now, index);
  return act.patch.name !== 'cutOver' || isOffStill(machine);
};

/** The same was just carried out, and only the store does not know it yet. */
const isEcho = (act: Act, machine: Machine): boolean =>
  act.kind === 'record'
    ? machine.unseenRec
    : machine.unseenVm && (act.patch.name === 'revert' || act.patch.name === 'repair');

const machineSteps = (world: World, brain: Brain, shape: Shape, mayFail: boolean, steps: Step[]): string => {
  let broken = '';
  for (const [index, machine] of world.machines.entries()) {
    const sight = machineSightOf(world, machine, index, shape);
    const judgement = brain.machine(sight, index);
    if (judgement.broken !== '')
      broken = `${judgement.broken} (web-${index + 1}, decided: ${judgement.phase} ${judgement.attention})`;
    // virt-controller's cache is not behind by more than the quiet time (contract §4.6).
    if (judgement.waitsForQuiet && !machine.quiet && machine.cached === '') {
      steps.push({
        ...usual,
        name: `web-${index + 1}: the quiet time passes`,
        apply: (draft) => {
          const own = draft.machines[index];
          if (own !== undefined) own.quiet = true;
        },
      });
    }
    const [act] = judgement.acts;
    if (act === undefined || isEcho(act, machine)) continue;
    const base = { ...noWrite, machine: index, orphan: false };
    if (act.kind === 'record') {
      if (!isSame(machine.rec.real, machine.rec.seen)) continue;
      const rec = { before: machine.rec.seen, after: act.rec };
      addWrite(`records for web-${index + 1}: ${act.why}`, { ...base, rec }, !judgement.begins, world, mayFail, steps);
    } else if (passesRead(act, sight, machine, index, brain)) {
      const vm = { ...act.patch, sawSwitchOver: seesSwitchOver(sight) };
      addWrite(`patches web-${index + 1}: ${vm.name}`, { ...base, vm }, !judgement.begins, world, mayFail, steps);
    }
  }
  return broken;
};

const groupSteps = (world: World, brain: Brain, { disks }: Shape, mayFail: boolean, steps: Step[]): void => {
  const { deletes, createServer, createClients } = brain.group(groupSightOf(world));
  for (const uid of deletes) {
    const owner = world.machines.findIndex(({ pods }) => pods.seen.clients.some((client) => client?.uid === uid));
    const disk = world.machines[owner]?.pods.seen.clients.findIndex((client) => client?.uid === uid) ?? -1;
    const pod = owner < 0 ? world.server.real : world.machines[owner]?.pods.real.clients[disk];
    if (pod === undefined || pod.uid !== uid || pod.deleting) continue;
    steps.push({
      ...usual,
      urgent: true,
      name:
        owner < 0
          ? 'the daemon deletes the copy server'
          : `the daemon deletes web-${owner + 1}'s client of disk ${disk}`,
      apply: (draft) => {
        const found = owner < 0 ? draft.server.real : draft.machines[owner]?.pods.real.clients[disk];
        if (found !== undefined) found.deleting = true;
      },
    });
  }
  // Before a pod is made, each VM is read and must be the very version that was seen off (effects/groupLoop.ts).
  const isUnchanged = (index: number): boolean => {
    const machine = world.machines[index];
    return machine !== undefined && machine.vm.real.version === machine.vm.seen.version;
  };
  const base = { ...noWrite, orphan: false };
  if (createServer !== undefined && world.server.real === undefined) {
    const served = world.machines.flatMap((_, index) =>
      createServer.slice(index * disks, (index + 1) * disks).includes(true) ? [index] : [],
    );
    if (served.every(isUnchanged)) {
      const write = { ...base, machine: served[0] ?? 0, server: [...createServer] };
      addWrite('creates the copy server', write, false, world, mayFail, steps);
    }
  }
  for (const { machine, disk, copy } of createClients) {
    if (world.machines[machine]?.pods.real.clients[disk] !== undefined || !isUnchanged(machine)) continue;
    const write = { ...base, machine, client: { disk, copy } };
    addWrite(`creates web-${machine + 1}'s client of disk ${disk}`, write, false, world, mayFail, steps);
  }
};

/** The StorageMigration is gone, and the garbage collector deletes what it owned. */
const letGo = (draft: World, tell: Tell): void => {
  const isSeen = draft.machines.some(({ pods: { seen } }) => seen.clients.some((client) => client !== undefined));
  if (isSeen || draft.server.seen !== undefined) tell.broken('law 10: the finalizer goes before our pods have gone');
  for (const machine of draft.machines) {
    const { exists, side } = machine.vm.real;
    if (exists && side === 'B' && !isWhole(machine) && machine.namedBy !== 'lateRevert') {
      tell.broken('law 10: the finalizer goes, and the VM names a target that is not whole');
    }
    for (const client of machine.pods.real.clients) if (client !== undefined) client.deleting = true;
  }
  if (draft.server.real !== undefined) draft.server.real.deleting = true;
};

const migrationSteps = (world: World, brain: Brain, steps: Step[]): void => {
  const { seen } = world.migration;
  // Nothing to accept, to drop or to let go of: it would be asked in vain, and often.
  if (seen.finalizer && !seen.deleting && world.machines.every(({ rec }) => rec.seen !== undefined)) return;
  const { finalizer, accepted, dropped } = brain.migration(groupSightOf(world));
  // The patch tests the version of the object, so nothing of it may have changed.
  const isCurrent =
    isSame(world.migration.real, world.migration.seen) &&
    world.machines.every(({ rec }) => isSame(rec.real, rec.seen)) &&
    !world.migration.real.gone;
  if (!isCurrent) return;
  if (finalizer !== 'keep') {
    steps.push({
      ...usual,
      name: `the daemon ${finalizer === 'add' ? 'adds' : 'removes'} the finalizer`,
      apply: (draft, tell) => {
        draft.migration.real.finalizer = finalizer === 'add';
        draft.migration.real.gone = draft.migration.real.deleting && finalizer === 'remove';
        if (finalizer === 'remove') letGo(draft, tell);
      },
    });
    return;
  }
  for (const [index] of world.machines.entries()) {
    const rec = accepted[index];
    const drop = dropped[index];
    if (rec === undefined && drop !== true) continue;
    if (rec !== undefined && !world.migration.seen.finalizer) continue;
    steps.push({
      ...usual,
      name: drop === true ? `the daemon forgets web-${index + 1}` : `the daemon accepts web-${index + 1}`,
      apply: (draft) => {
        const own = draft.machines[index];
        if (own === undefined) return;
        own.rec.real = drop === true ? undefined : copyOf(rec);
        own.unseenRec = true;
      },
    });
  }
};

const lateSteps = (world: World, steps: Step[]): void => {
  const { late } = world;
  if (late === undefined) return;
  steps.push({
    ...usual,
    name: 'the unanswered write lands',
    apply: (draft, tell) => {
      draft.late = undefined;
      land(copyOf(late), draft, tell, true);
    },
  });
  steps.push({
    ...usual,
    name: 'the unanswered write was lost',
    apply: (draft) => {
      draft.late = undefined;
    },
  });
};

/** The process dies and another one lists everything anew: what had been seen of the past is gone. */
const restart = (draft: World): void => {
  draft.faults -= 1;
  draft.restarted = true;
  for (const machine of draft.machines) {
    machine.vm.real = { ...machine.vm.real, offSince: folded(undefined, machine.vm.real) };
    machine.vmi.real = { now: machine.vmi.real.now, last: undefined };
    machine.vm.seen = copyOf(machine.vm.real);
    machine.vmi.seen = copyOf(machine.vmi.real);
    machine.vmims.seen = copyOf(machine.vmims.real);
    machine.pods.seen = copyOf(machine.pods.real);
    machine.rec.seen = copyOf(machine.rec.real);
    machine.quiet = false;
    machine.unseenVm = false;
    machine.unseenRec = false;
    machine.unseenPods = false;
    machine.landed = '';
  }
  draft.server.seen = copyOf(draft.server.real);
  draft.migration.seen = copyOf(draft.migration.real);
  draft.unseenServer = false;
  if (draft.late !== undefined) draft.late.orphan = true;
};

/** Every step that the daemon can take, and every step of what reaches it; returns a law that a decision breaks. */
export const daemonSteps = (world: World, brain: Brain, shape: Shape, steps: Step[]): string => {
  eventSteps(world, steps);
  lateSteps(world, steps);
  const mayFail = world.faults > 0;
  let broken = '';
  if (!world.migration.seen.gone) {
    broken = machineSteps(world, brain, shape, mayFail, steps);
    groupSteps(world, brain, shape, mayFail, steps);
    migrationSteps(world, brain, steps);
  }
  if (mayFail && !world.restarted)
    steps.push({ ...usual, name: 'the daemon is started again', fair: false, apply: restart });
  return broken;
};
