// What is on the claims in the explored world when KubeVirt boots a guest on them or copies over them: nothing looks at
// it before (contract §4.5). Tells of every loss that is not KubeVirt's own doing.
import { guestWrites, isWhole, type Tell } from './step.ts';
import { windows } from './windows.ts';
import type { Content, Machine, Side } from './world.ts';

/** What the claims of one side hold. */
export const contentOf = (machine: Machine, side: Side): Content => {
  if (side === 'A') return machine.a;
  if (isWhole(machine)) return 'current';
  return machine.b.includes('partial') ? 'partial' : 'old';
};

const isCopied = (machine: Machine): boolean => machine.a === 'current' && isWhole(machine);

/** The guest boots on whatever its launcher mounts; nothing looks at what is on it (contract §4.5). */
export const boot = (machine: Machine, tell: Tell): void => {
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

/** KubeVirt begins to write to the claims of one side. */
export const overwrite = (machine: Machine, side: Side, tell: Tell): void => {
  const other = contentOf(machine, side === 'A' ? 'B' : 'A');
  if (contentOf(machine, side) === 'current' && other !== 'current') {
    if (machine.booted === 'startLive') {
      tell.lost(windows.copiedBack);
    } else tell.broken(`law 2: KubeVirt is made to copy over ${side}, which alone holds what the guest has written`);
  }
  if (side === 'A') machine.a = 'partial';
  else machine.b = machine.b.map(() => 'partial');
};
