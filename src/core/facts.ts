// What is true of one machine of a StorageMigration right now, as small unions instead of raw objects. Everything the
// daemon decides is decided from these; nothing in here remembers what just happened (style: level-triggered).
import { type Guest, guestOf, isFinal } from './guest.ts';
import type {
  KubeVirtSettings,
  MigrationState,
  PersistentVolumeClaim,
  Pod,
  StorageMigration,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from './objects.ts';
import type { MigrationRecord, VirtualMachineSpec } from './storageMigration.ts';
import { claimOf, type SpecSide, specSideOf } from './volumes.ts';

/** The objects that concern one machine, read from the stores at one moment. */
export interface MachineView {
  readonly migration: StorageMigration;
  readonly name: string;
  readonly machine: VirtualMachine | undefined;
  readonly instance: VirtualMachineInstance | undefined;
  /** The last VMI of that name, after it is gone. `gap`: its end was found by a list, so its last words may be missing. */
  readonly lastInstance: { readonly object: VirtualMachineInstance; readonly gap: boolean } | undefined;
  /** VMIMs that name this machine's VMI. */
  readonly attempts: readonly VirtualMachineInstanceMigration[];
  /** Pods that mount one of its claims, and the virt-launchers and hotplug pods of its VMI. */
  readonly pods: readonly Pod[];
  /** Copy pods of the same transfer group that are being deleted, whatever they mount. */
  readonly endingCopyPods: readonly Pod[];
  readonly claim: (name: string) => PersistentVolumeClaim | undefined;
  readonly settings: KubeVirtSettings | undefined;
  /** Other unfinished StorageMigrations that name this machine and came first. */
  readonly rivals: readonly string[];
  /** Other unfinished StorageMigrations that move a disk to the claim and came first. */
  readonly targetRivals: (claim: string) => readonly string[];
  /** Machines, other than this one, whose spec names the claim. */
  readonly otherUsersOf: (claim: string) => readonly string[];
  /** What is wrong with its VM or VMI where they exist but cannot be read; as long as they cannot it is left alone. */
  readonly unreadable: readonly string[];
  /** The same of its claims: nothing is begun with them, but what must end or be undone is (law 3). */
  readonly unreadableClaims: readonly string[];
}

/** What is wanted of the machine: move it, start nothing new, or undo what is not finished. */
export type Goal = 'migrate' | 'pause' | 'cancel';

/** Whether the VM is the one that was accepted. */
export type Identity = 'same' | 'replaced' | 'absent';

/**
 * Whether the guest has switched over to B in the live migration that is recorded.
 * - `no`: certainly not (yet).
 * - `seen`: it has, now or earlier; B is in authority from then on (law 4).
 * - `unknown`: its end was not watched and nothing that is left proves it either way (law 7).
 */
export type SwitchOver =
  | { readonly kind: 'no' }
  | { readonly kind: 'seen'; readonly vmiUid: string; readonly migrationUid: string; readonly at: string }
  | { readonly kind: 'unknown' };

/**
 * On which claims the launcher that runs the guest stands (contract §4.6). `none`: no such pod is seen, or not all of
 * what it mounts: a hotplugged disk comes a moment after the rest. `mixed`: B is under the guest, and not B alone.
 */
export type LauncherSide = 'source' | 'target' | 'mixed' | 'none';

export interface MachineFacts {
  readonly name: string;
  readonly view: MachineView;
  readonly wanted: VirtualMachineSpec | undefined;
  readonly record: MigrationRecord | undefined;
  readonly goal: Goal;
  readonly identity: Identity;
  readonly guest: Guest;
  /** Undefined without a VM or a record. */
  readonly spec: SpecSide | undefined;
  readonly switchOver: SwitchOver;
  readonly launcher: LauncherSide;
  /** The VMI is the one the recorded live migration was begun on. */
  readonly sameInstance: boolean;
  /** VMIMs that are neither Succeeded nor Failed. */
  readonly unfinished: readonly VirtualMachineInstanceMigration[];
  /** VMIMs of the recorded attempt that failed. */
  readonly failedAttempts: number;
  /** Rsync pods of any migration that mount one of its claims; a server counts, and so does one that is ending (law 1). */
  readonly copyPods: readonly Pod[];
  /**
   * Pods that are not of this migration, have not ended, and mount one of its claims; and the virt-launchers of the VMI
   * in any case: a hotplugged disk is under one although only another pod names its claim (contract §2.5).
   */
  readonly foreignPods: readonly Pod[];
  /** Of those, the ones that mount a target claim. While the guest is on A none may (contract §3). */
  readonly podsOnTarget: readonly Pod[];
  /** Nothing can have run the machine since the recorded offline copy was begun (law 5). */
  readonly offSinceCopyBegan: boolean;
}

const hasEnded = (pod: Pod): boolean => pod.phase === 'Succeeded' || pod.phase === 'Failed';

const isCopyPod = (pod: Pod): boolean => pod.role === 'copyServer' || pod.role === 'copyClient';

/** Whether an unfinished VMIM may still change something. */
export const isUnfinished = (attempt: VirtualMachineInstanceMigration): boolean =>
  attempt.phase !== 'Succeeded' && attempt.phase !== 'Failed';

/** Claims under a launcher, those of its hotplug pods included (contract §2.5). */
const claimsUnder = (launcher: Pod, pods: readonly Pod[]): readonly string[] => [
  ...launcher.claims,
  ...pods.flatMap((pod) => (pod.role === 'hotplug' && pod.ownerUid === launcher.uid ? pod.claims : [])),
];

const sideOf = (claims: readonly string[], record: MigrationRecord): LauncherSide => {
  const onSource = record.disks.filter((disk) => claims.includes(disk.source)).length;
  const onTarget = record.disks.filter((disk) => claims.includes(disk.target)).length;
  if (onTarget > 0) return onTarget === record.disks.length && onSource === 0 ? 'target' : 'mixed';
  return onSource === record.disks.length ? 'source' : 'none';
};

/** The launcher that runs the guest: the target's once the guest has switched over, else the one on the VMI's node. */
const activeLauncher = (instance: VirtualMachineInstance, pods: readonly Pod[]): Pod | undefined => {
  const launchers = pods.filter((pod) => pod.role === 'launcher' && pod.ownerUid === instance.uid && !hasEnded(pod));
  const state = instance.migrationState;
  if (state !== undefined && state.targetNodeDomainReadyTimestamp !== '') {
    // Until it is seen none is: one that is left over may stand on the same node.
    return launchers.find((pod) => pod.name === state.targetPod);
  }
  // One on another node may outlive it: that is not the guest's.
  const candidates = launchers.filter(
    (pod) => [pod.nodeName, instance.nodeName].includes('') || pod.nodeName === instance.nodeName,
  );
  return candidates.length === 1 ? candidates[0] : undefined;
};

const launcherSideOf = (view: MachineView, record: MigrationRecord): LauncherSide => {
  if (view.instance === undefined || isFinal(view.instance)) return 'none';
  const launcher = activeLauncher(view.instance, view.pods);
  return launcher === undefined ? 'none' : sideOf(claimsUnder(launcher, view.pods), record);
};

const standsOn = (claims: readonly string[], record: MigrationRecord): 'source' | 'target' | undefined => {
  if (record.disks.some((disk) => claims.includes(disk.target))) return 'target';
  return record.disks.some((disk) => claims.includes(disk.source)) ? 'source' : undefined;
};

/**
 * Whether a migration state of our attempt proves the switch-over. Not every migration that ends during an attempt
 * copies disks: before the patch and after a revert the guest may be moved to another node on A. The target's launcher
 * tells them apart and, once that is gone, claims that only our patch can have named.
 */
const provesSwitchOver = (
  state: MigrationState,
  claims: readonly string[],
  view: MachineView,
  record: MigrationRecord,
): 'yes' | 'no' | 'unclear' => {
  const { live } = record;
  if (live === undefined || live.knownMigrations.includes(state.migrationUid)) return 'no';
  if (state.targetNodeDomainReadyTimestamp === '') return 'no';
  const target = view.pods.find((pod) => pod.name === state.targetPod && pod.role === 'launcher');
  if (target !== undefined && target.ownerUid !== live.vmiUid) return 'no';
  const side = target === undefined ? undefined : standsOn(claimsUnder(target, view.pods), record);
  if (side !== undefined) return side === 'target' ? 'yes' : 'no';
  if (standsOn(claims, record) === 'target') return 'yes';
  return view.machine?.generation === live.vmGeneration ? 'no' : 'unclear';
};

const switchOverOf = (view: MachineView, record: MigrationRecord, spec: SpecSide | undefined): SwitchOver => {
  if (record.switchedOver !== undefined) return { kind: 'seen', ...record.switchedOver };
  const live = record.live;
  if (live === undefined || live.endedAt !== undefined) return { kind: 'no' };
  const ofInstance = (object: VirtualMachineInstance | undefined) => ({
    state: object?.uid === live.vmiUid ? object.migrationState : undefined,
    claims: object?.claims.map(({ claim }) => claim) ?? [],
  });
  const words = [
    ofInstance(view.instance),
    ofInstance(view.lastInstance?.object),
    ...view.attempts.map((attempt) => ({
      state: attempt.migrationState,
      claims: claimsAfter(attempt, view, live),
    })),
  ];
  let unclear = false;
  for (const { state, claims } of words) {
    if (state === undefined) continue;
    const proof = provesSwitchOver(state, claims, view, record);
    if (proof === 'unclear') unclear = true;
    if (proof !== 'yes') continue;
    const { migrationUid, targetNodeDomainReadyTimestamp: at } = state;
    return { kind: 'seen', vmiUid: live.vmiUid, migrationUid, at };
  }
  if (unclear) return isVouchedFor(view, spec) ? { kind: 'no' } : { kind: 'unknown' };
  if (view.instance?.uid === live.vmiUid) return { kind: 'no' };
  if (view.lastInstance?.object.uid === live.vmiUid && !view.lastInstance.gap) return { kind: 'no' };
  // The end of that VMI was not watched. It decides nothing if the patch never landed.
  if (spec === 'source' && view.machine?.generation === live.vmGeneration) return { kind: 'no' };
  return isVouchedFor(view, spec) ? { kind: 'no' } : { kind: 'unknown' };
};

/**
 * Claims that were named after a VMIM had ended, which names none itself. Those of the VM may be older than a revert
 * that was just sent; a VMI counts from the moment that it has gone on to a later migration.
 */
const claimsAfter = (
  attempt: VirtualMachineInstanceMigration,
  view: MachineView,
  live: NonNullable<MigrationRecord['live']>,
): readonly string[] => {
  // VMIMs go with their VMI: where there is another one, it is that one's.
  if (view.instance !== undefined && view.instance.uid !== live.vmiUid) return [];
  const instance = [view.instance, view.lastInstance?.object].find((object) => object?.uid === live.vmiUid);
  if (instance === undefined) return view.machine?.volumes.map(claimOf) ?? [];
  const latest = instance.migrationState?.migrationUid ?? '';
  const hasGoneOn = latest !== '' && latest !== attempt.uid && !live.knownMigrations.includes(latest);
  return hasGoneOn ? instance.claims.map(({ claim }) => claim) : [];
};

/** A person has taken the strategy away from Migration and so vouches for A, as KubeVirt reads it too (contract §4.2). */
const isVouchedFor = (view: MachineView, spec: SpecSide | undefined): boolean =>
  spec === 'source' && view.machine !== undefined && view.machine.updateVolumesStrategy !== 'Migration';

const goalOf = (
  view: MachineView,
  wanted: VirtualMachineSpec | undefined,
  record: MigrationRecord | undefined,
): Goal => {
  if (view.migration.deleting || wanted === undefined) return 'cancel';
  if (record !== undefined && record.completed === undefined && !asksForTheSame(wanted, record)) return 'cancel';
  return view.migration.spec.paused ? 'pause' : 'migrate';
};

const asksForTheSame = (wanted: VirtualMachineSpec, record: MigrationRecord): boolean =>
  wanted.volumes.length === record.disks.length &&
  wanted.volumes.every((volume) =>
    record.disks.some((disk) => disk.volume === volume.name && disk.target === volume.target.claimName),
  );

const identityOf = (view: MachineView, record: MigrationRecord | undefined): Identity => {
  if (view.machine === undefined) return 'absent';
  return record === undefined || record.vmUid === view.machine.uid ? 'same' : 'replaced';
};

const offSinceCopyBegan = (machine: VirtualMachine | undefined, record: MigrationRecord | undefined): boolean => {
  const offline = record?.offline;
  if (machine?.offSince === undefined || offline === undefined) return false;
  return machine.offSince === offline.offSince || machine.offSince === offline.id;
};

/** Derives the facts of one machine from its view. */
export const factsOf = (view: MachineView): MachineFacts => {
  const { machine, instance } = view;
  const wanted = view.migration.spec.virtualMachines.find((candidate) => candidate.name === view.name);
  const record = view.migration.status?.virtualMachines?.find((entry) => entry.name === view.name)?.record;
  const spec = machine === undefined || record === undefined ? undefined : specSideOf(machine, record);
  const claims = new Set(record?.disks.flatMap((disk) => [disk.source, disk.target]));
  const targets = new Set(record?.disks.map((disk) => disk.target));
  const onClaims = view.pods.filter((pod) => pod.claims.some((claim) => claims.has(claim)));
  const isOurs = (pod: Pod): boolean => isCopyPod(pod) && pod.migrationUid === view.migration.uid;
  const isLauncher = ({ ownerUid }: Pod): boolean => instance !== undefined && ownerUid === instance.uid;
  const foreignPods = view.pods.filter(
    (pod) => (onClaims.includes(pod) || isLauncher(pod)) && !isOurs(pod) && !hasEnded(pod),
  );
  const known = record?.live?.knownMigrations ?? [];
  return {
    name: view.name,
    view,
    wanted,
    record,
    goal: goalOf(view, wanted, record),
    identity: identityOf(view, record),
    guest: guestOf(machine, instance),
    spec,
    switchOver: record === undefined ? { kind: 'no' } : switchOverOf(view, record, spec),
    launcher: record === undefined ? 'none' : launcherSideOf(view, record),
    sameInstance: instance !== undefined && instance.uid === record?.live?.vmiUid,
    unfinished: view.attempts.filter(isUnfinished),
    failedAttempts: view.attempts.filter((attempt) => attempt.phase === 'Failed' && !known.includes(attempt.uid))
      .length,
    copyPods: onClaims.filter(isCopyPod),
    foreignPods,
    podsOnTarget: foreignPods.filter((pod) => pod.claims.some((claim) => targets.has(claim))),
    offSinceCopyBegan: offSinceCopyBegan(machine, record),
  };
};
