// A whole simulated cluster in one piece: API server, nodes, disks, KubeVirt, copy pods that pretend to copy or really
// do, our CRD, and the people who use it. Demo, tests and `--serve` all begin here; unsubscribing ends everything in it.
import { interval, Subscription } from 'rxjs';
import type { KubeObject } from '../../kube/api.ts';
import { storageMigrationCrd } from '../../kube/crd.ts';
import { type ApiServerOptions, apiServer } from '../apiServer/apiServer.ts';
import type { ApiServer } from '../cluster.ts';
import { type KubeVirt, type KubeVirtOptions, kubeVirt } from '../kubevirt/kubeVirt.ts';
import { type People, people } from '../kubevirt/people.ts';
import { type Disks, type DisksOptions, disksOf } from '../nodes/disks.ts';
import { type Nodes, type NodesOptions, nodes } from '../nodes/nodes.ts';
import { type PretendCopyOptions, pretendCopy } from '../nodes/pretendCopy.ts';
import { type RealCopiesOptions, realCopies } from '../realCopy/realCopies.ts';

export interface WorldOptions {
  /** Divides every time in the cluster: nodes, KubeVirt, copies. Default 1, which is as recorded. */
  readonly speed?: number;
  readonly server?: ApiServerOptions;
  readonly kubeVirt?: KubeVirtOptions;
  readonly nodes?: NodesOptions;
  readonly disks?: DisksOptions;
  readonly copy?: PretendCopyOptions;
  /** Disks and copies are real: in real time only. Absent: disks in memory, and copies that pretend. */
  readonly realCopies?: RealCopiesOptions;
}

export interface World {
  readonly server: ApiServer;
  readonly kubeVirt: KubeVirt;
  readonly nodes: Nodes;
  readonly disks: Disks;
  readonly people: People;
  readonly speed: number;
  readonly copiesAreReal: boolean;
  unsubscribe(): void;
}

const definitions = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
} as const;

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false } as const;

/** Makes a namespace unless it is there. */
export const ensureNamespace = (server: ApiServer, name: string): void => {
  if (server.read(namespaces, { name }) !== undefined) return;
  server.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'user');
};

/** Made once: thousands of worlds are set up in one test run. */
const definition = storageMigrationCrd() as unknown as KubeObject;

/** How long one disk takes to copy offline at speed 1, in ms. */
const offlineCopyMs = 3000;

/** Sets a cluster up and runs it until unsubscribed. */
export const world = (options: WorldOptions = {}): World => {
  const speed = options.speed ?? 1;
  const server = apiServer(options.server);
  const parts = new Subscription();
  const real = options.realCopies === undefined ? undefined : realCopies(server, options.realCopies);
  const disks = disksOf(server, { ...options.disks, ...(real === undefined ? {} : { kept: real.blocks }) });
  const addresses = real === undefined ? {} : { nextAddress: real.nextAddress };
  const cluster = nodes(server, { speed, ...addresses, ...options.nodes });
  if (real === undefined) {
    cluster.addRunner(pretendCopy(server, disks, { durationMs: offlineCopyMs / speed, ...options.copy }));
  } else {
    const { runner, log } = real.run(disks);
    cluster.addRunner(runner);
    server.logsFrom(log);
    // Whoever reads a real disk does not ask what a guest has written meanwhile.
    parts.add(interval(options.disks?.writeMs ?? 1000).subscribe(disks.catchUp));
  }
  const kube = kubeVirt(server, { speed, ...options.kubeVirt }, { nodes: cluster, disks });
  parts.add(() => kube.unsubscribe());
  parts.add(() => cluster.unsubscribe());
  if (real !== undefined) parts.add(real.close);
  server.create(definitions, definition, 'user');
  return {
    server,
    kubeVirt: kube,
    nodes: cluster,
    disks,
    people: people(server, kube),
    speed,
    copiesAreReal: real !== undefined,
    unsubscribe: () => parts.unsubscribe(),
  };
};
