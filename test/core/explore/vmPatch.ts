// A JSON patch of a VM as the explored world keeps it: its tests and its effects, as far as the world knows them.
import type { VirtualMachine } from '../../../src/core/objects.ts';
import type { PatchOperation } from '../../../src/core/volumePatch.ts';
import { targetOf } from '../builders.ts';
import { diskName, nameOf } from './objects.ts';
import type { VmPatch } from './world.ts';

const sideNamed = (value: unknown, machine: number): 'A' | 'B' =>
  JSON.stringify(value).includes(targetOf(nameOf(machine), diskName(0))) ? 'B' : 'A';

/** The tests and effects of a JSON patch of a VM, as far as the world knows them. */
export const patchOf = (
  name: VmPatch['name'],
  operations: readonly PatchOperation[],
  before: VirtualMachine,
  machine: number,
): VmPatch => {
  const valueAt = (op: string, path: string): unknown => {
    const found = operations.find((operation) => operation.op === op && operation.path === path);
    return found !== undefined && 'value' in found ? found.value : undefined;
  };
  const version = valueAt('test', '/metadata/resourceVersion');
  const volumes = '/spec/template/spec/volumes';
  return {
    name,
    version: version === undefined ? 0 : Number(version),
    from: sideNamed(valueAt('test', volumes) ?? before.volumes, machine),
    to: sideNamed(valueAt('replace', volumes), machine),
    update: (valueAt('add', '/spec/updateVolumesStrategy') ?? before.updateVolumesStrategy) as VmPatch['update'],
    sawSwitchOver: false,
  };
};
