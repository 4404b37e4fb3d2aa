// The fields that are kept of each kind of object, and nothing else: what a store holds and facts are made of.
// kube/project.ts makes these from what the API server sends. All are plain data and never changed once made.

import type { StorageMigrationSpec, StorageMigrationStatus } from './storageMigration.ts';

/** What is common to every object that is kept. */
export interface Kept {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** A deletionTimestamp is set: the object is on its way out, its finalizers still hold it. */
  readonly deleting: boolean;
}

/** `spec.running: true` reads as Always and `false` as Halted (contract §6). */
export type RunStrategy = 'Always' | 'Halted' | 'Manual' | 'RerunOnFailure' | 'Once' | 'WaitAsReceiver' | 'Unknown';

/** A JSON object exactly as the server sent it, kept so that a revert can restore it to the letter. */
export type Verbatim = Readonly<Record<string, unknown>>;

export interface VirtualMachine extends Kept {
  /** `metadata.generation`: goes up with every change of spec. */
  readonly generation: number;
  readonly runStrategy: RunStrategy;
  /** `status.runStrategy`: the strategy KubeVirt acted on last; empty before it did. */
  readonly actedRunStrategy: string;
  /** `status.stateChangeRequests`, in order: the first is the one under way. */
  readonly requests: readonly ('Start' | 'Stop')[];
  /** `status.created`: KubeVirt says that the VMI object exists. */
  readonly created: boolean;
  readonly updateVolumesStrategy: string;
  /** `spec.template.spec.volumes`, verbatim. */
  readonly volumes: readonly Verbatim[];
  /** `spec.dataVolumeTemplates`, verbatim. */
  readonly dataVolumeTemplates: readonly Verbatim[];
  /** Volume names of disks that KubeVirt will not move live: shareable, LUN, virtiofs (contract §1.3). */
  readonly immovable: readonly { readonly volume: string; readonly why: 'shareable' | 'lun' | 'virtiofs' }[];
  /** Message of condition RestartRequired while it is True. */
  readonly restartRequired: string | undefined;
  /** Condition ManualRecoveryRequired is True. Best effort on KubeVirt's side: shown, never relied on. */
  readonly manualRecoveryRequired: boolean;
  /**
   * Since when nothing has commanded a start of this VM: the resourceVersion of the first version in an unbroken run
   * of versions in which KubeVirt could not have started it (Halted, or Manual / RerunOnFailure with no queued request)
   * and in which `created` never turned from false to true. Absent while a start is possible. It does not say that the
   * VM is off: it may still be ending. Made by the store's fold, because a snapshot may skip versions (law 5).
   */
  readonly offSince: string | undefined;
  /** Clock reading, in ms, when this daemon saw that run of versions begin. */
  readonly offSinceMs: number | undefined;
}

export type VmiPhase =
  | 'Unset'
  | 'Pending'
  | 'Scheduling'
  | 'Scheduled'
  | 'Running'
  | 'Succeeded'
  | 'Failed'
  | 'Unknown'
  | 'WaitingForSync';

/** `status.migrationState` of a VMI or a VMIM (contract §2.4). Timestamps are verbatim, empty when not set. */
export interface MigrationState {
  readonly migrationUid: string;
  readonly sourceNode: string;
  readonly sourcePod: string;
  readonly targetNode: string;
  readonly targetPod: string;
  readonly startTimestamp: string;
  readonly endTimestamp: string;
  /** Set from the moment the guest runs on the target: the point of no return. */
  readonly targetNodeDomainReadyTimestamp: string;
  readonly completed: boolean;
  readonly failed: boolean;
  readonly failureReason: string;
  /** `PreCopy`, `PostCopy`, `Paused`, or empty. After a failed post-copy neither claim is whole (contract §4.3). */
  readonly mode: string;
}

export interface VirtualMachineInstance extends Kept {
  readonly phase: VmiPhase;
  readonly nodeName: string;
  /** Condition Ready: its status, and the reason when it is False. */
  readonly ready: boolean;
  readonly readyReason: string;
  readonly paused: boolean;
  /** Volume name and claim of `spec.volumes`; names B from the first second of a live migration (contract §0.1). */
  readonly claims: readonly { readonly volume: string; readonly claim: string }[];
  readonly migratedVolumes: readonly { readonly volume: string; readonly source: string; readonly target: string }[];
  /** Condition VolumesChange: absent, or its status with reason and message. */
  readonly volumesChange: { readonly status: string; readonly reason: string; readonly message: string } | undefined;
  readonly migrationState: MigrationState | undefined;
}

export interface VirtualMachineInstanceMigration extends Kept {
  readonly vmiName: string;
  readonly phase: string;
  readonly createdAt: string;
  readonly migrationState: MigrationState | undefined;
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

/** What a pod is to us. `copyServer` and `copyClient` carry our labels. */
export type PodRole = 'launcher' | 'hotplug' | 'copyServer' | 'copyClient' | 'other';

/** Only pods that mount a claim are kept, and those with our labels, and virt-launchers. */
export interface Pod extends Kept {
  readonly phase: PodPhase;
  readonly role: PodRole;
  readonly nodeName: string;
  readonly claims: readonly string[];
  /** uid of the controlling owner: the VMI of a launcher, the launcher of a hotplug pod. */
  readonly ownerUid: string;
  readonly ready: boolean;
  /** Our label: uid of the StorageMigration a copy pod belongs to. Empty for others. */
  readonly migrationUid: string;
  /** Our annotation on copy pods: the VM a client copies for, or the VM of a server of its own; empty otherwise. */
  readonly vmName: string;
  /** Our annotation on a client: the volume it copies. */
  readonly volumeName: string;
  /** Our annotation on a client: the copy (`record.offline.id`) it was started for. */
  readonly copyId: string;
  /** Exit code and termination message of the first container, once it ended. */
  readonly ended: { readonly exitCode: number; readonly message: string } | undefined;
  /** metadata.creationTimestamp of a copy pod; empty for others. */
  readonly createdAt: string;
  /** metadata.deletionTimestamp of a copy pod: when it is to be gone at the latest; empty unless it is being deleted. */
  readonly goneBy: string;
  /** `status.podIP` of a copy pod: where its server is reached; empty before it has one. */
  readonly address: string;
  /** Our annotation on a copy server: the Secret with the keys of its group. */
  readonly keys: string;
  /** Why the pod is not running yet, in the scheduler's or kubelet's own words; empty when there is nothing to say. */
  readonly trouble: string;
}

export interface PersistentVolumeClaim extends Kept {
  readonly phase: string;
  readonly storageClassName: string;
  readonly volumeMode: 'Filesystem' | 'Block';
  readonly accessModes: readonly string[];
  /** The DataVolume that owns the claim: it must be deleted instead of the claim (contract §8). */
  readonly dataVolume: { readonly name: string; readonly uid: string } | undefined;
  readonly requestedBytes: number;
  /** `status.capacity.storage`, 0 until bound. */
  readonly capacityBytes: number;
}

/** The KubeVirt custom resource: the settings without which nothing migrates (contract §1.2). */
export interface KubeVirtSettings extends Kept {
  readonly rolloutStrategy: string;
  readonly workloadUpdateMethods: readonly string[];
  readonly phase: string;
  /** `status.observedKubeVirtVersion`, empty when not reported. */
  readonly version: string;
}

/** A StorageMigration whose spec passed the schema. */
export interface StorageMigration extends Kept {
  readonly generation: number;
  readonly createdAt: string;
  readonly finalizers: readonly string[];
  readonly spec: StorageMigrationSpec;
  readonly status: StorageMigrationStatus | undefined;
}
