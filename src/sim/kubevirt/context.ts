// What the parts of the simulated KubeVirt share: the API server, the options, the clock as Kubernetes writes it, and
// short ways to read and write the kinds they work on.
import type { KubeObject } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import { identifiers } from '../apiServer/identifiers.ts';
import type { ApiServer } from '../cluster.ts';
import { model } from './model.ts';
import type { Claim, Pod, Vmi, Vmim } from './objects.ts';
import type { Options } from './options.ts';

/** The name by which virt-controller's writes are known. */
export const virtController = 'virt-controller';

export interface Settings {
  readonly liveUpdate: boolean;
  readonly methods: readonly string[];
  readonly deployed: boolean;
  readonly parallelMigrationsPerCluster: number;
  readonly parallelOutboundMigrationsPerNode: number;
}

export interface Context {
  readonly server: ApiServer;
  readonly options: Options;
  /** Now, in whole seconds, as `metav1.Time` is written. */
  stamp(): string;
  /** The settings of the KubeVirt CR as they are now (contract §1.2). */
  settings(): Settings;
  vmi(namespace: string, name: string): Vmi | undefined;
  vmim(namespace: string, name: string): Vmim | undefined;
  claim(namespace: string, name: string): Claim | undefined;
  pods(namespace: string): readonly Pod[];
  /** Pods whose controller is this object: the launchers of a VMI, the attachment pods of a launcher. */
  podsOf(owner: KubeObject): readonly Pod[];
  migrationsOf(namespace: string, vmiName: string): readonly Vmim[];
  allMigrations(): readonly Vmim[];
  /** Replaces a VMI; 409 when it was written since it was read. */
  writeVmi(vmi: Vmi, actor?: string): Vmi;
}

interface KubeVirtSpec {
  readonly configuration?: {
    readonly vmRolloutStrategy?: string;
    readonly migrations?: {
      readonly parallelMigrationsPerCluster?: number;
      readonly parallelOutboundMigrationsPerNode?: number;
    };
  };
  readonly workloadUpdateStrategy?: { readonly workloadUpdateMethods?: readonly string[] };
}

const settingsOf = (kubeVirt: KubeObject | undefined): Settings => {
  const spec = (kubeVirt?.['spec'] ?? {}) as KubeVirtSpec;
  const status = (kubeVirt?.['status'] ?? {}) as { readonly phase?: string };
  return {
    liveUpdate: (spec.configuration?.vmRolloutStrategy ?? 'LiveUpdate') === 'LiveUpdate',
    methods: spec.workloadUpdateStrategy?.workloadUpdateMethods ?? [],
    deployed: status.phase === 'Deployed',
    parallelMigrationsPerCluster: spec.configuration?.migrations?.parallelMigrationsPerCluster ?? 5,
    parallelOutboundMigrationsPerNode: spec.configuration?.migrations?.parallelOutboundMigrationsPerNode ?? 2,
  };
};

/** Makes the context of one simulated KubeVirt. */
export const contextOf = (server: ApiServer, options: Options): Context => {
  const pods = (namespace: string): readonly Pod[] => server.all(resources.pods, namespace) as readonly Pod[];
  const migrations = (namespace?: string): readonly Vmim[] =>
    server.all(resources.virtualMachineInstanceMigrations, namespace) as readonly Vmim[];
  return {
    server,
    options,
    stamp: () => identifiers.timestamp(server.now()),
    settings: () => settingsOf(server.all(resources.kubeVirts)[0]),
    vmi: (namespace, name) => model.maybe<Vmi>(server.read(resources.virtualMachineInstances, { namespace, name })),
    vmim: (namespace, name) =>
      model.maybe<Vmim>(server.read(resources.virtualMachineInstanceMigrations, { namespace, name })),
    claim: (namespace, name) => model.maybe<Claim>(server.read(resources.persistentVolumeClaims, { namespace, name })),
    pods,
    podsOf: ({ metadata }) => pods(metadata.namespace ?? '').filter((pod) => model.controllerUid(pod) === metadata.uid),
    migrationsOf: (namespace, vmiName) => migrations(namespace).filter(({ spec }) => spec.vmiName === vmiName),
    allMigrations: () => migrations(),
    writeVmi: (vmi, actor = virtController) =>
      model.as<Vmi>(server.replace(resources.virtualMachineInstances, vmi, actor)),
  };
};
