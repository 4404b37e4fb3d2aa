// The letters of the diagrams: objects as an API server sends them, one small function for each kind. What is not said
// is the plain, healthy case. Machine `web` has its disk `root` on claim `web-root` (A), to be moved to `web-root-fast`
// (B); names and uids are those of ../core/builders.ts, so that records from there fit.
import type { Kept } from '../../src/core/objects.ts';
import type { Projection } from '../../src/core/projection.ts';
import type { MigrationRecord, StorageMigrationSpec } from '../../src/core/storageMigration.ts';
import type { KubeMetadata, KubeObject, Resource } from '../../src/kube/api.ts';
import { copyClientPod, copyServerPod } from '../../src/kube/copyPods.ts';
import { cancelFinalizer } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import { claimOn, recordedDisk, type Side, storageMigration, targetOf, wanted, wholeEnd } from '../core/builders.ts';

/** What any object can be given. */
export interface Meta {
  readonly version?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly deleting?: boolean;
}

const object = (
  resource: Resource,
  name: string,
  { version = '100', uid, generation = 1, deleting = false }: Meta,
  content: Readonly<Record<string, unknown>>,
  metadata: Partial<KubeMetadata> = {},
): KubeObject => ({
  apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
  kind: resource.kind,
  metadata: {
    name,
    namespace: 'shop',
    uid: uid ?? `uid-${name}`,
    resourceVersion: version,
    generation,
    ...(deleting ? { deletionTimestamp: '2026-03-01T12:00:00Z' } : {}),
    ...metadata,
  },
  ...content,
});

const volumesOn = (side: Side, machine: string, disks: readonly string[]) =>
  disks.map((disk) => ({ name: disk, persistentVolumeClaim: { claimName: claimOn(side, machine, disk) } }));

export interface VmLetter extends Meta {
  readonly strategy?: 'Always' | 'Halted' | 'Manual' | 'RerunOnFailure';
  readonly requests?: readonly ('Start' | 'Stop')[];
  readonly created?: boolean;
  /** The claims its spec names. */
  readonly on?: Side;
  readonly updateStrategy?: string;
  readonly disks?: readonly string[];
}

/** A VM; on, unless said otherwise. */
export const vm = (name: string, letter: VmLetter = {}): KubeObject => {
  const { strategy = 'Always', requests = [], created = strategy === 'Always', on = 'source' } = letter;
  const { disks = ['root'], updateStrategy = on === 'target' ? 'Migration' : '' } = letter;
  return object(resources.virtualMachines, name, letter, {
    spec: {
      runStrategy: strategy,
      ...(updateStrategy === '' ? {} : { updateVolumesStrategy: updateStrategy }),
      template: { spec: { volumes: volumesOn(on, name, disks) } },
    },
    status: {
      created,
      runStrategy: strategy,
      ...(requests.length === 0 ? {} : { stateChangeRequests: requests.map((action) => ({ action })) }),
    },
  });
};

/** A VM that is off. */
export const offVm = (name: string, letter: VmLetter = {}): KubeObject => vm(name, { strategy: 'Halted', ...letter });

export interface VmiLetter extends Meta {
  readonly phase?: string;
  readonly on?: Side;
  /** How far the migration to B has come; `switched`: the guest runs on B. */
  readonly migration?: 'none' | 'copying' | 'switched' | 'ended' | 'failed';
  readonly migrationUid?: string;
  readonly disks?: readonly string[];
}

/** A VMI; it runs on node n1, unless said otherwise. */
export const vmi = (name: string, letter: VmiLetter = {}): KubeObject => {
  const { phase = 'Running', on = 'source', migration = 'none', disks = ['root'] } = letter;
  const switched = migration === 'switched' || migration === 'ended';
  const ended = migration === 'ended' || migration === 'failed';
  const state = {
    migrationUid: letter.migrationUid ?? `vmim-${name}`,
    sourceNode: 'n1',
    sourcePod: `first-${name}`,
    targetNode: 'n2',
    targetPod: `second-${name}`,
    startTimestamp: '2026-03-01T12:00:00Z',
    mode: 'PreCopy',
    ...(switched ? { targetNodeDomainReadyTimestamp: '2026-03-01T12:00:05Z' } : {}),
    ...(ended ? { endTimestamp: '2026-03-01T12:00:06Z', completed: true, failed: migration === 'failed' } : {}),
  };
  return object(
    resources.virtualMachineInstances,
    name,
    { uid: `vmi-${name}`, ...letter },
    {
      spec: { volumes: volumesOn(on, name, disks) },
      status: {
        phase,
        nodeName: migration === 'ended' ? 'n2' : 'n1',
        conditions: [{ type: 'Ready', status: phase === 'Running' ? 'True' : 'False', reason: 'GuestNotRunning' }],
        ...(migration === 'none' ? {} : { migrationState: state }),
      },
    },
  );
};

/** The VMIM that KubeVirt makes for a machine. */
export const vmim = (machine: string, phase = 'Running', meta: Meta = {}): KubeObject =>
  object(
    resources.virtualMachineInstanceMigrations,
    `migration-${machine}`,
    { uid: `vmim-${machine}`, ...meta },
    {
      spec: { vmiName: machine },
      status: { phase },
    },
  );

