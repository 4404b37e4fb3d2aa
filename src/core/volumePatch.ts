// The three patches that Transship ever sends to a virtual machine, as JSON patches. Each carries volumes,
// dataVolumeTemplates and updateVolumesStrategy at once (contract §0.8) and begins with the tests that keep it from
// landing on a machine that is not the one it was decided for. Pure; sent by effects/execute.ts.
import type { Verbatim, VirtualMachine } from './objects.ts';
import type { MigrationRecord, RecordedDisk } from './storageMigration.ts';
import { isHotplugged, templateName, volumeName } from './volumes.ts';

/** One operation of a JSON patch (RFC 6902), as the port takes it. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

const volumesPath = '/spec/template/spec/volumes';
const templatesPath = '/spec/dataVolumeTemplates';
const strategyPath = '/spec/updateVolumesStrategy';

/** A disk named as `dataVolume` becomes a plain claim: nothing then depends on a DataVolume for B (contract §8). */
const entryOnTarget = (disk: RecordedDisk): Verbatim => ({
  name: disk.volume,
  persistentVolumeClaim: { claimName: disk.target, ...(isHotplugged(disk.entry) ? { hotpluggable: true } : {}) },
});

const volumesOn = (machine: VirtualMachine, record: MigrationRecord, side: 'source' | 'target'): readonly Verbatim[] =>
  machine.volumes.map((entry) => {
    const disk = record.disks.find((candidate) => candidate.volume === volumeName(entry));
    if (disk === undefined) return entry;
    return side === 'source' ? disk.entry : entryOnTarget(disk);
  });

const templatesOn = (
  machine: VirtualMachine,
  record: MigrationRecord,
  side: 'source' | 'target',
): readonly Verbatim[] => {
  const ours = record.disks.flatMap((disk) => (disk.template === undefined ? [] : [disk.template]));
  const ourNames = new Set(ours.map(templateName));
  const others = machine.dataVolumeTemplates.filter((template) => !ourNames.has(templateName(template)));
  if (side === 'target') return others;
  const missing = ours.filter((ourTemplate) =>
    machine.dataVolumeTemplates.every((template) => templateName(template) !== templateName(ourTemplate)),
  );
  return [...machine.dataVolumeTemplates, ...missing];
};

const templateOperations = (machine: VirtualMachine, wanted: readonly Verbatim[]): readonly PatchOperation[] => {
  const present = machine.dataVolumeTemplates;
  if (wanted.length === present.length) return [];
  if (present.length === 0) return [{ op: 'add', path: templatesPath, value: wanted }];
  const test: PatchOperation = { op: 'test', path: templatesPath, value: present };
  return wanted.length === 0
    ? [test, { op: 'remove', path: templatesPath }]
    : [test, { op: 'replace', path: templatesPath, value: wanted }];
};

const patchTo = (
  machine: VirtualMachine,
  record: MigrationRecord,
  side: 'source' | 'target',
  guards: readonly PatchOperation[],
  strategy: string | undefined,
): readonly PatchOperation[] => [
  { op: 'test', path: '/metadata/uid', value: record.vmUid },
  ...guards,
  { op: 'test', path: volumesPath, value: machine.volumes },
  { op: 'replace', path: volumesPath, value: volumesOn(machine, record, side) },
  ...templateOperations(machine, templatesOn(machine, record, side)),
  ...(strategy === undefined ? [] : [{ op: 'add', path: strategyPath, value: strategy } as const]),
];

/**
 * Names B in the machine with strategy Migration: starts a live migration of a running machine, cuts a stopped one
 * over. Lands only on the very version it was decided for (law 5, contract §4.6).
 */
export const patchToTarget = (machine: VirtualMachine, record: MigrationRecord): readonly PatchOperation[] =>
  patchTo(
    machine,
    record,
    'target',
    [{ op: 'test', path: '/metadata/resourceVersion', value: machine.resourceVersion }],
    'Migration',
  );

/**
 * Names A again and restores every entry to the letter: the way to cancel (contract §3). Guarded by the volumes
 * alone, so that KubeVirt's own status writes cannot delay it (law 9); the strategy is left as it is.
 */
export const patchToSource = (machine: VirtualMachine, record: MigrationRecord): readonly PatchOperation[] =>
  patchTo(machine, record, 'source', [], undefined);

/**
 * Names B in a machine whose guest has already switched over while the spec says A. Strategy Replacement: with
 * Migration the same patch would start a new copy onto the disk in use (contract §3). With Migration it cancels the
 * copy from B to A that KubeVirt begins when a guest was booted on B and its VM then put back on A.
 */
export const patchRepair = (
  machine: VirtualMachine,
  record: MigrationRecord,
  strategy: 'Replacement' | 'Migration' = 'Replacement',
): readonly PatchOperation[] => patchTo(machine, record, 'target', [], strategy);
