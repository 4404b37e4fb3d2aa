// What a trap is played with and what can be seen of it: its machines, and short questions about the cluster.
import type { KubeObject } from '../../../src/kube/api.ts';
import { labels } from '../../../src/kube/names.ts';
import { resources } from '../../../src/kube/resources.ts';
import type { Change } from '../../../src/sim/cluster.ts';
import type { NewDisk, NewVm } from '../../../src/sim/kubevirt/manifests.ts';
import { model } from '../../../src/sim/kubevirt/model.ts';
import type { Pod, Vm, Vmi, Vmim } from '../../../src/sim/kubevirt/objects.ts';
import type { World } from '../../../src/sim/scenario/world.ts';
import type { Network } from '../network.ts';
import { at, type Machine, sight } from '../sight.ts';
import { isDaemon, type Stage } from '../stage.ts';

/** A machine of a trap. */
export interface Player {
  readonly machine: Machine;
  /** Default Always, and Halted for one that is off. */
  readonly runStrategy?: NewVm['runStrategy'];
  /** Default true. */
  readonly on?: boolean;
  /** What its disks are besides plain claims; by the place of the disk. */
  readonly disk?: (index: number) => Partial<NewDisk>;
}

export interface Scene {
  readonly stage: Stage;
  readonly world: World;
  readonly network: Network | undefined;
  readonly players: readonly Player[];
  vm(machine?: Machine): Vm;
  vmi(machine?: Machine): Vmi | undefined;
  vmims(machine?: Machine): readonly Vmim[];
  launchers(machine?: Machine): readonly Pod[];
  copyPods(machine?: Machine): readonly KubeObject[];
  /** Claims that the guest really runs on. */
  runsOn(machine?: Machine): readonly string[] | undefined;
  /** What the StorageMigration says of the machine. */
  says(machine?: Machine): { readonly phase: unknown; readonly reason: unknown; readonly message: unknown };
  isDone(machine?: Machine): boolean;
  /** Accepted writes so far of the daemons, about this machine's VM. */
  readonly vmWrites: (machine?: Machine) => readonly Change[];
  /** Accepted writes so far. */
  readonly changes: readonly Change[];
}

export const machineOf = (name: string, disks = 1, namespace = 'shop'): Machine => ({
  name,
  namespace,
  disks: Array.from({ length: disks }, (_, index) => ({
    volume: `disk${index}`,
    source: `${name}-disk${index}-old`,
    target: `${name}-disk${index}-new`,
  })),
});

/** The machine most traps are about. */
export const web = machineOf('web');

export const sourcesOf = (machine: Machine): readonly string[] => machine.disks.map(({ source }) => source);
export const targetsOf = (machine: Machine): readonly string[] => machine.disks.map(({ target }) => target);

/** Looks at a stage from now on. */
export const sceneOf = (stage: Stage, players: readonly Player[], network: Network | undefined): Scene => {
  const { world } = stage;
  const { server } = world;
  const changes: Change[] = [];
  const podsOf = (machine: Machine): readonly KubeObject[] => server.all(resources.pods, machine.namespace);
  const says = (machine: Machine) => {
    const entries = server
      .all(resources.storageMigrations, machine.namespace)
      .flatMap((migration) => (at(migration, 'status', 'virtualMachines') ?? []) as readonly unknown[])
      .filter((entry) => at(entry, 'name') === machine.name);
    const entry = entries.at(-1);
    return { phase: at(entry, 'phase'), reason: at(entry, 'reason'), message: at(entry, 'message') };
  };
  const vmi = (machine: Machine) => model.maybe<Vmi>(server.read(resources.virtualMachineInstances, machine));
  server.changes$.subscribe((change) => changes.push(change));
  return {
    stage,
    world,
    network,
    players,
    changes,
    vm: (machine = web) => {
      const found = model.maybe<Vm>(server.read(resources.virtualMachines, machine));
      if (found === undefined) throw new Error(`there is no VM ${machine.name}`);
      return found;
    },
    vmi: (machine = web) => vmi(machine),
    vmims: (machine = web) =>
      server
        .all(resources.virtualMachineInstanceMigrations, machine.namespace)
        .filter((vmim) => at(vmim, 'spec', 'vmiName') === machine.name) as unknown as readonly Vmim[],
    launchers: (machine = web) =>
      podsOf(machine).filter(
        (pod) =>
          pod.metadata.labels?.['kubevirt.io'] === 'virt-launcher' &&
          pod.metadata.annotations?.['kubevirt.io/domain'] === machine.name,
      ) as unknown as readonly Pod[],
    copyPods: (machine = web) =>
      podsOf(machine).filter(
        (pod) => pod.metadata.labels?.[labels.role] !== undefined && sight.mountsAny(pod, machine),
      ),
    runsOn: (machine = web) => world.disks.running(vmi(machine)?.metadata.uid ?? '')?.map(({ claim }) => claim),
    says: (machine = web) => says(machine),
    isDone: (machine = web) => says(machine).phase === 'Moved',
    vmWrites: (machine = web) =>
      changes.filter((change) => isDaemon(change.actor) && sight.writes(change, resources.virtualMachines, machine)),
  };
};
