// The KubeVirt objects as the simulated KubeVirt reads and writes them: only the fields it acts on are typed, all others
// are carried along. Objects come frozen out of the API server; a change is a new object that shares what did not change.
import type { KubeMetadata, KubeObject } from '../../kube/api.ts';
import { json } from '../apiServer/json.ts';

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

/** Reads an object of the API server as the kind it is known to be; the server's checks stand in for a schema. */
const as = <T extends KubeObject>(object: KubeObject): T => object as T;
const maybe = <T extends KubeObject>(object: KubeObject | undefined): T | undefined => object as T | undefined;

/** The claim behind a volume of a VM or VMI: a DataVolume's claim has its name (contract §1.1). */
const claimOf = (volume: Volume): string => volume.persistentVolumeClaim?.claimName ?? volume.dataVolume?.name ?? '';

const isHotplug = (volume: Volume): boolean =>
  volume.persistentVolumeClaim?.hotpluggable === true || volume.dataVolume?.hotpluggable === true;

const runStrategyOf = (vm: Vm): string => vm.spec.runStrategy ?? (vm.spec.running === true ? 'Always' : 'Halted');

const isFinal = (vmi: Vmi): boolean => vmi.status?.phase === 'Succeeded' || vmi.status?.phase === 'Failed';
const isRunning = (vmi: Vmi): boolean => vmi.status?.phase === 'Running';
const isUnprocessed = (vmi: Vmi): boolean => (vmi.status?.phase ?? '') === '' || vmi.status?.phase === 'Pending';

/** Started and not ended (contract §2.4): what `printableStatus: Migrating` means. */
const isMigrating = (vmi: Vmi): boolean =>
  vmi.status?.migrationState?.startTimestamp !== undefined && vmi.status.migrationState.endTimestamp === undefined;

const isFinished = (vmim: Vmim): boolean => vmim.status?.phase === 'Succeeded' || vmim.status?.phase === 'Failed';

const isPodDown = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
const isPodDownOrGoingDown = (pod: Pod): boolean => isPodDown(pod) || pod.metadata.deletionTimestamp !== undefined;
const isPodReady = (pod: Pod): boolean =>
  pod.status?.phase === 'Running' && conditionOf(pod.status.conditions, 'Ready')?.status === 'True';

const controllerUid = (object: KubeObject): string | undefined =>
  object.metadata.ownerReferences?.find((owner) => owner.controller === true)?.uid;

const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);

const hasCondition = (conditions: readonly Condition[] | undefined, type: string, status: string): boolean =>
  conditionOf(conditions, type)?.status === status;

/** Replaces the condition of that type in its place, or appends it. The same list if it says so already. */
const withCondition = (conditions: readonly Condition[] | undefined, made: Condition): readonly Condition[] => {
  const list = conditions ?? [];
  const at = list.findIndex((condition) => condition.type === made.type);
  const before = list[at];
  if (before === undefined) return [...list, made];
  const same = before.status === made.status && before.reason === made.reason && before.message === made.message;
  return same ? list : list.with(at, made);
};

const withoutCondition = (conditions: readonly Condition[] | undefined, type: string): readonly Condition[] => {
  const list = conditions ?? [];
  return list.some((condition) => condition.type === type) ? list.filter((condition) => condition.type !== type) : list;
};

/** Leaves fields out instead of setting them to undefined. */
const without = <T extends object, K extends keyof T>(value: T, ...fields: readonly K[]): Omit<T, K> => {
  const copy = { ...value };
  for (const field of fields) delete copy[field];
  return copy;
};

const equal = (left: unknown, right: unknown): boolean => json.equal(left, right);

export const model = {
  as,
  maybe,
  claimOf,
  isHotplug,
  runStrategyOf,
  isFinal,
  isRunning,
  isUnprocessed,
  isMigrating,
  isFinished,
  isPodDown,
  isPodDownOrGoingDown,
  isPodReady,
  controllerUid,
  conditionOf,
  hasCondition,
  withCondition,
  withoutCondition,
  without,
  equal,
};
