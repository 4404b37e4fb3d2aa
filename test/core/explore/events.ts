// How what is true reaches the daemon in the explored world: kind by kind, each as late as it likes (style: missed,
// late and repeated events). A store holds the newest of its kind, and its fold has seen every version.
import { isSame } from '../../../src/core/isSame.ts';
import { copyOf } from './copyOf.ts';
import { type Step, swift } from './step.ts';
import type { Machine, World } from './world.ts';

const forget = (machine: Machine, kind: Machine['landed']): void => {
  if (machine.landed === kind) machine.landed = '';
};

/** Everything of each kind that has happened reaches the daemon at once; every version went through the store's fold. */
export const eventSteps = (world: World, steps: Step[]): void => {
  const add = (name: string, isNew: boolean, apply: (draft: World) => void): void => {
    if (isNew) steps.push({ ...swift, name: `the daemon sees the ${name}`, apply });
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
