// The KubeVirt objects as the simulated KubeVirt reads and writes them: only the fields it acts on are typed, all others
// are carried along. Objects come frozen out of the API server; a change is a new object that shares what did not change.
import type { KubeMetadata, KubeObject } from '../../kube/api.ts';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly hotpluggable?: boolean };
  readonly dataVolume?: { readonly name: string; readonly hotpluggable?: boolean };
  readonly [field: string]: unknown;
}

export interface Disk {
  readonly name: string;
  readonly shareable?: boolean;
  readonly lun?: unknown;
  readonly [field: string]: unknown;
}

/** `spec.template.spec` of a VM and `spec` of a VMI. */
export interface GuestSpec {
  readonly volumes?: readonly Volume[];
  readonly domain?: {
    readonly devices?: {
      readonly disks?: readonly Disk[];
      readonly filesystems?: readonly { readonly name: string }[];
    };
    readonly [field: string]: unknown;
  };
  readonly terminationGracePeriodSeconds?: number;
  readonly startStrategy?: string;
  readonly [field: string]: unknown;
}

export interface ClaimInfo {
  readonly claimName: string;
  readonly volumeMode?: unknown;
  readonly accessModes?: unknown;
  readonly requests?: unknown;
  readonly capacity?: unknown;
}

export interface MigratedVolume {
  readonly volumeName: string;
  readonly sourcePVCInfo: ClaimInfo;
  readonly destinationPVCInfo: ClaimInfo;
}

export interface StateChangeRequest {
  readonly action: 'Start' | 'Stop';
  readonly uid?: string;
  readonly data?: Readonly<Record<string, string>>;
}

export interface VmStatus {
  readonly created?: boolean;
  readonly ready?: boolean;
  readonly printableStatus?: string;
  readonly runStrategy?: string;
  readonly desiredGeneration?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly stateChangeRequests?: readonly StateChangeRequest[];
  readonly volumeUpdateState?: {
    readonly volumeMigrationState?: { readonly migratedVolumes: readonly MigratedVolume[] };
  };
  readonly startFailure?: {
    readonly consecutiveFailCount: number;
    readonly lastFailedVMIUID: string;
    readonly retryAfterTimestamp: string;
  };
  readonly [field: string]: unknown;
}

export interface DataVolumeTemplate {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}

export interface VmSpec {
  readonly running?: boolean;
  readonly runStrategy?: string;
  readonly updateVolumesStrategy?: string;
  readonly dataVolumeTemplates?: readonly DataVolumeTemplate[];
  readonly template: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec: GuestSpec;
  };
  readonly [field: string]: unknown;
}

interface Known extends KubeObject {
  readonly metadata: KubeMetadata & { readonly uid: string; readonly namespace: string };
}

export interface Vm extends Known {
  readonly spec: VmSpec;
  readonly status?: VmStatus;
}

export interface VmiMigrationState {
  readonly migrationUid?: string;
  readonly sourceNode?: string;
  readonly sourcePod?: string;
  readonly targetNode?: string;
  readonly targetPod?: string;
  readonly targetNodeAddress?: string;
  readonly targetAttachmentPodUID?: string;
  readonly startTimestamp?: string;
  readonly endTimestamp?: string;
  readonly targetNodeDomainDetected?: boolean;
  readonly targetNodeDomainReadyTimestamp?: string;
  readonly completed?: boolean;
  readonly failed?: boolean;
  readonly failureReason?: string;
  readonly abortRequested?: boolean;
  readonly abortStatus?: string;
  readonly [field: string]: unknown;
}

export interface VolumeStatus {
  readonly name: string;
  readonly target: string;
  readonly persistentVolumeClaimInfo?: ClaimInfo;
  readonly [field: string]: unknown;
}

export interface VmiStatus {
  readonly phase?: string;
  readonly nodeName?: string;
  readonly conditions?: readonly Condition[];
  readonly activePods?: Readonly<Record<string, string>>;
  readonly migratedVolumes?: readonly MigratedVolume[];
  readonly migrationState?: VmiMigrationState;
  readonly volumeStatus?: readonly VolumeStatus[];
  readonly phaseTransitionTimestamps?: readonly PhaseTransition[];
  readonly virtualMachineRevisionName?: string;
  readonly [field: string]: unknown;
}

export interface PhaseTransition {
  readonly phase: string;
  readonly phaseTransitionTimestamp: string;
}

export interface Vmi extends Known {
  readonly spec: GuestSpec;
  readonly status?: VmiStatus;
}

export interface VmimStatus {
  readonly phase?: string;
  readonly migrationState?: VmiMigrationState;
  readonly conditions?: readonly Condition[];
  readonly phaseTransitionTimestamps?: readonly PhaseTransition[];
  readonly [field: string]: unknown;
}

export interface Vmim extends Known {
  readonly spec: { readonly vmiName: string; readonly priority?: string };
  readonly status?: VmimStatus;
}

export interface PodVolume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly [field: string]: unknown;
}

export interface Pod extends Known {
  readonly spec: {
    readonly nodeName?: string;
    readonly volumes?: readonly PodVolume[];
    readonly terminationGracePeriodSeconds?: number;
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly [field: string]: unknown;
  };
}

export interface Claim extends Known {
  readonly spec: {
    readonly accessModes?: readonly string[];
    readonly volumeMode?: string;
    readonly storageClassName?: string;
    readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
    readonly dataSourceRef?: unknown;
    readonly volumeName?: string;
  };
  readonly status?: { readonly phase?: string; readonly capacity?: Readonly<Record<string, string>> };
}
