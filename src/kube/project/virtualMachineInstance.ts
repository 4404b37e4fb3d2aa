// VirtualMachineInstance as it is kept: what runs, where, on which claims, and how its migration stands.
import type { VirtualMachineInstance, VmiPhase } from '../../core/objects.ts';
import { condition, entries, type Fields, projection, requiredText, section, share, text } from './fields.ts';
import { migrationStateOf } from './migrationState.ts';

const phases: ReadonlySet<string> = new Set<VmiPhase>([
  'Pending',
  'Scheduling',
  'Scheduled',
  'Running',
  'Succeeded',
  'Failed',
  'Unknown',
  'WaitingForSync',
]);

/** A phase that a later KubeVirt may add reads as Unknown, in which nothing is started. */
const phaseOf = (status: Fields): VmiPhase => {
  const phase = text(status, 'phase', 'status');
  if (phase === '') return 'Unset';
  return phases.has(phase) ? (share(phase) as VmiPhase) : 'Unknown';
};

/** A DataVolume's claim has the DataVolume's name (contract §1.1). */
const claimsOf = (spec: Fields): VirtualMachineInstance['claims'] =>
  entries(spec, 'volumes', 'spec').flatMap((volume, index) => {
    const at = `spec.volumes[${index}]`;
    const claim =
      text(section(volume, 'persistentVolumeClaim', at), 'claimName', `${at}.persistentVolumeClaim`) ||
      text(section(volume, 'dataVolume', at), 'name', `${at}.dataVolume`);
    return claim === '' ? [] : [{ volume: share(requiredText(volume, 'name', at)), claim }];
  });

const migratedVolumesOf = (status: Fields): VirtualMachineInstance['migratedVolumes'] =>
  entries(status, 'migratedVolumes', 'status').map((migrated, index) => {
    const at = `status.migratedVolumes[${index}]`;
    return {
      volume: requiredText(migrated, 'volumeName', at),
      source: text(section(migrated, 'sourcePVCInfo', at), 'claimName', `${at}.sourcePVCInfo`),
      target: text(section(migrated, 'destinationPVCInfo', at), 'claimName', `${at}.destinationPVCInfo`),
    };
  });

export const projectVirtualMachineInstance = projection<VirtualMachineInstance>(
  'VirtualMachineInstance',
  (raw, identity) => {
    const spec = section(raw, 'spec', '');
    const status = section(raw, 'status', '');
    const ready = condition(status, 'Ready');
    return {
      ...identity,
      phase: phaseOf(status),
      nodeName: share(text(status, 'nodeName', 'status')),
      ready: ready?.status === 'True',
      readyReason: ready?.status === 'False' ? share(ready.reason) : '',
      paused: condition(status, 'Paused')?.status === 'True',
      claims: claimsOf(spec),
      migratedVolumes: migratedVolumesOf(status),
      volumesChange: condition(status, 'VolumesChange'),
      migrationState: migrationStateOf(status),
    };
  },
);
