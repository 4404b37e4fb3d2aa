// The VMIM of a live migration that is under way, as KubeVirt's workload updater makes it and its controllers fill it in.
import type { KubeObject } from '../../../kube/api.ts';
import { resources } from '../../../kube/resources.ts';
import type { Machine } from '../machine.ts';
import { objectOf, since } from './parts.ts';

export const migrationAttempt = ({ name, namespace }: Machine): KubeObject => {
  const metadata = {
    name: `kubevirt-workload-update-${name}`,
    namespace,
    labels: { 'kubevirt.io/vmi-name': name, 'kubevirt.io/volume-update-migration': name },
    annotations: { 'kubevirt.io/workloadUpdateMigration': '' },
    finalizers: ['kubevirt.io/migrationJobFinalize'],
  };
  const phases = ['Pending', 'Scheduling', 'Scheduled', 'PreparingTarget', 'TargetReady', 'Running'];
  const status = {
    phase: 'Running',
    phaseTransitionTimestamps: phases.map((phase) => ({ phase, phaseTransitionTimestamp: since })),
  };
  const spec = { priority: 'user-triggered', vmiName: name };
  return objectOf(resources.virtualMachineInstanceMigrations, metadata, { spec, status });
};
