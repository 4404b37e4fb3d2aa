// How KubeVirt starts and stops a machine in the explored world: run strategies, its stale cache, and the way of a VMI
// from Pending to gone (contract §4.1, §4.6, §6).
import { boot } from './contents.ts';
import { type Add, isFinal, mustStop } from './kubeVirtStep.ts';
import { freshId, guestEnds, isToRun, writeVm } from './step.ts';
import type { Machine, Side, Vm, Vmi } from './world.ts';

/** Starting, stopping, and what is written of it into the VM. */
export const runSteps = (machine: Machine, add: Add): void => {
  const { now } = machine.vmi.real;
  if (now === undefined) makingSteps(machine, add);
  if (machine.cached !== '') add("KubeVirt's cache catches up", forgetCached);
  statusSteps(machine, add);
  if (now === undefined) return;
  if (now.phase === 'Pending' && !now.deleting) bootingSteps(machine, now, add);
  if (!now.deleting && mustStop(machine, now)) add('KubeVirt deletes the VMI', deleteVmi);
  if (now.deleting && !isFinal(now)) {
    add('the guest is shut down', (m) => guestEnds(m, m.vmi.real.now?.phase === 'Running' ? 'Succeeded' : 'Failed'));
  }
  if (isFinal(now)) endingSteps(machine, now, add);
};

const makeVmi = (machine: Machine, side: Side): void => {
  machine.vmi.real.now = {
    uid: freshId(),
    phase: 'Pending',
    deleting: false,
    side,
    migrated: false,
    change: '',
    node: 1,
    attempt: undefined,
  };
};

const forgetCached = (machine: Machine): void => {
  machine.cached = '';
  machine.cachedNamedBy = 'person';
};

const makingSteps = (machine: Machine, add: Add): void => {
  if (isToRun(machine)) {
    add('KubeVirt makes the VMI', (m) => {
      makeVmi(m, m.vm.real.side);
      m.unannounced = false;
      m.booted = m.namedBy;
    });
  }
  // virt-controller reads the VM from its cache and asserts no version (contract §4.6).
  if (machine.cached !== '') {
    add('KubeVirt makes a VMI from the VM as it was', (m) => {
      makeVmi(m, m.cached === 'B' ? 'B' : 'A');
      m.unannounced = true;
      m.booted = m.cachedNamedBy;
      forgetCached(m);
    });
  }
};

/** The request that is left after KubeVirt has looked at it. */
const nextRequest = (machine: Machine): Vm['request'] => {
  const { request } = machine.vm.real;
  const { now } = machine.vmi.real;
  if (now === undefined) return request === 'Stop' ? '' : request === 'StopStart' ? 'Start' : request;
  return request === 'Start' && !now.deleting ? '' : request;
};

const statusSteps = (machine: Machine, add: Add): void => {
  const { exists, request, created } = machine.vm.real;
  if (!exists) return;
  if (nextRequest(machine) === request && (machine.vmi.real.now !== undefined) === created) return;
  add('KubeVirt writes the status of the VM', (m) => {
    writeVm(m, { request: nextRequest(m), created: m.vmi.real.now !== undefined }, 'status');
  });
};

const bootingSteps = (machine: Machine, now: Vmi, add: Add): void => {
  if (machine.pods.real.source === undefined) {
    add('the virt-launcher is made', (m) => {
      const vmi = m.vmi.real.now;
      if (vmi === undefined) return;
      m.pods.real.source = { uid: freshId(), owner: vmi.uid, side: vmi.side, node: vmi.node, ending: false };
    });
  } else {
    add('the guest boots', (m, tell) => {
      if (m.vmi.real.now === undefined) return;
      m.vmi.real.now.phase = 'Running';
      if (m.vmi.real.now.migrated) m.vmi.real.now.change = 'True';
      boot(m, tell);
    });
  }
  const { exists, side, update } = machine.vm.real;
  if (exists && side !== now.side && update === 'Migration') {
    add('KubeVirt replaces the volumes of the VMI that is not running yet', (m) => {
      if (m.vmi.real.now === undefined) return;
      // It is taken for a volume migration, whatever the launcher will mount or mounts already (contract §4.5).
      m.vmi.real.now.side = m.vm.real.side;
      m.vmi.real.now.migrated = !m.vmi.real.now.migrated;
      if (m.pods.real.source === undefined) m.booted = m.namedBy;
    });
  }
};

/** RerunOnFailure starts a guest that has crashed again (contract §4.1). */
const deleteVmi = (machine: Machine): void => {
  const vmi = machine.vmi.real.now;
  if (vmi === undefined) return;
  vmi.deleting = true;
  const { exists, strategy, request } = machine.vm.real;
  const again = exists && strategy === 'RerunOnFailure' && vmi.phase === 'Failed';
  if (again && request === '') writeVm(machine, { request: 'Start' }, 'status');
};

const endingSteps = (machine: Machine, now: Vmi, add: Add): void => {
  const { source, target } = machine.pods.real;
  if (source !== undefined) {
    add('the virt-launcher is gone', (m) => {
      m.pods.real.source = undefined;
    });
  }
  if (target !== undefined && !target.ending) {
    add('the second virt-launcher is gone', (m) => {
      m.pods.real.target = undefined;
    });
  }
  // The VMI is let go only when the VM's status has been brought up to it (contract §6).
  const isTold = machine.vm.real.created || !machine.vm.real.exists;
  if (now.deleting && isTold && source === undefined && target === undefined) {
    add('the VMI is gone, and its VMIMs with it', (m) => {
      m.vmi.real = { now: undefined, last: m.vmi.real.now };
      m.vmims.real = [];
      m.unannounced = false;
    });
  }
};
