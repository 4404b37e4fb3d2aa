// Fills a simulated API server with a cluster in use: machines that run and, of some of them, live migrations under
// way that a StorageMigration has on record. No controllers: nothing happens in it but what the benchmark does.
import type { MigrationRecord } from '../../core/storageMigration.ts';
import type { KubeObject, Resource } from '../../kube/api.ts';
import { storageMigrationCrd } from '../../kube/crd.ts';
import { cancelFinalizer } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer, Json } from '../cluster.ts';
import { registerKinds } from '../kubevirt/kinds.ts';
import { ensureNamespace } from '../scenario/world.ts';
import { disksOf, type Machine, rootEntryOf, targetOf, templateOf } from './machine.ts';
import { claim } from './objects/claim.ts';
import { launcher } from './objects/launcher.ts';
import { migrationAttempt } from './objects/migrationAttempt.ts';
import { virtualMachine } from './objects/virtualMachine.ts';
import { copyingStatus, virtualMachineInstance } from './objects/virtualMachineInstance.ts';

export interface Sizes {
  readonly machines: number;
  /** Of these, how many have a live migration under way. */
  readonly migrating: number;
}

export interface Population {
  readonly machines: readonly Machine[];
  readonly objects: number;
  readonly bytes: number;
}

/** uids that the server gave. */
interface MachineUids {
  readonly vm: string;
  readonly vmi: string;
}

const actor = 'benchmark';
/** Machines of one StorageMigration; each has a namespace of its own. */
const membersEach = 50;

/** The machines, spread over namespaces and nodes; those that are migrating come first. */
const machinesOf = ({ machines, migrating }: Sizes): readonly Machine[] => {
  const namespaces = Math.max(1, Math.ceil(migrating / membersEach));
  return Array.from({ length: machines }, (_, index) => ({
    name: `vm-${String(index).padStart(5, '0')}`,
    namespace: `team-${String(index % namespaces).padStart(2, '0')}`,
    node: `node-${String(index % 50).padStart(2, '0')}`,
    migrating: index < migrating,
  }));
};

/** Creates an object and, as its controllers do, writes its status afterwards. */
const put = (server: ApiServer, resource: Resource, object: KubeObject, withStatus: boolean): KubeObject => {
  const made = server.create(resource, object, actor);
  if (!withStatus) return made;
  return server.replace(resource, { ...made, status: object['status'] }, actor, { subresource: 'status' });
};

const putMachine = (server: ApiServer, machine: Machine): MachineUids => {
  const claims = resources.persistentVolumeClaims;
  for (const disk of disksOf(machine)) put(server, claims, claim(machine, disk.claim, 'array-old'), true);
  if (machine.migrating) put(server, claims, claim(machine, targetOf(machine), 'array-fast'), true);
  const uidOf = (object: KubeObject): string => object.metadata.uid ?? '';
  const vm = uidOf(put(server, resources.virtualMachines, virtualMachine(machine), true));
  const instance = put(server, resources.virtualMachineInstances, virtualMachineInstance(machine, vm), false);
  const vmi = uidOf(instance);
  put(server, resources.pods, launcher(machine, vmi, 'source'), true);
  if (!machine.migrating) return { vm, vmi };
  put(server, resources.pods, launcher(machine, vmi, 'target'), true);
  const under = uidOf(put(server, resources.virtualMachineInstanceMigrations, migrationAttempt(machine), true));
  server.replace(resources.virtualMachineInstances, copyingStatus(machine, instance, under), actor);
  return { vm, vmi };
};

const recordOf = (server: ApiServer, machine: Machine, { vm, vmi }: MachineUids): MigrationRecord => {
  const source = `${machine.name}-root`;
  const ref = { namespace: machine.namespace, name: source };
  return {
    vmUid: vm,
    disks: [
      {
        volume: 'rootdisk',
        source,
        sourceUid: server.read(resources.persistentVolumeClaims, ref)?.metadata.uid ?? '',
        target: targetOf(machine),
        entry: rootEntryOf(machine),
        template: templateOf(machine),
      },
    ],
    live: { vmiUid: vmi, vmGeneration: 0, knownMigrations: [], attempt: 1, startedAt: '2026-11-23T06:00:00Z' },
    seenOnTarget: false,
    sourcesDeleted: false,
  };
};

const migrationOf = (namespace: string, members: readonly (readonly [Machine, MigrationRecord])[]): KubeObject => ({
  apiVersion: 'transship.dev/v1alpha1',
  kind: 'StorageMigration',
  metadata: { name: 'empty-old-array', namespace, finalizers: [cancelFinalizer] },
  spec: {
    virtualMachines: members.map(([machine]) => ({
      name: machine.name,
      volumes: [{ name: 'rootdisk', target: { claimName: targetOf(machine) } }],
    })),
  },
  status: {
    observedGeneration: 1,
    summary: `0/${members.length}`,
    virtualMachines: members.map(([{ name }, record]) => ({
      name,
      mode: 'Live',
      phase: 'CopyingLive',
      reason: 'CopyingLive',
      message: '',
      waitingFor: '',
      volumes: [],
      record,
    })),
  },
});

const settings: KubeObject = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'KubeVirt',
  metadata: { name: 'kubevirt', namespace: 'kubevirt' },
  spec: {
    configuration: { vmRolloutStrategy: 'LiveUpdate' },
    workloadUpdateStrategy: { workloadUpdateMethods: ['LiveMigrate'] },
  },
  status: { phase: 'Deployed', observedKubeVirtVersion: 'v1.9.0' },
};

const definitions: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** Makes everything; the server is then as the daemon finds it. */
export const populate = (server: ApiServer, sizes: Sizes): Population => {
  registerKinds(server);
  server.create(definitions, storageMigrationCrd() as unknown as KubeObject, actor);
  ensureNamespace(server, 'kubevirt');
  put(server, resources.kubeVirts, settings, true);
  const machines = machinesOf(sizes);
  const members = new Map<string, [Machine, MigrationRecord][]>();
  for (const machine of machines) {
    ensureNamespace(server, machine.namespace);
    const uids = putMachine(server, machine);
    if (!machine.migrating) continue;
    const known = members.get(machine.namespace) ?? [];
    known.push([machine, recordOf(server, machine, uids)]);
    members.set(machine.namespace, known);
  }
  for (const [namespace, each] of members) put(server, resources.storageMigrations, migrationOf(namespace, each), true);
  const all = Object.values(resources)
    .filter(({ group }) => group !== 'events.k8s.io')
    .flatMap((resource) => server.all(resource));
  const bytes = all.reduce((sum, object: Json | KubeObject) => sum + JSON.stringify(object).length, 0);
  return { machines, objects: all.length, bytes };
};
