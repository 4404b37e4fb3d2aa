// Objects for tests of the core, with short names: machine `web-1` has disk `root` on claim `web-1-root` (A), to be
// moved to `web-1-root-fast` (B). Every function takes what differs; what is not said is the plain, healthy case.
import { factsOf, type MachineFacts, type MachineView } from '../../src/core/facts.ts';
import type {
  KubeVirtSettings,
  MigrationState,
  PersistentVolumeClaim,
  Pod,
  StorageMigration,
  Verbatim,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from '../../src/core/objects.ts';
import type {
  MigrationRecord,
  RecordedDisk,
  StorageMigrationSpec,
  VirtualMachineSpec,
} from '../../src/core/storageMigration.ts';

export type Side = 'source' | 'target';

/** The moment at which tests begin. */
export const startMs = Date.parse('2026-03-01T12:00:00Z');
/** A time stamp `seconds` after that moment. */
export const at = (seconds = 0): string => new Date(startMs + seconds * 1000).toISOString();

export const sourceOf = (machine = 'web-1', disk = 'root'): string => `${machine}-${disk}`;
export const targetOf = (machine = 'web-1', disk = 'root'): string => `${machine}-${disk}-fast`;
export const claimOn = (side: Side, machine = 'web-1', disk = 'root'): string =>
  side === 'source' ? sourceOf(machine, disk) : targetOf(machine, disk);

const kept = (name: string) => ({
  namespace: 'shop',
  name,
  uid: `uid-${name}`,
  resourceVersion: '100',
  deleting: false,
});

/** A volume entry that names a plain claim. */
export const entry = (volume: string, claimName: string, extra: Verbatim = {}): Verbatim => ({
  name: volume,
  persistentVolumeClaim: { claimName, ...extra },
});

interface VmExtra extends Partial<VirtualMachine> {
  readonly disks?: readonly string[];
  /** Which claims its spec names. */
  readonly on?: Side;
}

/** A VM that is on: runStrategy Always. */
export const vm = ({ disks = ['root'], on = 'source', ...fields }: VmExtra = {}): VirtualMachine => {
  const name = fields.name ?? 'web-1';
  return {
    ...kept(name),
    generation: 7,
    runStrategy: 'Always',
    actedRunStrategy: fields.runStrategy ?? 'Always',
    requests: [],
    created: true,
    updateVolumesStrategy: on === 'target' ? 'Migration' : '',
    volumes: disks.map((disk) => entry(disk, claimOn(on, name, disk))),
    dataVolumeTemplates: [],
    immovable: [],
    restartRequired: undefined,
    manualRecoveryRequired: false,
    offSince: undefined,
    offSinceMs: undefined,
    ...fields,
  };
};

/** A VM that is off since version 90, half a minute before the tests begin. */
export const stoppedVm = (fields: VmExtra = {}): VirtualMachine =>
  vm({ runStrategy: 'Halted', created: false, offSince: '90', offSinceMs: startMs - 30_000, ...fields });

interface VmiExtra extends Partial<VirtualMachineInstance> {
  readonly disks?: readonly string[];
  readonly on?: Side;
}

/** A VMI that runs on node n1. */
export const vmi = ({ disks = ['root'], on = 'source', ...fields }: VmiExtra = {}): VirtualMachineInstance => {
  const name = fields.name ?? 'web-1';
  return {
    ...kept(name),
    uid: `vmi-${name}`,
    phase: 'Running',
    nodeName: 'n1',
    ready: true,
    readyReason: '',
    paused: false,
    claims: disks.map((disk) => ({ volume: disk, claim: claimOn(on, name, disk) })),
    migratedVolumes: [],
    volumesChange: undefined,
    migrationState: undefined,
    ...fields,
  };
};

/** A migration that has been handed to the nodes and copies. */
export const state = (fields: Partial<MigrationState> = {}): MigrationState => ({
  migrationUid: 'vmim-1',
  sourceNode: 'n1',
  sourcePod: 'launcher-web-1',
  targetNode: 'n2',
  targetPod: 'launcher-web-1-target',
  startTimestamp: at(),
  endTimestamp: '',
  targetNodeDomainReadyTimestamp: '',
  completed: false,
  failed: false,
  failureReason: '',
  mode: 'PreCopy',
  ...fields,
});

/** The same migration after the guest has switched over. */
export const switched = (fields: Partial<MigrationState> = {}): MigrationState =>
  state({ targetNodeDomainReadyTimestamp: at(5), ...fields });

export const vmim = (fields: Partial<VirtualMachineInstanceMigration> = {}): VirtualMachineInstanceMigration => ({
  ...kept('migration-1'),
  uid: 'vmim-1',
  vmiName: 'web-1',
  phase: 'Running',
  createdAt: at(),
  migrationState: undefined,
  ...fields,
});

export const pod = (fields: Partial<Pod> = {}): Pod => {
  const name = fields.name ?? 'debug';
  return {
    ...kept(name),
    phase: 'Running',
    role: 'other',
    nodeName: 'n1',
    claims: [],
    ownerUid: '',
    ready: true,
    migrationUid: '',
    vmName: '',
    volumeName: '',
    copyId: '',
    ended: undefined,
    createdAt: '',
    goneBy: '',
    address: '',
    keys: '',
    trouble: '',
    ...fields,
  };
};

/** A virt-launcher of `machine`: on the source side it is the first, on the target side the one a migration made. */
export const launcher = (
  side: Side,
  { machine = 'web-1', disks = ['root'], ...fields }: Partial<Pod> & { machine?: string; disks?: string[] } = {},
): Pod =>
  pod({
    name: side === 'source' ? `launcher-${machine}` : `launcher-${machine}-target`,
    role: 'launcher',
    ownerUid: `vmi-${machine}`,
    nodeName: side === 'source' ? 'n1' : 'n2',
    claims: disks.map((disk) => claimOn(side, machine, disk)),
    ...fields,
  });

/** The copy server of the group, with the targets of these machines. */
export const server = (
  machines: readonly string[] = ['web-1'],
  { disks = ['root'], ...fields }: Partial<Pod> & { disks?: string[] } = {},
): Pod =>
  pod({
    name: 'copy-server',
    role: 'copyServer',
    address: '10.0.0.7',
    keys: 'copy-server-keys',
    migrationUid: 'uid-move',
    claims: machines.flatMap((machine) => disks.map((disk) => targetOf(machine, disk))),
    ...fields,
  });

/** The client that copies one disk of `machine`, for the copy with id `100`. */
export const client = (machine = 'web-1', { disk = 'root', ...fields }: Partial<Pod> & { disk?: string } = {}): Pod =>
  pod({
    name: `copy-client-${machine}-${disk}`,
    role: 'copyClient',
    migrationUid: 'uid-move',
    vmName: machine,
    volumeName: disk,
    copyId: '100',
    claims: [sourceOf(machine, disk)],
    ...fields,
  });

/** What a client leaves behind that has copied everything. */
export const wholeEnd = {
  exitCode: 0,
  message:
    '{"t":"end","stage":"done","problem":"","rc":0,"files":1,"literal":600,"matched":400,"size":1000,"flushed":true}',
};
export const brokenEnd = {
  exitCode: 10,
  message: '{"t":"end","stage":"copy","problem":"ServerUnreachable","rc":10,"files":0,"err":"refused"}',
};

export const claim = (name: string, fields: Partial<PersistentVolumeClaim> = {}): PersistentVolumeClaim => ({
  ...kept(name),
  phase: 'Bound',
  storageClassName: 'slow',
  volumeMode: 'Filesystem',
  accessModes: ['ReadWriteOnce'],
  dataVolume: undefined,
  requestedBytes: 1000,
  capacityBytes: 1000,
  ...fields,
});

export const settings = (fields: Partial<KubeVirtSettings> = {}): KubeVirtSettings => ({
  ...kept('kubevirt'),
  rolloutStrategy: 'LiveUpdate',
  workloadUpdateMethods: ['LiveMigrate'],
  phase: 'Deployed',
  version: 'v1.9.0',
  ...fields,
});

export const recordedDisk = (machine = 'web-1', disk = 'root'): RecordedDisk => ({
  volume: disk,
  source: sourceOf(machine, disk),
  sourceUid: `uid-${sourceOf(machine, disk)}`,
  target: targetOf(machine, disk),
  entry: entry(disk, sourceOf(machine, disk)),
});

type RecordExtra = Partial<MigrationRecord> & { readonly machine?: string; readonly diskNames?: readonly string[] };

export const record = ({ machine = 'web-1', diskNames = ['root'], ...fields }: RecordExtra = {}): MigrationRecord => ({
  vmUid: `uid-${machine}`,
  disks: diskNames.map((disk) => recordedDisk(machine, disk)),
  seenOnTarget: false,
  sourcesDeleted: false,
  ...fields,
});

type Live = NonNullable<MigrationRecord['live']>;
type Offline = NonNullable<MigrationRecord['offline']>;

/** A live migration that was begun on `vmi()` at generation 7 of the VM: with `vm()` as it is, the patch has not landed. */
export const live = (fields: Partial<Live> = {}): Live => ({
  vmiUid: 'vmi-web-1',
  vmGeneration: 7,
  knownMigrations: [],
  attempt: 1,
  startedAt: at(),
  ...fields,
});

/** A live migration whose patch has landed. */
export const patched = (fields: Partial<Live> = {}): Live => live({ vmGeneration: 6, ...fields });

/** A copy that was begun from `stoppedVm()`. */
export const offline = (fields: Partial<Offline> = {}): Offline => ({
  id: '100',
  offSince: '90',
  startedAt: at(-20),
  claims: [],
  copied: [],
  failures: [],
  ...fields,
});

export const switchedOver = { vmiUid: 'vmi-web-1', migrationUid: 'vmim-1', at: at(5) };

export const wanted = (machine = 'web-1', disks: readonly string[] = ['root']): VirtualMachineSpec => ({
  name: machine,
  volumes: disks.map((disk) => ({ name: disk, target: { claimName: targetOf(machine, disk) } })),
});

interface MigrationExtra extends Partial<Omit<StorageMigration, 'spec'>> {
  readonly spec?: Partial<StorageMigrationSpec>;
  /** Records of the machines, by name. */
  readonly records?: Readonly<Record<string, MigrationRecord | undefined>>;
}

export const storageMigration = ({ spec, records = {}, ...fields }: MigrationExtra = {}): StorageMigration => ({
  ...kept('move'),
  generation: 1,
  createdAt: at(-60),
  finalizers: ['transship.dev/cancel'],
  spec: {
    virtualMachines: [wanted()],
    transfer: { server: 'Shared', verify: false },
    retention: 'KeepSource',
    paused: false,
    ...spec,
  },
  status: {
    virtualMachines: Object.entries(records).flatMap(([name, found]) =>
      found === undefined
        ? []
        : [
            {
              name,
              mode: 'Hold' as const,
              phase: '',
              reason: '',
              message: '',
              waitingFor: '',
              volumes: [],
              record: found,
            },
          ],
    ),
  },
  ...fields,
});

export interface ViewExtra extends Partial<Omit<MachineView, 'claim' | 'migration'>> {
  readonly record?: MigrationRecord | undefined;
  readonly migration?: MigrationExtra;
  /** Claims that differ from the plain ones; undefined: the claim does not exist. */
  readonly claims?: Readonly<Record<string, PersistentVolumeClaim | undefined>>;
}

/** The view of one machine: a VM that runs on its source claims, accepted, with every claim there. */
export const view = ({ record: found, migration, claims = {}, ...fields }: ViewExtra = {}): MachineView => {
  const name = fields.name ?? 'web-1';
  const records = found === undefined ? {} : { [name]: found };
  return {
    migration: storageMigration({ records, ...migration }),
    name,
    machine: vm({ name }),
    instance: undefined,
    lastInstance: undefined,
    attempts: [],
    pods: [],
    endingCopyPods: [],
    claim: (asked) => (asked in claims ? claims[asked] : asked === '' ? undefined : claim(asked)),
    settings: settings(),
    rivals: [],
    targetRivals: () => [],
    otherUsersOf: () => [],
    unreadable: [],
    unreadableClaims: [],
    ...fields,
  };
};

export const facts = (extra: ViewExtra = {}): MachineFacts => factsOf(view(extra));

/** Facts of a machine that runs on its source claims, accepted. */
export const runningFacts = (extra: ViewExtra = {}): MachineFacts =>
  facts({ record: record(), machine: vm(), instance: vmi(), pods: [launcher('source')], ...extra });

/** Facts of a machine that is off on its source claims, accepted. */
export const stoppedFacts = (extra: ViewExtra = {}): MachineFacts =>
  facts({ record: record(), machine: stoppedVm(), ...extra });

/** Facts of a machine in the middle of a live migration. */
export const copyingFacts = (extra: ViewExtra = {}): MachineFacts =>
  facts({
    record: record({ live: patched() }),
    machine: vm({ on: 'target' }),
    instance: vmi({ on: 'target', migrationState: state() }),
    attempts: [vmim()],
    pods: [launcher('source'), launcher('target')],
    ...extra,
  });
