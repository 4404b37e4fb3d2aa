// What the daemon does in the explored world: events reach it, its lanes carry out what the core decides, and the process
// may die at any moment (law 8).
import type { Brain } from './brain.ts';
import { copyOf } from './copyOf.ts';
import { eventSteps } from './events.ts';
import { groupSteps } from './groupLane.ts';
import type { Shape } from './judgement.ts';
import { machineSteps } from './machineLane.ts';
import { migrationSteps } from './migrationLane.ts';
import { folded } from './objects.ts';
import { type Step, swift } from './step.ts';
import type { World } from './world.ts';
import { lateSteps } from './writes.ts';

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
    steps.push({ ...swift, name: 'the daemon is started again', fair: false, apply: restart });
  return broken;
};
