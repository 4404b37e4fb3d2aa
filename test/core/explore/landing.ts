// A write of the daemon reaches the API server: its tests hold or it changes nothing, and the laws of design §3 are
// asked of what is true at that moment.
import { isSame } from '../../../src/core/isSame.ts';
import { keepCached } from './people.ts';
import { freshId, guestSide, isWhole, type Tell, writeVm } from './step.ts';
import { windows } from './windows.ts';
import type { Late, Machine, Namer, Rec, VmPatch, World } from './world.ts';

const hasOurPods = (world: World, machine: Machine): boolean => {
  const disks = machine.b.length;
  const index = world.machines.indexOf(machine);
  const server = world.server.real;
  const served = server?.mounts.slice(index * disks, (index + 1) * disks).includes(true) === true;
  return (served && server?.phase !== 'Failed') || machine.pods.real.clients.some((client) => isWriting(client?.phase));
};

const isWriting = (phase: string | undefined): boolean => phase === 'Pending' || phase === 'Running';

const hasSwitchedOver = ({ a }: Machine): boolean => a !== 'current';

const landVm = (patch: VmPatch, machine: Machine, world: World, tell: Tell, isLate: boolean): void => {
  const { real } = machine.vm;
  if (!real.exists || real.side !== patch.from) return;
  if (patch.version !== 0 && patch.version !== real.version) return;
  judgeVm(patch, machine, world, tell, isLate);
  const lost = patch.to === 'A' && hasSwitchedOver(machine);
  const namedBy: Namer = lost ? 'lateRevert' : namerOf(patch, machine);
  keepCached(machine);
  writeVm(machine, { side: patch.to, update: patch.update }, 'spec');
  machine.namedBy = namedBy;
  if (isLate) machine.landed = 'vm';
  else machine.unseenVm = true;
};

/** A repair goes on from what went wrong before it. */
const namerOf = ({ name }: VmPatch, machine: Machine): Namer => {
  if (name !== 'repair') return name;
  if (machine.namedBy === 'lateRevert') return 'lateRevert';
  return isWhole(machine) ? 'repair' : 'startLive';
};

const judgeVm = (patch: VmPatch, machine: Machine, world: World, tell: Tell, isLate: boolean): void => {
  const rec = machine.rec.real;
  const vmi = machine.vmi.real.now;
  switch (patch.name) {
    case 'startLive':
      if (hasOurPods(world, machine)) tell.broken('law 1: a live migration is started while copy pods exist');
      if (rec?.live === undefined) tell.broken('law 8: a live migration is started and not recorded');
      if (vmi?.phase !== 'Running' || vmi.deleting || guestSide(machine) !== 'A') {
        if (isLate) tell.window(windows.endedMeanwhile);
        else tell.broken('law 2: the target is named while the guest does not run on the source');
      }
      return;
    case 'cutOver':
      if (!isWhole(machine)) tell.broken('law 5: a cut-over to what is not a complete copy');
      if (machine.guest !== '') tell.broken('law 5: a cut-over while the guest runs');
      if (hasOurPods(world, machine)) tell.broken('law 1: a cut-over while copy pods exist');
      if (rec?.cutOver === 0) tell.broken('law 8: a cut-over that is not recorded');
      return;
    case 'revert':
      if (!hasSwitchedOver(machine)) return;
      if (patch.sawSwitchOver) tell.broken('law 4: a revert after the switch-over was seen');
      else tell.window(windows.lateRevert);
      return;
    case 'repair':
      // With Migration it names what the guest was booted on already, so that KubeVirt does not copy that over A. What
      // lands late was decided while the guest still stood there.
      if (patch.update === 'Migration' && (isLate || machine.pods.seen.source?.side === 'B')) return;
      if (isWhole(machine)) return;
      if (machine.namedBy === 'lateRevert') tell.lost(windows.movedBack);
      else tell.broken('law 4: a repair names a target that is not whole');
      return;
    default:
      patch.name satisfies never;
  }
};

