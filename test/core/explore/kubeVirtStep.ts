// What the steps of KubeVirt share: how one is added, and what its objects say.
import type { Tell } from './step.ts';
import type { Machine, Vmi, Vmim } from './world.ts';

export type Apply = (machine: Machine, tell: Tell) => void;
/** Adds a step that KubeVirt can take for a machine. */
export type Add = (name: string, apply: Apply) => unknown;

/** The VMI has ended for good. */
export const isFinal = (vmi: Vmi): boolean => vmi.phase === 'Succeeded' || vmi.phase === 'Failed';

/** The VMIM that is under way; a VMI has one at a time (contract §2.2). */
export const unfinishedOf = (machine: Machine): Vmim | undefined =>
  machine.vmims.real.find(({ phase }) => phase === 'Pending' || phase === 'Running');

/** KubeVirt stops the machine: before it looks at its volumes (contract §1.3). */
export const mustStop = (machine: Machine, now: Vmi): boolean => {
  const { exists, strategy, request } = machine.vm.real;
  if (!exists || strategy === 'Halted' || request.startsWith('Stop')) return true;
  return isFinal(now) && strategy !== 'Manual';
};
