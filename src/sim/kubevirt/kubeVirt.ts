// The simulated KubeVirt: kinds, webhooks, subresources, virt-controller's four controllers and virt-handler, on the
// simulated API server and nodes. It behaves as the contract describes the real one, traps included, and is held to
// recordings of it (sim/conform).
import { Subscription } from 'rxjs';
import type { ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { type Disks, disksOf } from '../nodes/disks.ts';
import { type Nodes, nodes as nodesOf } from '../nodes/nodes.ts';
import { contextOf } from './context.ts';
import { registerKinds } from './kinds.ts';
import { migrationController } from './migrationController.ts';
import { model } from './model.ts';
import { type NodeSide, nodeSides } from './nodeSide.ts';
import type { Pod, Vm, Vmi } from './objects.ts';
import { type KubeVirtOptions, type KubeVirtSettings, optionsOf } from './options.ts';
import { installSubresources } from './subresources.ts';
import { type VirtHandler, virtHandler } from './virtHandler.ts';
import { vmController } from './vmController.ts';
import { vmiController } from './vmiController.ts';
import { installWebhooks } from './webhooks.ts';
import { workloadUpdater } from './workloadUpdater.ts';

export type { NodeSide } from './nodeSide.ts';
export type { Accidents, KubeVirtOptions, KubeVirtSettings } from './options.ts';

export interface KubeVirt {
  readonly nodes: Nodes;
  readonly disks: Disks;
  /** How the nodes treat a VM from now on. */
  nodeSide(vm: ObjectRef, side: NodeSide): void;
  /** The guest powers off by itself. */
  guestShutdown(vm: ObjectRef): void;
  /** The guest crashes: its VMI ends Failed. */
  guestCrash(vm: ObjectRef): void;
  /** Stops everything, nodes included if they were made here. */
  unsubscribe(): void;
}

export interface KubeVirtParts {
  /** Default: new nodes with their own default options, at the same speed. */
  readonly nodes?: Nodes;
  /** Default: new disks, all empty. */
  readonly disks?: Disks;
}

const createCustomResource = (server: ApiServer, settings: KubeVirtSettings): void => {
  const created = server.create(
    resources.kubeVirts,
    {
      apiVersion: 'kubevirt.io/v1',
      kind: 'KubeVirt',
      metadata: { name: 'kubevirt', namespace: 'kubevirt' },
      spec: {
        configuration: {
          vmRolloutStrategy: settings.rolloutStrategy ?? 'LiveUpdate',
          migrations: {
            parallelMigrationsPerCluster: settings.parallelMigrationsPerCluster ?? 5,
            parallelOutboundMigrationsPerNode: settings.parallelOutboundMigrationsPerNode ?? 2,
          },
        },
        workloadUpdateStrategy: { workloadUpdateMethods: settings.workloadUpdateMethods ?? ['LiveMigrate'] },
      },
    },
    'virt-operator',
  );
  const version = settings.version ?? 'v1.9.0';
  const status = {
    phase: settings.phase ?? 'Deployed',
    observedKubeVirtVersion: version,
    targetKubeVirtVersion: version,
    observedDeploymentID: 'simulated',
    targetDeploymentID: 'simulated',
  };
  server.replace(resources.kubeVirts, { ...created, status }, 'virt-operator', { subresource: 'status' });
};

const ensureNamespace = (server: ApiServer, name: string): void => {
  const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false } as const;
  if (server.read(namespaces, { name }) !== undefined) return;
  server.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'virt-operator');
};

/** Runs KubeVirt on the API server until unsubscribed. */
export const kubeVirt = (server: ApiServer, given: KubeVirtOptions = {}, parts: KubeVirtParts = {}): KubeVirt => {
  const context = contextOf(server, optionsOf(given));
  const subscriptions = new Subscription();
  registerKinds(server);
  installWebhooks(server);
  installSubresources(server, context.stamp);
  const nodes = parts.nodes ?? nodesOf(server, { speed: given.speed ?? 1 });
  if (parts.nodes === undefined) subscriptions.add(() => nodes.unsubscribe());
  const disks = parts.disks ?? disksOf(server);
  const sides = nodeSides(context.options);
  const handler: VirtHandler = virtHandler(context, nodes, disks, sides);

  // Somebody installed a guest on the disks of a VM before it was made.
  subscriptions.add(
    server.changes$.subscribe(({ resource, type, object }) => {
      if (resource.plural !== resources.virtualMachines.plural || type !== 'added') return;
      const { metadata, spec } = model.as<Vm>(object);
      for (const volume of spec.template.spec.volumes ?? []) {
        const claim = model.claimOf(volume);
        if (claim !== '') disks.install(metadata.namespace, metadata.name, volume.name, claim);
      }
    }),
  );
  const isHeldTarget = (pod: Pod): boolean => {
    if (pod.metadata.labels?.['kubevirt.io/migrationJobUID'] === undefined) return false;
    const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'VirtualMachineInstance')?.name ?? '';
    return sides.of(`${pod.metadata.namespace}/${owner}`).target === 'hold';
  };
  subscriptions.add(nodes.hold(isHeldTarget));
  for (const run of [vmController, vmiController, migrationController, workloadUpdater]) {
    subscriptions.add(run(context));
  }
  subscriptions.add(handler.subscription);
  if (given.settings !== false) {
    ensureNamespace(server, 'kubevirt');
    createCustomResource(server, given.settings ?? {});
  }
  return {
    nodes,
    disks,
    nodeSide: (vm, side) => {
      sides.set(`${vm.namespace ?? ''}/${vm.name}`, side);
      nodes.reschedule();
      handler.wake(vm);
    },
    guestShutdown: (vm) => handler.guestEnds(vm, 'Succeeded'),
    guestCrash: (vm) => handler.guestEnds(vm, 'Failed'),
    unsubscribe: () => subscriptions.unsubscribe(),
  };
};

/** The claims a VM's guest really runs on, whatever VM and VMI say; undefined while it does not run. */
export const runsOn = (server: ApiServer, kube: KubeVirt, vm: ObjectRef): readonly string[] | undefined => {
  const vmi = model.maybe<Vmi>(server.read(resources.virtualMachineInstances, vm));
  return vmi === undefined ? undefined : kube.disks.running(vmi.metadata.uid)?.map(({ claim }) => claim);
};
