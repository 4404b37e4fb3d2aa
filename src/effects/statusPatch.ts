// The JSON patch that turns one status of a StorageMigration into another: only what changed travels, and it lands
// only on the version it was made for. Pure.
import { isSame } from '../core/isSame.ts';
import type { StorageMigration } from '../core/objects.ts';
import type { StorageMigrationStatus, VirtualMachineStatus } from '../core/storageMigration.ts';
import type { JsonPatchOperation } from '../kube/api.ts';

const machineOperations = (
  before: readonly VirtualMachineStatus[],
  after: readonly VirtualMachineStatus[],
): readonly JsonPatchOperation[] => {
  const sameNames = before.length === after.length && before.every((entry, index) => entry.name === after[index]?.name);
  if (!sameNames) return [{ op: 'add', path: '/status/virtualMachines', value: after }];
  return after.flatMap((entry, index): readonly JsonPatchOperation[] =>
    isSame(entry, before[index]) ? [] : [{ op: 'replace', path: `/status/virtualMachines/${index}`, value: entry }],
  );
};

/** The operations; none when nothing changed. */
export const statusPatch = (
  migration: StorageMigration,
  after: StorageMigrationStatus,
): readonly JsonPatchOperation[] => {
  const before = migration.status;
  const guard: JsonPatchOperation = { op: 'test', path: '/metadata/resourceVersion', value: migration.resourceVersion };
  if (before === undefined) return [guard, { op: 'add', path: '/status', value: after }];
  const { virtualMachines: machinesBefore = [], ...restBefore } = before;
  const { virtualMachines: machinesAfter = [], ...restAfter } = after;
  const fields = Object.entries(restAfter).flatMap(([name, value]): readonly JsonPatchOperation[] =>
    isSame(value, restBefore[name as keyof typeof restBefore]) ? [] : [{ op: 'add', path: `/status/${name}`, value }],
  );
  const changes = [...fields, ...machineOperations(machinesBefore, machinesAfter)];
  return changes.length === 0 ? [] : [guard, ...changes];
};