const judgeRec = (before: Rec | undefined, after: Rec, machine: Machine, tell: Tell): void => {
  if (after.completed !== '' && before?.completed === '') {
    if (machine.vm.real.side !== 'B') tell.broken('law 4: called moved, and the VM names the source');
    else if (isWhole(machine)) return;
    else if (machine.namedBy === 'lateRevert') tell.lost(windows.movedBack);
    else tell.broken('law 4: called moved, and the target does not hold everything');
  }
  if (after.over !== undefined && before?.over === undefined && !(isWhole(machine) && hasSwitchedOver(machine))) {
    if (machine.namedBy === 'lateRevert') tell.lost(windows.movedBack);
    else tell.broken('law 4: a switch-over is recorded that has not been');
  }
};

/** A pod of ours for one machine is made: nothing else may have its claims (law 1). */
const judgePod = (machine: Machine, what: string, tell: Tell, isLate: boolean): void => {
  const { now } = machine.vmi.real;
  const lingers = now !== undefined && (now.phase === 'Succeeded' || now.phase === 'Failed') && !now.deleting;
  const launchers = machine.pods.real.source !== undefined || machine.pods.real.target !== undefined;
  const { strategy, request, exists } = machine.vm.real;
  const startable = exists && (strategy === 'Always' || request === 'Start' || request === 'StopStart');
  if ((now !== undefined && !lingers) || launchers || startable) {
    if (isLate) tell.window(windows.startedMeanwhile);
    else if (machine.unannounced) tell.window(windows.cachedVmi);
    else if (!machine.vm.real.created) {
      tell.window(windows.untoldVmi);
      // What it then does beside our pods follows from that.
      machine.unannounced = true;
    } else tell.broken(`law 1: ${what} is made while the VM runs or is about to`);
  }
  if (machine.a !== 'current' && exists) {
    tell.broken(`law 2: ${what} is made to write into the claim in authority`);
  }
};

/** Carries a write out. `isLate`: it was not answered, and the daemon does not know. */
export const land = (write: Late, world: World, tell: Tell, isLate: boolean): void => {
  const machine = world.machines[write.machine];
  if (machine === undefined) return;
  // What is made for an owner that is gone is collected.
  const { gone } = world.migration.real;
  if (write.vm !== undefined) landVm(write.vm, machine, world, tell, isLate);
  if (write.rec !== undefined && isSame(machine.rec.real, write.rec.before) && !world.migration.real.gone) {
    judgeRec(write.rec.before, write.rec.after, machine, tell);
    machine.rec.real = write.rec.after;
    if (isLate) machine.landed = 'rec';
    else machine.unseenRec = true;
  }
  if (write.client !== undefined) {
    const { disk, copy } = write.client;
    if (!world.server.seen?.reachable && !isLate) tell.broken('a copy client is made that cannot be told its server');
    if (machine.pods.real.clients[disk] !== undefined) return;
    judgePod(machine, 'a copy client', tell, isLate);
    if (machine.rec.real?.offline?.id !== copy && !isLate) tell.broken('law 8: a copy is begun that is not recorded');
    machine.pods.real.clients[disk] = { uid: freshId(), copy, phase: 'Pending', deleting: gone };
    machine.torn[disk] = false;
    if (isLate) machine.landed = 'pods';
    else machine.unseenPods = true;
  }
  if (write.server !== undefined && world.server.real === undefined) {
    const disks = machine.b.length;
    for (const [index, served] of world.machines.entries()) {
      const mounts = write.server.slice(index * disks, (index + 1) * disks).includes(true);
      if (mounts) judgePod(served, 'a copy server', tell, isLate);
    }
    world.server.real = {
      uid: freshId(),
      phase: 'Pending',
      reachable: false,
      deleting: gone,
      mounts: write.server,
    };
    if (!isLate) world.unseenServer = true;
    else for (const served of world.machines) served.landed = 'pods';
  }
};
