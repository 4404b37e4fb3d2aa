// The explored world: what is true in the cluster, what the daemon has seen of it, and what is on its way. Small
// enough to be explored to its end, rich enough for every trap of the contract. A state is a text (codec.ts); steps
// change a draft of it.
import { bit, type Codec, fields, id, list, maybe, oneOf, small, type Watched, watched } from './codec.ts';

/** A is the source claim, B the target claim of a disk. */
export type Side = 'A' | 'B';

export interface Vm {
  exists: boolean;
  strategy: 'Always' | 'Halted' | 'Manual' | 'RerunOnFailure';
  /** `status.stateChangeRequests`; StopStart: a start while a final VMI lingers. */
  request: '' | 'Start' | 'Stop' | 'StopStart';
  /** The claims that its spec names. */
  side: Side;
  update: '' | 'Migration' | 'Replacement';
  generation: number;
  version: number;
  created: boolean;
  /** Made by the fold of the daemon's store, which sees every version. 0: absent. */
  offSince: number;
}

/** `status.migrationState` of a VMI. */
export interface Attempt {
  vmim: number;
  /** uid of the target launcher. */
  pod: number;
  /** The guest has switched over. */
  ready: boolean;
  ended: boolean;
  failed: boolean;
}

export interface Vmi {
  uid: number;
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  deleting: boolean;
  /** The claims that its spec names. */
  side: Side;
  /** `status.migratedVolumes` has our pairs. */
  migrated: boolean;
  change: '' | 'True' | 'False';
  node: number;
  attempt: Attempt | undefined;
}

/** The VMI, and the last words of the one before it, which a store remembers. */
export interface Instances {
  now: Vmi | undefined;
  last: Vmi | undefined;
}

export interface Vmim {
  uid: number;
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  /** Asked for by a person, for a move to another node. */
  plain: boolean;
  pod: number;
  /** Its copy of the migration state, made when it is final, says that the guest has switched over. */
  ready: boolean;
}

export interface Launcher {
  uid: number;
  /** uid of its VMI. */
  owner: number;
  side: Side;
  node: number;
  ending: boolean;
}

/** An rsync client; a deleted one lives on until it has ended. */
export interface Client {
  uid: number;
  copy: number;
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  deleting: boolean;
}

export interface Pods {
  /** The launcher on the node of the VMI, and the one that a migration has made. */
  source: Launcher | undefined;
  target: Launcher | undefined;
  /** By disk. */
  clients: (Client | undefined)[];
}

/** The rsync server of the group. */
export interface Server {
  uid: number;
  phase: 'Pending' | 'Running' | 'Failed';
  /** It has an address, which its clients are told: a pod has one before it runs. */
  reachable: boolean;
  deleting: boolean;
  /** Which B it mounts: by machine and disk. */
  mounts: boolean[];
}

/** A machine's record, as far as it varies. */
export interface Rec {
  live: { vmi: number; generation: number; known: number[]; attempt: number; endSeen: boolean } | undefined;
  over: { vmi: number; vmim: number } | undefined;
  offline:
    | { id: number; offSince: number; copied: boolean[]; failures: { disk: number; count: number; pod: number }[] }
    | undefined;
  cutOver: number;
  gaveUp: '' | 'LiveMigrationFailing' | 'LiveMigrationUndone' | 'PeerSilent' | 'RestartRequired';
  completed: '' | 'Live' | 'Offline';
  seenOnTarget: boolean;
}

/** What a claim holds: everything the guest has written, all of it up to some moment, or no whole disk at all. */
export type Content = 'current' | 'old' | 'partial';

/** Who gave the VM the volumes it names. */
export type Namer = 'person' | 'startLive' | 'cutOver' | 'repair' | 'revert' | 'lateRevert';

