// What KubeVirt does in the explored world, each thing in a step of its own, with the traps of the contract.
import { freshId, guestEnds, guestWrites, isToRun, isWhole, type Step, type Tell, writeVm } from './step.ts';
import { windows } from './windows.ts';
import type { Content, Machine, Side, Vmi } from './world.ts';

type Apply = (machine: Machine, tell: Tell) => void;
type Add = (name: string, apply: Apply) => unknown;

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

const isFinal = (vmi: Vmi): boolean => vmi.phase === 'Succeeded' || vmi.phase === 'Failed';
const unfinishedOf = (machine: Machine) =>
  machine.vmims.real.find(({ phase }) => phase === 'Pending' || phase === 'Running');

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

const contentOf = (machine: Machine, side: Side): Content => {
  if (side === 'A') return machine.a;
  if (isWhole(machine)) return 'current';
  return machine.b.includes('partial') ? 'partial' : 'old';
};

const isCopied = (machine: Machine): boolean => machine.a === 'current' && isWhole(machine);

/** The guest boots on whatever its launcher mounts; nothing looks at what is on it (contract §4.5). */
const boot = (machine: Machine, tell: Tell): void => {
  const side = machine.pods.real.source?.side ?? 'A';
  if (machine.unannounced && machine.booted === 'startLive' && isCopied(machine) && side === 'B') {
    tell.window(windows.cachedVmiOnWhole);
    // A second's work of a guest that was told to stop: the copy is made again.
    machine.b = machine.b.map(() => 'partial');
  }
  const content = contentOf(machine, side);
  machine.guest = 'source';
  if (content !== 'current') judgeBoot(machine, side, content, tell);
  guestWrites(machine);
};

const judgeBoot = (machine: Machine, side: Side, content: Content, tell: Tell): void => {
  if (side === 'B' && content === 'old' && machine.booted === 'lateRevert') {
    tell.lost(windows.movedBack);
  } else if (side === 'B' && machine.booted === 'startLive') {
    tell.window(windows.restartedOnTarget);
  } else if (side === 'A' && machine.booted === 'lateRevert') {
    tell.window(windows.staleBoot);
  } else {
    tell.broken(`law 2: the guest boots on ${side}, which is ${content}, as named by ${machine.booted}`);
  }
};

