// What KubeVirt does in the explored world, each thing in a step of its own, with the traps of the contract: what may
// come before what, and what takes seconds. The steps themselves stand in runSteps.ts and volumeSteps.ts.
import type { Apply } from './kubeVirtStep.ts';
import { runSteps } from './runSteps.ts';
import type { Step } from './step.ts';
import { failureSteps, volumeSteps } from './volumeSteps.ts';
import type { Machine } from './world.ts';

/** What takes KubeVirt seconds: pods, booting, copying, and the throttle of its workload updater. */
const slowSteps: ReadonlySet<string> = new Set([
  'the virt-launcher is made',
  'the guest boots',
  'KubeVirt makes a VMIM',
  'the second virt-launcher is made',
  'the migration is handed to the nodes',
  'the guest switches over',
]);

/** What virt-controller does as soon as it has seen the VM, in well under a second (contract §2.1). */
const promptSteps: ReadonlySet<string> = new Set([
  'KubeVirt deletes the VMI',
  'KubeVirt takes the volumes of the VMI back',
  'KubeVirt lets the VMI follow the volumes',
]);

/** How it carries a migration on, seconds after: not while it has not acted on the VM (contract §2.2). */
const laterSteps: ReadonlySet<string> = new Set([
  'KubeVirt makes a VMIM',
  'the second virt-launcher is made',
  'the migration is handed to the nodes',
]);

/** Every step that KubeVirt can take for one machine. */
export const kubeVirtSteps = (machine: Machine, index: number, mayFail: boolean, steps: Step[]): void => {
  const own: { readonly name: string; readonly fair: boolean; readonly apply: Apply }[] = [];
  runSteps(machine, (name, apply) => own.push({ name, fair: true, apply }));
  volumeSteps(machine, (name, apply) => own.push({ name, fair: true, apply }));
  if (mayFail) failureSteps(machine, (name, apply) => own.push({ name, fair: false, apply }));
  const isPrompt = own.some(({ name }) => promptSteps.has(name));
  for (const { name, fair, apply } of own) {
    if (isPrompt && laterSteps.has(name)) continue;
    steps.push({
      name: `web-${index + 1}: ${name}`,
      fair,
      slow: slowSteps.has(name),
      urgent: false,
      apply: (world, tell) => {
        const draft = world.machines[index];
        if (draft === undefined) return;
        if (!fair) world.faults -= 1;
        apply(draft, tell);
      },
    });
  }
};
