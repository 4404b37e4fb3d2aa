// What a person does who reads the reason for which a machine was left to him: exactly what the message asks. After it
// the machine must come to its end.
import { KubeFailure, type ObjectRef } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Fleet, PlannedMachine } from '../../src/sim/scenario/fleet.ts';
import { at, sight } from './sight.ts';
import type { Stage } from './stage.ts';
import { standingOf } from './standing.ts';

type Answer = (stage: Stage, machine: PlannedMachine) => void;

const refOf = ({ namespace, name }: PlannedMachine) => ({ namespace, name });

/** Compares the disks and says which are good (contract §4.2). */
const sayWhichIsGood: Answer = ({ world }, machine) => {
  const onTarget = machine.disks.every((disk) => world.disks.missing(machine, disk.volume, disk.target) === 0);
  const wanted = onTarget ? 'target' : 'source';
  const isThere = sight.sideOf(world.server.read(resources.virtualMachines, refOf(machine)), machine) === wanted;
  const claims = isThere ? [] : machine.disks.map((disk) => [disk.volume, disk[wanted]] as const);
  world.people.setClaims(refOf(machine), Object.fromEntries(claims), 'Replacement');
};

const migrationsNaming = ({ world }: Stage, { namespace, name }: PlannedMachine) =>
  world.server
    .all(resources.storageMigrations, namespace)
    .map((migration) => {
      const named = at(migration, 'spec', 'virtualMachines');
      return {
        ref: { namespace, name: migration.metadata.name },
        machines: (Array.isArray(named) ? named : []) as readonly unknown[],
      };
    })
    .filter(({ machines }) => machines.some((each) => at(each, 'name') === name));

const patchSpec = ({ world }: Stage, ref: ObjectRef, spec: object): void => {
  world.server.patch(resources.storageMigrations, ref, { type: 'merge', body: { spec } }, 'user');
};

/** Takes the machine out of the migration that names it. */
const drop: Answer = (stage, machine) => {
  for (const { ref, machines } of migrationsNaming(stage, machine)) {
    const virtualMachines = machines.filter((each) => at(each, 'name') !== machine.name);
    if (virtualMachines.length > 0) patchSpec(stage, ref, { virtualMachines });
    else stage.world.server.remove(resources.storageMigrations, ref, 'user');
  }
};

/** Pauses and resumes, which tries again what was given up. */
const tryAgain: Answer = (stage, machine) => {
  for (const { ref } of migrationsNaming(stage, machine)) {
    patchSpec(stage, ref, { paused: true });
    patchSpec(stage, ref, { paused: false });
  }
};

/** Off or on, its next guest is the one that the condition waits for. */
const restart: Answer = (stage, machine) => {
  const { world } = stage;
  const isThere = world.server.read(resources.virtualMachineInstances, refOf(machine)) !== undefined;
  // KubeVirt restarts no machine with strategy Once (contract §7).
  const isOnce = at(world.server.read(resources.virtualMachines, refOf(machine)), 'spec', 'runStrategy') === 'Once';
  if (isThere && isOnce) world.people.deleteVmi(refOf(machine));
  else if (isThere) world.people.restart(refOf(machine));
  else world.people.start(refOf(machine));
  tryAgain(stage, machine);
};

/** Names the claims on which the guest is, and has it booted there. */
const nameSourcesAndRestart: Answer = ({ world: { people } }, machine) => {
  const sources = machine.disks.map(({ volume, source }) => [volume, source] as const);
  people.setClaims(refOf(machine), Object.fromEntries(sources), 'Replacement');
  people.deleteVmi(refOf(machine));
};

const stop: Answer = ({ world }, machine) => world.people.stop(refOf(machine));

/** By reason, in the words of the status. */
const answers: Readonly<Record<string, Answer>> = {
  SwitchOverUnknown: sayWhichIsGood,
  BootedOnIncompleteTarget: stop,
  MigratesToItself: stop,
  MovedBackToSource: nameSourcesAndRestart,
  RanOnce: ({ world }, machine) => world.people.setRunStrategy(refOf(machine), 'Halted'),
  RestartRequired: restart,
  UnknownVirtualMachine: drop,
  VirtualMachineGone: drop,
  TargetIsSource: drop,
};

/** KubeVirt made the VMI that a queued start asked for, it failed at once, and nobody takes it away. */
const hasHangingStart = ({ world }: Stage, machine: PlannedMachine): boolean => {
  const requests = at(world.server.read(resources.virtualMachines, refOf(machine)), 'status', 'stateChangeRequests');
  const phase = at(world.server.read(resources.virtualMachineInstances, refOf(machine)), 'status', 'phase');
  const isQueued = Array.isArray(requests) && at(requests[0], 'action') === 'Start';
  return isQueued && ['Succeeded', 'Failed'].includes(String(phase));
};

/** What people see for themselves that hangs, and do about it. */
const notice = (stage: Stage, machine: PlannedMachine): readonly string[] => {
  if (!hasHangingStart(stage, machine)) return [];
  stage.world.people.deleteVmi(refOf(machine));
  return ['a start that hangs'];
};

/** Where two daemons have worked against each other, one may have forgotten what the other has begun. */
const contested: Readonly<Record<string, Answer>> = {
  TargetNamedByOthers: (stage, machine) => {
    const { world } = stage;
    if (machine.disks.every(({ volume, target }) => world.disks.missing(machine, volume, target) === 0)) {
      drop(stage, machine);
      return;
    }
    world.people.setClaims(
      refOf(machine),
      Object.fromEntries(machine.disks.map(({ volume, source }) => [volume, source])),
    );
  },
};

/** Answers what is asked about any machine; the reasons that were answered. */
export const answerAll = (stage: Stage, fleet: Fleet, isContested: boolean): readonly string[] =>
  fleet.machines.flatMap((machine) => {
    const { kind, why } = standingOf(stage, machine);
    if (kind === 'open') return notice(stage, machine);
    const answer = kind === 'attention' ? (answers[why] ?? (isContested ? contested[why] : undefined)) : undefined;
    if (answer === undefined) return [];
    try {
      answer(stage, machine);
    } catch (refusal) {
      // The machine is between two states; people try again.
      if (!(refusal instanceof KubeFailure)) throw refusal;
    }
    return [why];
  });