/** Starting and stopping: run strategies (contract §4.1, §6). */
const lifeSteps = (machine: Machine, add: Add): void => {
  const { vm } = machine;
  const { now } = machine.vmi.real;
  const pods = machine.pods.real;
  if (now === undefined) {
    if (isToRun(machine)) {
      add('KubeVirt makes the VMI', (m) => {
        makeVmi(m, m.vm.real.side);
        m.unannounced = false;
        m.booted = m.namedBy;
      });
    }
    if (machine.cached !== '') {
      add('KubeVirt makes a VMI from the VM as it was', (m) => {
        makeVmi(m, m.cached === 'B' ? 'B' : 'A');
        m.unannounced = true;
        m.booted = m.cachedNamedBy;
        m.cached = '';
        m.cachedNamedBy = 'person';
      });
    }
  }
  if (machine.cached !== '') {
    add("KubeVirt's cache catches up", (m) => {
      m.cached = '';
      m.cachedNamedBy = 'person';
    });
  }
  if (vm.real.exists) {
    const request = nextRequest(machine);
    const created = now !== undefined;
    if (request !== vm.real.request || created !== vm.real.created) {
      add('KubeVirt writes the status of the VM', (m) => {
        writeVm(m, { request: nextRequest(m), created: m.vmi.real.now !== undefined }, 'status');
      });
    }
  }
  if (now === undefined) return;
  if (now.phase === 'Pending' && !now.deleting) {
    if (pods.source === undefined) {
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
    if (vm.real.exists && vm.real.side !== now.side && vm.real.update === 'Migration') {
      add('KubeVirt replaces the volumes of the VMI that is not running yet', (m) => {
        if (m.vmi.real.now === undefined) return;
        // It is taken for a volume migration, whatever the launcher will mount or mounts already (contract §4.5).
        m.vmi.real.now.side = m.vm.real.side;
        m.vmi.real.now.migrated = !m.vmi.real.now.migrated;
        if (m.pods.real.source === undefined) m.booted = m.namedBy;
      });
    }
  }
  if (!now.deleting && mustStop(machine, now)) {
    add('KubeVirt deletes the VMI', (m) => {
      const vmi = m.vmi.real.now;
      if (vmi === undefined) return;
      vmi.deleting = true;
      const again = m.vm.real.exists && m.vm.real.strategy === 'RerunOnFailure' && vmi.phase === 'Failed';
      if (again && m.vm.real.request === '') writeVm(m, { request: 'Start' }, 'status');
    });
  }
  if (now.deleting && !isFinal(now)) {
    add('the guest is shut down', (m) => guestEnds(m, m.vmi.real.now?.phase === 'Running' ? 'Succeeded' : 'Failed'));
  }
  if (isFinal(now)) {
    if (pods.source !== undefined) {
      add('the virt-launcher is gone', (m) => {
        m.pods.real.source = undefined;
      });
    }
    if (pods.target !== undefined && !pods.target.ending) {
      add('the second virt-launcher is gone', (m) => {
        m.pods.real.target = undefined;
      });
    }
    // The VMI is let go only when the VM's status has been brought up to it (contract §6).
    const isTold = vm.real.created || !vm.real.exists;
    if (now.deleting && isTold && pods.source === undefined && pods.target === undefined) {
      add('the VMI is gone, and its VMIMs with it', (m) => {
        m.vmi.real = { now: undefined, last: m.vmi.real.now };
        m.vmims.real = [];
        m.unannounced = false;
      });
    }
  }
};

const nextRequest = (machine: Machine) => {
  const { request } = machine.vm.real;
  const { now } = machine.vmi.real;
  if (now === undefined) return request === 'Stop' ? '' : request === 'StopStart' ? 'Start' : request;
  return request === 'Start' && !now.deleting ? '' : request;
};

const mustStop = (machine: Machine, now: Vmi): boolean => {
  const { exists, strategy, request } = machine.vm.real;
  if (!exists || strategy === 'Halted' || request.startsWith('Stop')) return true;
  return isFinal(now) && strategy !== 'Manual';
};

/** The volume migration itself (contract §2, §3). */
const migrationSteps = (machine: Machine, add: Add): void => {
  const { now } = machine.vmi.real;
  const { real: vm } = machine.vm;
  const { source, target } = machine.pods.real;
  const unfinished = unfinishedOf(machine);
  if (target?.ending) {
    add('the second virt-launcher is gone', (m) => {
      m.pods.real.target = undefined;
    });
  }
  if (now === undefined) return;
  const runs = now.phase === 'Running' && !now.deleting;
  const differs = vm.exists && vm.side !== now.side;
  // Without the strategy a restart is required, and no cancel is processed (contract §3).
  if (differs && now.migrated && now.phase !== 'Pending' && vm.update === 'Migration') {
    add('KubeVirt takes the volumes of the VMI back', (m) => {
      if (m.vmi.real.now === undefined) return;
      m.vmi.real.now.side = m.vm.real.side;
      m.vmi.real.now.migrated = false;
      m.vmi.real.now.change = 'False';
    });
  }
  // What has to stop is stopped before its volumes are looked at.
  if (runs && differs && !now.migrated && vm.update === 'Migration' && !mustStop(machine, now)) {
    add('KubeVirt lets the VMI follow the volumes', (m) => {
      if (m.vmi.real.now === undefined) return;
      m.vmi.real.now.side = m.vm.real.side;
      m.vmi.real.now.migrated = true;
      m.vmi.real.now.change = 'True';
    });
  }
  if (runs && now.change === 'True' && unfinished === undefined && (now.attempt?.ended ?? true)) {
    add('KubeVirt makes a VMIM', (m) => {
      const vmim = { uid: freshId(), phase: 'Pending', plain: false, pod: 0, ready: false } as const;
      m.vmims.real = [...m.vmims.real.slice(-1), { ...vmim }];
    });
  }
  if (unfinished === undefined) return;
  const handedOver = now.attempt?.vmim === unfinished.uid;
  if (runs && unfinished.phase === 'Pending' && target === undefined) {
    add('the second virt-launcher is made', (m) => {
      const vmi = m.vmi.real.now;
      if (vmi === undefined) return;
      m.pods.real.target = { uid: freshId(), owner: vmi.uid, side: vmi.side, node: 3 - vmi.node, ending: false };
    });
  }
  if (runs && unfinished.phase === 'Pending' && target !== undefined && !target.ending) {
    add('the migration is handed to the nodes', (m, tell) => {
      const vmim = unfinishedOf(m);
      const vmi = m.vmi.real.now;
      const pod = m.pods.real.target;
      if (vmim === undefined || vmi === undefined || pod === undefined) return;
      vmim.phase = 'Running';
      vmim.pod = pod.uid;
      vmi.attempt = { vmim: vmim.uid, pod: pod.uid, ready: false, ended: false, failed: false };
      if (pod.side === m.pods.real.source?.side) return;
      overwrite(m, pod.side, tell);
    });
  }
  const attempt = now.attempt;
  if (handedOver && attempt !== undefined && !attempt.ended && !isFinal(now)) {
    // Volumes that are copied to where they are already never get there.
    const isPossible = !(now.migrated && target?.side === source?.side);
    if (!attempt.ready && machine.guest === 'source' && target !== undefined && !target.ending && isPossible) {
      add('the guest switches over', (m) => {
        const from = m.pods.real.source?.side ?? 'A';
        const to = m.pods.real.target?.side ?? 'A';
        const content = contentOf(m, from);
        if (m.vmi.real.now?.attempt !== undefined) m.vmi.real.now.attempt.ready = true;
        m.guest = 'target';
        if (from === to) return;
        if (to === 'B' && m.vm.real.side === 'A') m.namedBy = 'lateRevert';
        if (to === 'B') m.b = m.b.map(() => content);
        else m.a = content;
        guestWrites(m);
      });
    }
    if (attempt.ready && source !== undefined) {
      add('KubeVirt finishes the migration', (m) => {
        const vmi = m.vmi.real.now;
        const vmim = unfinishedOf(m);
        if (vmi?.attempt === undefined || vmim === undefined) return;
        vmi.attempt.ended = true;
        vmi.migrated = false;
        vmi.change = '';
        vmi.node = 3 - vmi.node;
        vmim.phase = 'Succeeded';
        vmim.ready = true;
        m.pods.real.source = m.pods.real.target;
        m.pods.real.target = undefined;
        if (m.guest === 'target') m.guest = 'source';
      });
    }
  }
  if (now.change !== 'True' && !unfinished.plain && !(handedOver && attempt?.ready)) {
    add('KubeVirt aborts the migration', (m) => {
      const vmim = unfinishedOf(m);
      const state = m.vmi.real.now?.attempt;
      if (vmim === undefined) return;
      m.vmims.real = m.vmims.real.filter(({ uid }) => uid !== vmim.uid);
      if (state?.vmim === vmim.uid) {
        state.ended = true;
        state.failed = true;
      }
      if (m.pods.real.target !== undefined) m.pods.real.target.ending = true;
    });
  }
};

/** KubeVirt begins to write to the claims of one side. */
const overwrite = (machine: Machine, side: Side, tell: Tell): void => {
  const other = contentOf(machine, side === 'A' ? 'B' : 'A');
  if (contentOf(machine, side) === 'current' && other !== 'current') {
    if (machine.booted === 'startLive') {
      tell.lost(windows.copiedBack);
    } else tell.broken(`law 2: KubeVirt is made to copy over ${side}, which alone holds what the guest has written`);
  }
  if (side === 'A') machine.a = 'partial';
  else machine.b = machine.b.map(() => 'partial');
};

/** What may go wrong with a live migration. */
const failureSteps = (machine: Machine, add: Add): void => {
  const { now } = machine.vmi.real;
  const unfinished = unfinishedOf(machine);
  if (now?.attempt === undefined || unfinished?.uid !== now.attempt.vmim || now.attempt.ended) return;
  if (!now.attempt.ready) {
    add('the migration fails', (m) => {
      const vmim = unfinishedOf(m);
      const state = m.vmi.real.now?.attempt;
      if (vmim === undefined || state === undefined) return;
      vmim.phase = 'Failed';
      state.ended = true;
      state.failed = true;
      m.failures += 1;
      if (m.pods.real.target !== undefined) m.pods.real.target.ending = true;
    });
  }
};

/** Every step that KubeVirt can take for one machine. */
export const kubeVirtSteps = (machine: Machine, index: number, mayFail: boolean, steps: Step[]): void => {
  const own: { readonly name: string; readonly fair: boolean; readonly apply: Apply }[] = [];
  lifeSteps(machine, (name, apply) => own.push({ name, fair: true, apply }));
  migrationSteps(machine, (name, apply) => own.push({ name, fair: true, apply }));
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
