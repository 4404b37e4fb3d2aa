// How KubeVirt moves the volumes of a running machine in the explored world: the VMI follows the VM, a VMIM is made,
// handed to the nodes, switches over, ends or is aborted (contract §2, §3). With it goes every other migration of the
// guest: a move to another node takes the same way.
import { contentOf, overwrite } from './contents.ts';
import { type Add, isFinal, mustStop, unfinishedOf } from './kubeVirtStep.ts';
import { freshId, guestWrites, type Tell } from './step.ts';
import type { Attempt, Machine, Vmi, Vmim } from './world.ts';

/** Every step of a volume migration that nothing goes wrong with. */
export const volumeSteps = (machine: Machine, add: Add): void => {
  const { now } = machine.vmi.real;
  if (machine.pods.real.target?.ending) {
    add('the second virt-launcher is gone', (m) => {
      m.pods.real.target = undefined;
    });
  }
  if (now === undefined) return;
  followingSteps(machine, now, add);
  const unfinished = unfinishedOf(machine);
  const runs = now.phase === 'Running' && !now.deleting;
  if (unfinished === undefined) {
    if (runs && now.change === 'True' && (now.attempt?.ended ?? true)) add('KubeVirt makes a VMIM', makeVmim);
    return;
  }
  if (runs && unfinished.phase === 'Pending') handingSteps(machine, add);
  const attempt = now.attempt?.vmim === unfinished.uid ? now.attempt : undefined;
  if (attempt !== undefined && !attempt.ended && !isFinal(now)) copyingSteps(machine, now, attempt, add);
  if (now.change !== 'True' && !unfinished.plain && !attempt?.ready) add('KubeVirt aborts the migration', abort);
};

/** What may go wrong with a live migration. */
export const failureSteps = (machine: Machine, add: Add): void => {
  const { now } = machine.vmi.real;
  const unfinished = unfinishedOf(machine);
  if (now?.attempt === undefined || unfinished?.uid !== now.attempt.vmim || now.attempt.ended) return;
  if (!now.attempt.ready) add('the migration fails', fail);
};

const endAttempt = (machine: Machine): void => {
  const attempt = machine.vmi.real.now?.attempt;
  if (attempt !== undefined) {
    attempt.ended = true;
    attempt.failed = true;
  }
  if (machine.pods.real.target !== undefined) machine.pods.real.target.ending = true;
};

const endUncounted = (machine: Machine): void => {
  const vmim = unfinishedOf(machine);
  if (vmim === undefined) return;
  vmim.phase = 'Failed';
  endAttempt(machine);
};

const fail = (machine: Machine): void => {
  machine.failures += 1;
  endUncounted(machine);
};

const abort = (machine: Machine): void => {
  const vmim = unfinishedOf(machine);
  if (vmim === undefined) return;
  machine.vmims.real = machine.vmims.real.filter(({ uid }) => uid !== vmim.uid);
  if (machine.vmi.real.now?.attempt?.vmim === vmim.uid) endAttempt(machine);
  else if (machine.pods.real.target !== undefined) machine.pods.real.target.ending = true;
};

/** The VMI follows the volumes of the VM. */
const followingSteps = (machine: Machine, now: Vmi, add: Add): void => {
  const { exists, side, update } = machine.vm.real;
  // Without the strategy a restart is required, and neither a change nor a cancel is processed (contract §3).
  if (!exists || side === now.side || update !== 'Migration') return;
  const follow = (change: Vmi['change'], migrated: boolean) => (m: Machine) => {
    const vmi = m.vmi.real.now;
    if (vmi === undefined) return;
    vmi.side = m.vm.real.side;
    vmi.migrated = migrated;
    vmi.change = change;
  };
  if (now.migrated && now.phase !== 'Pending') {
    add('KubeVirt takes the volumes of the VMI back', follow('False', false));
  }
  const runs = now.phase === 'Running' && !now.deleting;
  if (runs && !now.migrated && !mustStop(machine, now)) {
    add('KubeVirt lets the VMI follow the volumes', follow('True', true));
  }
};

const makeVmim = (machine: Machine): void => {
  const vmim: Vmim = { uid: freshId(), phase: 'Pending', plain: false, pod: 0, ready: false };
  machine.vmims.real = [...machine.vmims.real.slice(-1), vmim];
};

const handingSteps = (machine: Machine, add: Add): void => {
  const { target } = machine.pods.real;
  if (target === undefined) {
    add('the second virt-launcher is made', (m) => {
      const vmi = m.vmi.real.now;
      if (vmi === undefined) return;
      m.pods.real.target = { uid: freshId(), owner: vmi.uid, side: vmi.side, node: 3 - vmi.node, ending: false };
    });
  } else if (!target.ending) add('the migration is handed to the nodes', handOver);
};

const handOver = (machine: Machine, tell: Tell): void => {
  const vmim = unfinishedOf(machine);
  const vmi = machine.vmi.real.now;
  const { source, target } = machine.pods.real;
  if (vmim === undefined || vmi === undefined || target === undefined) return;
  vmim.phase = 'Running';
  vmim.pod = target.uid;
  vmi.attempt = { vmim: vmim.uid, pod: target.uid, ready: false, ended: false, failed: false };
  if (target.side !== source?.side) overwrite(machine, target.side, tell);
};

const copyingSteps = (machine: Machine, now: Vmi, attempt: Attempt, add: Add): void => {
  const { source, target } = machine.pods.real;
  if (!attempt.ready && machine.guest === 'source' && target !== undefined && !target.ending) {
    // A disk cannot be copied onto itself, and KubeVirt tries for ever.
    if (now.migrated && target.side === source?.side) add('the migration onto the same claims fails', endUncounted);
    else add('the guest switches over', switchOver);
  }
  if (attempt.ready && source !== undefined) add('KubeVirt finishes the migration', finish);
};

const switchOver = (machine: Machine): void => {
  const from = machine.pods.real.source?.side ?? 'A';
  const to = machine.pods.real.target?.side ?? 'A';
  const content = contentOf(machine, from);
  if (machine.vmi.real.now?.attempt !== undefined) machine.vmi.real.now.attempt.ready = true;
  machine.guest = 'target';
  if (from === to) return;
  if (to === 'B' && machine.vm.real.side === 'A') machine.namedBy = 'lateRevert';
  if (to === 'B') machine.b = machine.b.map(() => content);
  else machine.a = content;
  guestWrites(machine);
};

/** One update of the VMI: what was migrated is emptied, the node is the other one (contract §5). */
const finish = (machine: Machine): void => {
  const vmi = machine.vmi.real.now;
  const vmim = unfinishedOf(machine);
  if (vmi?.attempt === undefined || vmim === undefined) return;
  vmi.attempt.ended = true;
  vmi.migrated = false;
  vmi.change = '';
  vmi.node = 3 - vmi.node;
  vmim.phase = 'Succeeded';
  vmim.ready = true;
  machine.pods.real.source = machine.pods.real.target;
  machine.pods.real.target = undefined;
  if (machine.guest === 'target') machine.guest = 'source';
};