export interface Machine {
  vm: Watched<Vm>;
  vmi: Watched<Instances>;
  vmims: Watched<Vmim[]>;
  pods: Watched<Pods>;
  rec: Watched<Rec | undefined>;
  /** The launcher that runs the guest. */
  guest: '' | 'source' | 'target';
  a: Content;
  b: Content[];
  /** By disk: the source was written while the client read it. */
  torn: boolean[];
  namedBy: Namer;
  /** The same at the time when the VMI took its volumes from the VM. */
  booted: Namer;
  /** virt-controller still has a version of the VM in its cache from which it may make a VMI on these claims. */
  cached: '' | Side;
  cachedNamedBy: Namer;
  /** The VMI was made from that version: no write to the VM went before it. Or the VM did not tell of it in time. */
  unannounced: boolean;
  /** Enough time without a start or stop has passed for a cut-over. */
  quiet: boolean;
  /** Own writes that the daemon has not seen yet. */
  unseenVm: boolean;
  unseenRec: boolean;
  unseenPods: boolean;
  /** A write that was not answered has landed, and is not seen yet: it counts as possible for longer than that takes. */
  landed: '' | 'vm' | 'rec' | 'pods';
  /** Failures of VMIMs and of copies. */
  failures: number;
}

export interface Migration {
  finalizer: boolean;
  deleting: boolean;
  gone: boolean;
}

/** A patch of a VM, with its tests. `version` 0: it does not test the version. */
export interface VmPatch {
  name: 'startLive' | 'revert' | 'repair' | 'cutOver';
  version: number;
  from: Side;
  to: Side;
  update: '' | 'Migration' | 'Replacement';
  /** The daemon had seen the switch-over when it sent this. */
  sawSwitchOver: boolean;
}

/** A write that was sent and is not answered: it may land yet. One of the last four is set. */
export interface Late {
  machine: number;
  /** Of a process that has died since. */
  orphan: boolean;
  vm: VmPatch | undefined;
  rec: { before: Rec | undefined; after: Rec } | undefined;
  client: { disk: number; copy: number } | undefined;
  server: boolean[] | undefined;
}

export interface World {
  machines: Machine[];
  server: Watched<Server | undefined>;
  migration: Watched<Migration>;
  unseenServer: boolean;
  late: Late | undefined;
  /** What people may still do, and what may still go wrong. */
  acts: number;
  faults: number;
  /** The daemon was started again: what it had seen of ended VMIs is lost. */
  restarted: boolean;
}

const side = oneOf('A', 'B');

const vm = fields<Vm>({
  exists: bit,
  strategy: oneOf('Always', 'Halted', 'Manual', 'RerunOnFailure'),
  request: oneOf('', 'Start', 'Stop', 'StopStart'),
  side,
  update: oneOf('', 'Migration', 'Replacement'),
  generation: id,
  version: id,
  created: bit,
  offSince: id,
});

const attempt = fields<Attempt>({ vmim: id, pod: id, ready: bit, ended: bit, failed: bit });

const vmi = fields<Vmi>({
  uid: id,
  phase: oneOf('Pending', 'Running', 'Succeeded', 'Failed'),
  deleting: bit,
  side,
  migrated: bit,
  change: oneOf('', 'True', 'False'),
  node: small,
  attempt: maybe(attempt),
});

const instances = fields<Instances>({ now: maybe(vmi), last: maybe(vmi) });

const vmim = fields<Vmim>({
  uid: id,
  phase: oneOf('Pending', 'Running', 'Succeeded', 'Failed'),
  plain: bit,
  pod: id,
  ready: bit,
});

const launcher = fields<Launcher>({ uid: id, owner: id, side, node: small, ending: bit });

const client = fields<Client>({
  uid: id,
  copy: id,
  phase: oneOf('Pending', 'Running', 'Succeeded', 'Failed'),
  deleting: bit,
});

const pods = fields<Pods>({ source: maybe(launcher), target: maybe(launcher), clients: list(maybe(client)) });

const server = fields<Server>({
  uid: id,
  phase: oneOf('Pending', 'Running', 'Failed'),
  reachable: bit,
  deleting: bit,
  mounts: list(bit),
});

