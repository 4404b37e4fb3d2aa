// What people do to machines and migrations in the explored world while the daemon works.
import { freshId, guestEnds, isToRun, type Step, writeVm } from './step.ts';
import type { Machine, World } from './world.ts';

/** What people may do besides starting and stopping by API. */
export type PeopleAct = 'shutDown' | 'crash' | 'deleteVmi' | 'deleteVm' | 'deleteMigration' | 'move';

/** A start that is taken back, or volumes that are, before the VMI is made: virt-controller may not have noticed. */
export const keepCached = (machine: Machine): void => {
  if (machine.vmi.real.now !== undefined || !isToRun(machine)) return;
  machine.cached = machine.vm.real.side;
  machine.cachedNamedBy = machine.namedBy;
};

const startOf = (machine: Machine): ((machine: Machine) => void) | undefined => {
  const { strategy, request } = machine.vm.real;
  const { now } = machine.vmi.real;
  const isFinal = now?.phase === 'Succeeded' || now?.phase === 'Failed';
  if (strategy === 'Halted') return (m) => writeVm(m, { strategy: 'Always' }, 'spec');
  if (strategy === 'Always' || request !== '') return undefined;
  if (now !== undefined && (!isFinal || now.deleting)) return undefined;
  return (m) => writeVm(m, { request: m.vmi.real.now === undefined ? 'Start' : 'StopStart' }, 'status');
};

const stopOf = (machine: Machine): ((machine: Machine) => void) | undefined => {
  const { strategy, request } = machine.vm.real;
  const { now } = machine.vmi.real;
  if (strategy === 'Halted') return undefined;
  if (strategy === 'Always') {
    return (m) => {
      keepCached(m);
      writeVm(m, { strategy: 'Halted' }, 'spec');
    };
  }
  const runs = now !== undefined && now.phase !== 'Succeeded' && now.phase !== 'Failed' && !now.deleting;
  return runs && request === '' ? (m) => writeVm(m, { request: 'Stop' }, 'status') : undefined;
};

/** Every step that people can take. */
export const peopleSteps = (world: World, acts: readonly PeopleAct[], steps: Step[]): void => {
  if (world.acts === 0) return;
  const add = (name: string, apply: (draft: World) => void): void => {
    steps.push({
      name,
      fair: false,
      slow: false,
      urgent: false,
      apply: (draft) => {
        draft.acts -= 1;
        apply(draft);
      },
    });
  };
  for (const [index, machine] of world.machines.entries()) {
    const of = (name: string, apply: (draft: Machine) => void): void =>
      add(`web-${index + 1}: ${name}`, (draft) => {
        const own = draft.machines[index];
        if (own !== undefined) apply(own);
      });
    const { now } = machine.vmi.real;
    if (machine.vm.real.exists) {
      const start = startOf(machine);
      const stop = stopOf(machine);
      if (start !== undefined) of('somebody starts the VM', start);
      if (stop !== undefined) of('somebody stops the VM', stop);
      if (acts.includes('deleteVm')) {
        of('somebody deletes the VM', (m) => writeVm(m, { exists: false }, 'spec'));
      }
    }
    if (machine.guest !== '') {
      if (acts.includes('shutDown')) of('the guest shuts down', (m) => guestEnds(m, 'Succeeded'));
      if (acts.includes('crash')) of('the guest crashes', (m) => guestEnds(m, 'Failed'));
    }
    if (now !== undefined && !now.deleting && acts.includes('deleteVmi')) {
      of('somebody deletes the VMI', (m) => {
        if (m.vmi.real.now !== undefined) m.vmi.real.now.deleting = true;
      });
    }
    const isBusy = machine.vmims.real.some(({ phase }) => phase === 'Pending' || phase === 'Running');
    if (acts.includes('move') && now?.phase === 'Running' && !now.deleting && !isBusy) {
      of('somebody moves the VM to another node', (m) => {
        m.vmims.real = [
          ...m.vmims.real.slice(-1),
          { uid: freshId(), phase: 'Pending', plain: true, pod: 0, ready: false },
        ];
      });
    }
  }
  if (acts.includes('deleteMigration') && !world.migration.real.deleting && !world.migration.real.gone) {
    add('somebody deletes the StorageMigration', (draft) => {
      draft.migration.real.deleting = true;
      draft.migration.real.gone = !draft.migration.real.finalizer;
    });
  }
};