export interface PodLetter extends Meta {
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly disks?: readonly string[];
}

/** A virt-launcher: the `first` is on A, the `second` on B. */
export const launcher = (which: 'first' | 'second', machine: string, letter: PodLetter = {}): KubeObject => {
  const { phase = 'Running', disks = ['root'] } = letter;
  const side = which === 'first' ? 'source' : 'target';
  const owner = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: machine, uid: `vmi-${machine}` };
  return object(
    resources.pods,
    `${which}-${machine}`,
    letter,
    {
      spec: { nodeName: which === 'first' ? 'n1' : 'n2', volumes: volumesOn(side, machine, disks) },
      status: { phase },
    },
    { labels: { 'kubevirt.io': 'virt-launcher' }, ownerReferences: [{ ...owner, controller: true }] },
  );
};

const owner = { namespace: 'shop', name: 'move', uid: 'uid-move' };
const copyImage = 'copy';

const inPhase = (pod: KubeObject, { phase = 'Running', ...meta }: PodLetter): KubeObject => {
  const ended = {
    exitCode: phase === 'Failed' ? 10 : 0,
    message: phase === 'Succeeded' ? wholeEnd.message : '{"t":"end","rc":10}',
  };
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  const status = {
    phase,
    podIP: '10.0.0.7',
    ...(isOver ? { containerStatuses: [{ name: 'copy', state: { terminated: ended } }] } : {}),
  };
  const { name, labels, annotations, ownerReferences } = pod.metadata;
  return object(
    resources.pods,
    name,
    meta,
    { spec: pod['spec'], status },
    {
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    },
  );
};

/** The copy server of the group, as we make it, with the targets of these machines. */
export const server = (machines: readonly string[], { disks = ['root'], ...letter }: PodLetter = {}): KubeObject => {
  const targets = machines.flatMap((machine) => disks.map((disk) => targetOf(machine, disk)));
  const mounted = targets.map((claim) => ({ claim, volumeMode: 'Filesystem' as const }));
  return inPhase(copyServerPod(owner, { machine: undefined, targets: mounted, keys: 'keys' }, copyImage), letter);
};

/** The client of one disk, as we make it, for the copy with id `copyId`. */
export const client = (
  machine: string,
  { disk = 'root', copyId = '100', ...letter }: PodLetter & { readonly disk?: string; readonly copyId?: string } = {},
): KubeObject => {
  const serverName = server([machine]).metadata.name;
  const disk_ = recordedDisk(machine, disk);
  const manifest = copyClientPod(
    owner,
    {
      machine,
      disk: disk_,
      copyId,
      server: { name: serverName, address: '10.0.0.7', keys: 'keys' },
      sourceMode: 'Filesystem',
      targetMode: 'Filesystem',
      fresh: true,
      bytesPerSecond: undefined,
      verify: false,
    },
    copyImage,
  );
  return inPhase(manifest, letter);
};

/** A claim that is bound and large enough. */
export const claim = (name: string, meta: Meta = {}): KubeObject =>
  object(resources.persistentVolumeClaims, name, meta, {
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'slow', resources: { requests: { storage: '1000' } } },
    status: { phase: 'Bound', capacity: { storage: '1000' } },
  });

/** KubeVirt with the settings under which volumes migrate. */
export const kubeVirt = (meta: Meta = {}): KubeObject =>
  object(resources.kubeVirts, 'kubevirt', meta, {
    spec: {
      configuration: { vmRolloutStrategy: 'LiveUpdate' },
      workloadUpdateStrategy: { workloadUpdateMethods: ['LiveMigrate'] },
    },
    status: { phase: 'Deployed', observedKubeVirtVersion: 'v1.9.0' },
  });

export interface MigrationLetter extends Meta {
  readonly name?: string;
  /** Machines with a record were accepted; undefined: not yet. */
  readonly records?: Readonly<Record<string, MigrationRecord | undefined>>;
  readonly finalizers?: readonly string[];
  readonly spec?: Partial<StorageMigrationSpec>;
}

/** A StorageMigration of these machines. */
export const migration = (machines: readonly string[], letter: MigrationLetter = {}): KubeObject => {
  const { name = 'move', records = {}, finalizers = [cancelFinalizer] } = letter;
  const virtualMachines = machines.map((machine) => wanted(machine));
  const { spec, status } = storageMigration({ spec: { virtualMachines, ...letter.spec }, records });
  return object(
    resources.storageMigrations,
    name,
    letter,
    { spec, status },
    { finalizers, creationTimestamp: '2026-03-01T12:00:00Z' },
  );
};

/** A raw object as the store keeps it; one that cannot be read is a mistake in the test. */
export const kept = <T extends Kept>(project: (raw: KubeObject) => Projection<T>, raw: KubeObject): T => {
  const projection = project(raw);
  if (projection.kind !== 'kept') throw new Error(`${raw.kind} ${raw.metadata.name} is ${projection.kind}`);
  return projection.object;
};
