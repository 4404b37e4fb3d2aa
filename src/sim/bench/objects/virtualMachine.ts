// The VM of a machine as a cluster in use holds it: running, and with its volumes patched if a live migration is under
// way.
import type { KubeObject } from '../../../kube/api.ts';
import { resources } from '../../../kube/resources.ts';
import { disksOf, type Machine, templateOf } from '../machine.ts';
import { migratedVolumes } from './migratedVolumes.ts';
import { objectOf, runningWell } from './parts.ts';
import { templateSpec } from './templateSpec.ts';

export const virtualMachine = (machine: Machine): KubeObject => {
  const { name, namespace, migrating } = machine;
  const metadata = {
    name,
    namespace,
    labels: { app: name, 'vm.kubevirt.io/template': 'fedora-server-small' },
    annotations: {
      'kubevirt.io/latest-observed-api-version': 'v1',
      'kubevirt.io/storage-observed-api-version': 'v1',
      'vm.kubevirt.io/validations': '[{"name":"minimal-required-memory","rule":"integer","min":1073741824}]',
    },
    finalizers: ['kubevirt.io/virtualMachineControllerFinalize'],
  };
  const spec = {
    runStrategy: 'Always',
    ...(migrating ? { updateVolumesStrategy: 'Migration' } : { dataVolumeTemplates: [templateOf(machine)] }),
    template: {
      metadata: { labels: { app: name, 'kubevirt.io/size': 'small' }, annotations: { 'vm.kubevirt.io/os': 'fedora' } },
      spec: templateSpec(machine),
    },
  };
  const status = {
    conditions: [...runningWell],
    created: true,
    desiredGeneration: 1,
    observedGeneration: 1,
    printableStatus: migrating ? 'Migrating' : 'Running',
    ready: true,
    runStrategy: 'Always',
    volumeSnapshotStatuses: disksOf(machine).map(({ volume }) => ({ enabled: true, name: volume })),
    ...(migrating
      ? { volumeUpdateState: { volumeMigrationState: { migratedVolumes: migratedVolumes(machine) } } }
      : {}),
  };
  return objectOf(resources.virtualMachines, metadata, { spec, status });
};
