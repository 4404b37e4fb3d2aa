// The laws of design §3 that a state can break, asked of what is true and not of what the daemon has seen.
import { guestSide, type Tell } from './step.ts';
import { windows } from './windows.ts';
import type { World } from './world.ts';

/** Tells of every law that is broken in a state. */
export const lawsOfState = (world: World, tell: Tell): void => {
  const serving = world.server.real?.phase === 'Running';
  for (const machine of world.machines) {
    const copies = serving && machine.pods.real.clients.some((client) => client?.phase === 'Running');
    if (!copies) continue;
    const { target } = machine.pods.real;
    const attempt = machine.vmi.real.now?.attempt;
    if (guestSide(machine) === 'B') {
      if (machine.unannounced) tell.window(windows.cachedVmiOnCopy);
      else tell.broken('law 1: rsync writes to the target while the guest runs on it');
    }
    if (attempt !== undefined && !attempt.ended && target?.side === 'B') {
      tell.broken('law 1: rsync and KubeVirt write to the same target');
    }
    if (machine.a !== 'current' && machine.vm.real.exists) {
      tell.broken('law 2: rsync writes into the claim in authority');
    }
  }
};