export const recCodec = fields<Rec>({
  live: maybe(
    fields<NonNullable<Rec['live']>>({ vmi: id, generation: id, known: list(id), attempt: small, endSeen: bit }),
  ),
  over: maybe(fields<NonNullable<Rec['over']>>({ vmi: id, vmim: id })),
  offline: maybe(
    fields<NonNullable<Rec['offline']>>({
      id,
      offSince: id,
      copied: list(bit),
      failures: list(fields<{ disk: number; count: number; pod: number }>({ disk: small, count: small, pod: id })),
    }),
  ),
  cutOver: id,
  gaveUp: oneOf('', 'LiveMigrationFailing', 'LiveMigrationUndone', 'PeerSilent', 'RestartRequired'),
  completed: oneOf('', 'Live', 'Offline'),
  seenOnTarget: bit,
});

const content = oneOf('current', 'old', 'partial');

const namer = oneOf('person', 'startLive', 'cutOver', 'repair', 'revert', 'lateRevert');

const machine = fields<Machine>({
  vm: watched(vm),
  vmi: watched(instances),
  vmims: watched(list(vmim)),
  pods: watched(pods),
  rec: watched(maybe(recCodec)),
  guest: oneOf('', 'source', 'target'),
  a: content,
  b: list(content),
  torn: list(bit),
  namedBy: namer,
  booted: namer,
  cached: oneOf('', 'A', 'B'),
  cachedNamedBy: namer,
  unannounced: bit,
  quiet: bit,
  unseenVm: bit,
  unseenRec: bit,
  unseenPods: bit,
  landed: oneOf('', 'vm', 'rec', 'pods'),
  failures: small,
});

const migration = fields<Migration>({ finalizer: bit, deleting: bit, gone: bit });

const vmPatch = fields<VmPatch>({
  name: oneOf('startLive', 'revert', 'repair', 'cutOver'),
  version: id,
  from: side,
  to: side,
  update: oneOf('', 'Migration', 'Replacement'),
  sawSwitchOver: bit,
});

const late = fields<Late>({
  machine: small,
  orphan: bit,
  vm: maybe(vmPatch),
  rec: maybe(fields<{ before: Rec | undefined; after: Rec }>({ before: maybe(recCodec), after: recCodec })),
  client: maybe(fields<{ disk: number; copy: number }>({ disk: small, copy: id })),
  server: maybe(list(bit)),
});

export const worldCodec: Codec<World> = fields<World>({
  machines: list(machine),
  server: watched(maybe(server)),
  migration: watched(migration),
  unseenServer: bit,
  late: maybe(late),
  acts: small,
  faults: small,
  restarted: bit,
});

/** What the daemon has before it of one machine when it decides. */
export interface Sight {
  vm: Vm;
  vmi: Instances;
  vmims: Vmim[];
  pods: Pods;
  rec: Rec | undefined;
}

export const sightCodec = fields<Sight>({ vm, vmi: instances, vmims: list(vmim), pods, rec: maybe(recCodec) });

/** What it has before it of a whole migration. */
export interface GroupSight {
  machines: Sight[];
  server: Server | undefined;
  migration: Migration;
  /** By machine: whether something may be started for it. */
  clear: boolean[];
}

export const groupSightCodec = fields<GroupSight>({
  machines: list(sightCodec),
  server: maybe(server),
  migration,
  clear: list(bit),
});

/** What the daemon has before it when it decides about one machine. */
export interface MachineSight extends Sight {
  server: Server | undefined;
  migration: Migration;
  /** uids of copy pods of other machines of the group that are being deleted. */
  ending: number[];
  clear: boolean;
  quiet: boolean;
}

export const machineSightCodec = fields<MachineSight>({
  vm,
  vmi: instances,
  vmims: list(vmim),
  pods,
  rec: maybe(recCodec),
  server: maybe(server),
  migration,
  ending: list(id),
  clear: bit,
  quiet: bit,
});
