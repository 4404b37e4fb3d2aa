// What the simulated KubeVirt asks of its objects again and again: phases, conditions, claims, owners. Pure functions.
import type { KubeObject, OwnerReference } from '../../kube/api.ts';
import { json } from '../apiServer/json.ts';
import type { Condition, Pod, Vm, Vmi, Vmim, Volume } from './objects.ts';

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

/** What an object says of the one that controls it. */
const controlledBy = ({ apiVersion, kind, metadata }: KubeObject): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

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
  controlledBy,
  controllerUid,
  conditionOf,
  hasCondition,
  withCondition,
  withoutCondition,
  without,
  equal,
};
