// The run state of one machine, read from its VM and VMI object alone (contract §6, law 6). Pure; one of the facts.
import type { VirtualMachine, VirtualMachineInstance } from './objects.ts';

/**
 * - `off`: nothing runs, and KubeVirt cannot start it unless somebody first writes the VM object.
 * - `starting`: it will run or is about to.
 * - `running`: the guest runs and nothing says that it is about to end.
 * - `ending`: it runs or did a moment ago, and a sign says that it is ending (contract §4.4).
 * - `unclear`: what is seen does not fit together (an object is late); only waiting helps.
 * - `absent`: there is no such VM.
 *
 * `sign` is what was seen, for people.
 */
export type Guest = {
  readonly kind: 'off' | 'starting' | 'running' | 'ending' | 'unclear' | 'absent';
  readonly sign: string;
};

const guest = (kind: Guest['kind'], sign: string): Guest => ({ kind, sign });

/** Whether a VMI has ended for good; it never runs again under the same uid. */
export const isFinal = (instance: VirtualMachineInstance): boolean =>
  instance.phase === 'Succeeded' || instance.phase === 'Failed';

/** Why KubeVirt would start the machine without a further write to its VM object; empty if it would not (law 6). */
export const startCause = (machine: VirtualMachine): string => {
  if (machine.requests.includes('Start')) return 'a start is queued';
  switch (machine.runStrategy) {
    case 'Halted':
    case 'Manual':
      return '';
    case 'RerunOnFailure':
      // Coming from another strategy KubeVirt starts the machine; afterwards only a request does.
      return machine.actedRunStrategy === 'RerunOnFailure' ? '' : 'runStrategy was changed to RerunOnFailure';
    case 'Always':
    case 'Once':
    case 'WaitAsReceiver':
    case 'Unknown':
      // Once creates a VMI whenever none exists, with no write to the VM before it (contract §4.6).
      return `runStrategy is ${machine.runStrategy}`;
    default:
      return machine.runStrategy satisfies never;
  }
};

const withInstance = (machine: VirtualMachine, instance: VirtualMachineInstance): Guest => {
  if (isFinal(instance)) {
    // Only Manual leaves a final VMI lying until somebody asks for a start; then it is off for good (contract §4.1).
    const lingers =
      machine.runStrategy === 'Manual' && machine.requests.length === 0 && !instance.deleting && !machine.deleting;
    return lingers
      ? guest('off', `the guest has ended (${instance.phase}) and nobody asked for a start`)
      : guest('ending', `its VMI is ${instance.phase}`);
  }
  if (instance.deleting) return guest('ending', 'its VMI is being deleted');
  if (machine.deleting) return guest('ending', 'the VM is being deleted');
  if (machine.runStrategy === 'Halted') return guest('ending', 'runStrategy is Halted');
  if (machine.requests[0] === 'Stop') return guest('ending', 'a stop is queued');
  if (instance.phase !== 'Running') return guest('starting', `its VMI is ${instance.phase}`);
  if (instance.ready || instance.paused) return guest('running', 'its VMI is Running');
  if (instance.readyReason === 'PodTerminating') return guest('ending', 'its virt-launcher is terminating');
  // For a moment at the start of every VMI, and again when the guest has gone (contract §6).
  if (instance.readyReason === 'GuestNotRunning') return guest('starting', 'the guest is not running');
  return guest('running', `its VMI is Running (not ready: ${instance.readyReason})`);
};

/** Derives the run state of a machine. */
export const guestOf = (machine: VirtualMachine | undefined, instance: VirtualMachineInstance | undefined): Guest => {
  if (machine === undefined) {
    return instance === undefined ? guest('absent', 'there is no such VM') : guest('unclear', 'a VMI without a VM');
  }
  if (instance !== undefined) return withInstance(machine, instance);
  if (machine.deleting) return guest('ending', 'the VM is being deleted');
  const cause = startCause(machine);
  if (cause !== '') return guest('starting', cause);
  if (machine.created) return guest('unclear', 'the VM says that its VMI exists, and it is not seen');
  return guest('off', 'no VMI exists and nothing starts one');
};
