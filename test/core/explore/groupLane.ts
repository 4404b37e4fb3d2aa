// The lane of the transfer group in the explored world: its copy pods are deleted and made as src/effects/groupLoop.ts
// does it.
import type { Brain } from './brain.ts';
import type { Shape } from './judgement.ts';
import { groupSightOf } from './sight.ts';
import { type Step, swift } from './step.ts';
import type { World } from './world.ts';
import { addWrite, noWrite } from './writes.ts';

export const groupSteps = (world: World, brain: Brain, { disks }: Shape, mayFail: boolean, steps: Step[]): void => {
  const { deletes, createServer, createClients } = brain.group(groupSightOf(world));
  for (const uid of deletes) {
    const owner = world.machines.findIndex(({ pods }) => pods.seen.clients.some((client) => client?.uid === uid));
    const disk = world.machines[owner]?.pods.seen.clients.findIndex((client) => client?.uid === uid) ?? -1;
    const pod = owner < 0 ? world.server.real : world.machines[owner]?.pods.real.clients[disk];
    if (pod === undefined || pod.uid !== uid || pod.deleting) continue;
    steps.push({
      ...swift,
      urgent: true,
      name:
        owner < 0
          ? 'the daemon deletes the copy server'
          : `the daemon deletes web-${owner + 1}'s client of disk ${disk}`,
      apply: (draft) => {
        const found = owner < 0 ? draft.server.real : draft.machines[owner]?.pods.real.clients[disk];
        if (found !== undefined) found.deleting = true;
      },
    });
  }
  // Before a pod is made, each VM is read and must be the very version that was seen off (effects/groupLoop.ts).
  const isUnchanged = (index: number): boolean => {
    const machine = world.machines[index];
    return machine !== undefined && machine.vm.real.version === machine.vm.seen.version;
  };
  const base = { ...noWrite, orphan: false };
  if (createServer !== undefined && world.server.real === undefined) {
    const served = world.machines.flatMap((_, index) =>
      createServer.slice(index * disks, (index + 1) * disks).includes(true) ? [index] : [],
    );
    if (served.every(isUnchanged)) {
      const write = { ...base, machine: served[0] ?? 0, server: [...createServer] };
      addWrite('creates the copy server', write, false, world, mayFail, steps);
    }
  }
  for (const { machine, disk, copy } of createClients) {
    if (world.machines[machine]?.pods.real.clients[disk] !== undefined || !isUnchanged(machine)) continue;
    const write = { ...base, machine, client: { disk, copy } };
    addWrite(`creates web-${machine + 1}'s client of disk ${disk}`, write, false, world, mayFail, steps);
  }
};
