// DataVolumes as far as a VM's start depends on them (contract §8): virt-controller makes one for each template entry
// that has none, with the annotation that lets it adopt a claim of its name; a VM that is not halted waits for them.
import { resources } from '../../kube/resources.ts';
import { virtController } from './context.ts';
import { dataVolumes } from './kinds.ts';
import { model } from './model.ts';
import type { VmPass } from './vmPass.ts';

const ready = new Set(['Succeeded', 'WaitForFirstConsumer', 'PendingPopulation']);

const phaseOf = (status: unknown): string => (status as { readonly phase?: string } | undefined)?.phase ?? '';

/** Creates what is missing and says whether all DataVolumes of the VM's templates are ready. */
export const dataVolumesReady = ({ vm, context }: VmPass): boolean => {
  const { server } = context;
  const { namespace } = vm.metadata;
  let all = true;
  for (const { metadata, spec } of vm.spec.dataVolumeTemplates ?? []) {
    const existing = server.read(dataVolumes, { namespace, name: metadata.name });
    if (existing !== undefined) {
      all &&= ready.has(phaseOf(existing['status']));
      continue;
    }
    all = false;
    server.create(
      dataVolumes,
      {
        apiVersion: 'cdi.kubevirt.io/v1beta1',
        kind: 'DataVolume',
        metadata: {
          name: metadata.name,
          namespace,
          annotations: { ...metadata.annotations, 'cdi.kubevirt.io/allowClaimAdoption': 'true' },
          labels: { 'kubevirt.io/created-by': vm.metadata.uid },
          ownerReferences: [model.controlledBy(vm)],
        },
        spec,
      },
      virtController,
    );
  }
  return all;
};

/** CDI: gives each DataVolume a claim of its name, or adopts the one that is there, and calls it Succeeded. */
export const completeDataVolume = (server: VmPass['context']['server'], namespace: string, name: string): void => {
  const dataVolume = server.read(dataVolumes, { namespace, name });
  if (dataVolume === undefined || phaseOf(dataVolume['status']) === 'Succeeded') return;
  if (dataVolume.metadata.deletionTimestamp !== undefined) return;
  const spec = (dataVolume['spec'] ?? {}) as { readonly storage?: unknown; readonly pvc?: unknown };
  if (server.read(resources.persistentVolumeClaims, { namespace, name }) === undefined) {
    server.create(
      resources.persistentVolumeClaims,
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name,
          namespace,
          ownerReferences: [model.controlledBy(dataVolume)],
        },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          ...(spec.storage ?? spec.pvc ?? {}),
        },
      },
      'cdi-controller',
    );
  }
  const current = server.read(dataVolumes, { namespace, name });
  if (current === undefined) return;
  server.replace(dataVolumes, { ...current, status: { phase: 'Succeeded' } }, 'cdi-controller', {
    subresource: 'status',
  });
};
