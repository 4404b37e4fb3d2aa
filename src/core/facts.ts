// What is true of one machine of a StorageMigration right now, as small unions instead of raw objects. Everything the
// daemon decides is decided from these; nothing in here remembers what just happened (style: level-triggered).
import { type Guest, guestOf } from './guest.ts';
import { hasEnded } from './hasEnded.ts';
import { type LauncherSide, launcherSideOf } from './launcherSide.ts';
import type {
  KubeVirtSettings,
  PersistentVolumeClaim,
  Pod,
  StorageMigration,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from './objects.ts';
import type { MigrationRecord, VirtualMachineSpec } from './storageMigration.ts';
import { type SwitchOver, switchOverOf } from './switchOver.ts';
import { type SpecSide, specSideOf } from './volumes.ts';

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

const isCopyPod = (pod: Pod): boolean => pod.role === 'copyServer' || pod.role === 'copyClient';

/** Whether an unfinished VMIM may still change something. */
export const isUnfinished = (attempt: VirtualMachineInstanceMigration): boolean =>
  attempt.phase !== 'Succeeded' && attempt.phase !== 'Failed';

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
