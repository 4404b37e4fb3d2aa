// What becomes of our own pods in the explored world: rsync runs between a client and the server, and writes.
import type { Step } from './step.ts';
import { guestSide } from './step.ts';
import type { Machine, World } from './world.ts';

const isServing = (world: World): boolean => {
  const server = world.server.real;
  return server !== undefined && server.phase === 'Running';
};

/** Every step that our pods can take. */
export const copySteps = (world: World, mayFail: boolean, steps: Step[]): void => {
  const add = (name: string, fair: boolean, apply: (draft: World) => void): void => {
    steps.push({
      name,
      fair,
      slow: fair && (name.endsWith('begins to copy') || name.endsWith('has copied everything')),
      urgent: false,
      apply: (draft) => {
        if (!fair) draft.faults -= 1;
        apply(draft);
      },
    });
  };
  const server = world.server.real;
  if (server?.deleting) {
    add('the copy server is gone', true, (draft) => {
      draft.server.real = undefined;
    });
  }
  if (server?.reachable === false) {
    add('the copy server is given an address', true, (draft) => {
      if (draft.server.real !== undefined) draft.server.real.reachable = true;
    });
  }
  if (server?.phase === 'Pending' && server.reachable) {
    add('the copy server runs', true, (draft) => {
      if (draft.server.real !== undefined) draft.server.real.phase = 'Running';
    });
  }
  if (server?.phase === 'Running' && mayFail && !server.deleting) {
    add('the copy server fails', false, (draft) => {
      if (draft.server.real !== undefined) draft.server.real.phase = 'Failed';
      for (const machine of draft.machines) machine.failures += 1;
    });
  }
  for (const [index, machine] of world.machines.entries()) {
    for (const [disk, client] of machine.pods.real.clients.entries()) {
      if (client === undefined) continue;
      const of = (name: string, fair: boolean, apply: (own: Machine) => void): void =>
        add(`web-${index + 1}: the client of disk ${disk} ${name}`, fair, (draft) => {
          const own = draft.machines[index];
          if (own !== undefined) apply(own);
        });
      const become = (phase: 'Running' | 'Succeeded' | 'Failed') => (own: Machine) => {
        const pod = own.pods.real.clients[disk];
        if (pod !== undefined) pod.phase = phase;
      };
      if (client.deleting) {
        of('is gone', true, (own) => {
          own.pods.real.clients[disk] = undefined;
          own.torn[disk] = false;
        });
      }
      if (client.phase === 'Pending' && isServing(world)) {
        of('begins to copy', true, (own) => {
          become('Running')(own);
          own.b[disk] = 'partial';
          own.torn[disk] = guestSide(own) === 'A';
        });
      }
      if (client.phase !== 'Running') continue;
      if (!isServing(world)) of('has lost its server', true, become('Failed'));
      else {
        // virt-controller's cache is not behind for as long as a copy takes.
        if (machine.cached === '')
          of('has copied everything', true, (own) => {
            become('Succeeded')(own);
            own.b[disk] = own.torn[disk] ? 'partial' : own.a;
            own.torn[disk] = false;
          });
        if (mayFail) {
          of('fails', false, (own) => {
            become('Failed')(own);
            own.torn[disk] = false;
            own.failures += 1;
          });
        }
      }
    }
  }
};
