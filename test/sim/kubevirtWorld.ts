// A small world for the tests of the simulated KubeVirt: cluster, users and a list of moments, in virtual time.
import { asyncScheduler } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { ObjectRef } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { apiServer } from '../../src/sim/apiServer/apiServer.ts';
import type { ApiServer } from '../../src/sim/cluster.ts';
import { type KubeVirt, type KubeVirtOptions, kubeVirt, runsOn } from '../../src/sim/kubevirt/kubeVirt.ts';
import { model } from '../../src/sim/kubevirt/model.ts';
import type { Pod, Vm, Vmi, Vmim } from '../../src/sim/kubevirt/objects.ts';
import { type People, people } from '../../src/sim/kubevirt/people.ts';
import { type Disks, disksOf } from '../../src/sim/nodes/disks.ts';
import { type Nodes, type NodesOptions, nodes } from '../../src/sim/nodes/nodes.ts';
import { type PretendCopyOptions, pretendCopy } from '../../src/sim/nodes/pretendCopy.ts';

export interface World {
  readonly server: ApiServer;
  readonly kube: KubeVirt;
  readonly user: People;
  readonly nodes: Nodes;
  readonly disks: Disks;
  vm(): Vm;
  vmi(): Vmi | undefined;
  vmims(): readonly Vmim[];
  pods(): readonly Pod[];
  launchers(): readonly Pod[];
  /** Status of a condition of the VM; undefined when it has none of that type. */
  condition(type: string): string | undefined;
  /** Claims the guest really runs on. */
  runsOn(): readonly string[] | undefined;
}

export interface WorldOptions {
  readonly kubeVirt?: KubeVirtOptions;
  readonly nodes?: NodesOptions;
  readonly copy?: PretendCopyOptions;
}

/** The machine most tests are about. */
export const web: ObjectRef = { namespace: 'default', name: 'web' };

const seconds = 1000;

/** Runs the moments, given by the second they come at, and ends the world after the last. */
export const live = (options: WorldOptions, moments: readonly (readonly [number, (world: World) => void])[]): void => {
  new TestScheduler(() => undefined).run(() => {
    const server = apiServer();
    const disks = disksOf(server);
    const parts = {
      disks,
      nodes: nodes(server, { runners: [pretendCopy(server, disks, options.copy)], ...options.nodes }),
    };
    const kube = kubeVirt(server, options.kubeVirt, parts);
    const vm = (): Vm => {
      const found = model.maybe<Vm>(server.read(resources.virtualMachines, web));
      if (found === undefined) throw new Error('there is no VM web');
      return found;
    };
    const pods = (): readonly Pod[] => server.all(resources.pods, 'default') as readonly Pod[];
    const world: World = {
      server,
      kube,
      disks,
      nodes: parts.nodes,
      user: people(server, kube),
      vm,
      vmi: () => model.maybe<Vmi>(server.read(resources.virtualMachineInstances, web)),
      vmims: () => server.all(resources.virtualMachineInstanceMigrations, 'default') as readonly Vmim[],
      pods,
      launchers: () => pods().filter(({ metadata }) => metadata.labels?.['kubevirt.io'] === 'virt-launcher'),
      condition: (type) => model.conditionOf(vm().status?.conditions, type)?.status,
      runsOn: () => runsOn(server, kube, web),
    };
    const last = Math.max(...moments.map(([at]) => at));
    for (const [at, act] of moments) asyncScheduler.schedule(() => act(world), at * seconds);
    asyncScheduler.schedule(
      () => {
        kube.unsubscribe();
        parts.nodes.unsubscribe();
      },
      last * seconds + 1,
    );
  });
};

/** A VM with one disk on claim `a` and an empty claim `b` beside it. */
export const createWeb =
  (runStrategy: 'Always' | 'Halted' | 'Manual' | 'RerunOnFailure' | 'Once' | 'running' | 'stopped') =>
  ({ user }: World): void => {
    user.createVm({ name: 'web', runStrategy, disks: [{ claim: 'a', target: 'b' }] });
  };

/** Patches the VM's disk to `b` with strategy Migration. */
export const toB = ({ user }: World): void => user.setClaims(web, { disk0: 'b' }, 'Migration');

/** Patches the VM's disk back to `a`. */
export const backToA = ({ user }: World): void => user.setClaims(web, { disk0: 'a' });
