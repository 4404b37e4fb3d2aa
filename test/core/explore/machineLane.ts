// The lane of each machine in the explored world: it carries out what the core decides as src/effects/execute.ts does,
// with the last read before a patch.
import { isSame } from '../../../src/core/isSame.ts';
import type { Brain } from './brain.ts';
import { seesSwitchOver } from './decisionLaws.ts';
import type { Act, Shape } from './judgement.ts';
import { machineSightOf } from './sight.ts';
import { type Step, swift } from './step.ts';
import type { Machine, MachineSight, World } from './world.ts';
import { addWrite, noWrite } from './writes.ts';

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

/** Every write to a machine or its record; returns a law that a decision breaks. */
export const machineSteps = (world: World, brain: Brain, shape: Shape, mayFail: boolean, steps: Step[]): string => {
  let broken = '';
  for (const [index, machine] of world.machines.entries()) {
    const sight = machineSightOf(world, machine, index, shape);
    const judgement = brain.machine(sight, index);
    if (judgement.broken !== '')
      broken = `${judgement.broken} (web-${index + 1}, decided: ${judgement.phase} ${judgement.attention})`;
    // virt-controller's cache is not behind by more than the quiet time (contract §4.6).
    if (judgement.waitsForQuiet && !machine.quiet && machine.cached === '') {
      steps.push({
        ...swift,
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
