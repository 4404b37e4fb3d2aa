// The lane of the StorageMigration in the explored world: machines are accepted and dropped, the finalizer comes and
// goes (law 10).
import { isSame } from '../../../src/core/isSame.ts';
import type { Brain } from './brain.ts';
import { copyOf } from './copyOf.ts';
import { groupSightOf } from './sight.ts';
import { isWhole, type Step, swift, type Tell } from './step.ts';
import type { World } from './world.ts';

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

export const migrationSteps = (world: World, brain: Brain, steps: Step[]): void => {
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
      ...swift,
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
      ...swift,
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
