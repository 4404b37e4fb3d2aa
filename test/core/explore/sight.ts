// What the daemon has before it in the explored world when it decides: what its stores hold, and whether anything may be
// started (law 9).
import type { Shape } from './judgement.ts';
import type { GroupSight, Machine, MachineSight, World } from './world.ts';

const sightOf = ({ vm, vmi, vmims, pods, rec }: Machine) => ({
  vm: vm.seen,
  vmi: vmi.seen,
  vmims: vmims.seen,
  pods: pods.seen,
  rec: rec.seen,
});

/** Law 9: whether something may be started for the machine. Settling takes time alone, and is taken to be over. */
const isClear = (world: World, machine: Machine, index: number): boolean => {
  const { late } = world;
  if (late !== undefined && (late.orphan || late.machine === index || late.server !== undefined)) return false;
  return !(machine.landed !== '' || machine.unseenVm || machine.unseenRec || machine.unseenPods || world.unseenServer);
};

/** For one machine. */
export const machineSightOf = (world: World, machine: Machine, index: number, { disks }: Shape): MachineSight => {
  const server = world.server.seen;
  const mounts = server?.mounts.slice(index * disks, (index + 1) * disks).includes(true) === true;
  const others = world.machines.filter((other) => other !== machine);
  return {
    ...sightOf(machine),
    server: mounts || server?.deleting ? server : undefined,
    migration: world.migration.seen,
    ending: others.flatMap(({ pods }) => pods.seen.clients.flatMap((client) => (client?.deleting ? [client.uid] : []))),
    clear: isClear(world, machine, index),
    quiet: machine.quiet,
  };
};

/** For a whole migration. */
export const groupSightOf = (world: World): GroupSight => ({
  machines: world.machines.map(sightOf),
  server: world.server.seen,
  migration: world.migration.seen,
  clear: world.machines.map((machine, index) => isClear(world, machine, index)),
});
