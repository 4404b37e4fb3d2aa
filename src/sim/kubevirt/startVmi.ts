// Creates the VMI of a VM from the VM as virt-controller's cache knows it, which may be older than the VM is: no version
// is asserted (contract §4.6). A VM that needs manual recovery is not started; nothing else looks at its disks (§4.5).
import { resources } from '../../kube/resources.ts';
import { virtController } from './context.ts';
import { dataVolumesReady } from './dataVolumes.ts';
import { finalizers } from './finalizers.ts';
import { model } from './model.ts';
import { draft, type VmPass } from './vmPass.ts';

/** Name under which the spec a VMI was started with is kept. */
export const revisionName = (vmUid: string, generation: number): string => `revision-start-vm-${vmUid}-${generation}`;

/** Creates the VMI unless its volumes are not ready or the VM needs manual recovery. */
export const startVmi = (pass: VmPass): void => {
  const { vm, context } = pass;
  if (!dataVolumesReady(pass) || draft.hasCondition(pass, 'ManualRecoveryRequired')) return;
  draft.removeCondition(pass, 'RestartRequired');
  const { metadata, spec } = vm.spec.template;
  const generation = vm.metadata.generation ?? 1;
  const paused = vm.status?.stateChangeRequests?.[0]?.data?.['paused'] === 'true';
  const stamp = context.stamp();
  context.server.create(
    resources.virtualMachineInstances,
    {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstance',
      metadata: {
        name: vm.metadata.name,
        namespace: vm.metadata.namespace,
        ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
        annotations: { ...metadata?.annotations, 'kubevirt.io/vm-generation': String(generation) },
        ownerReferences: [model.controlledBy(vm)],
        finalizers: [finalizers.vmController],
      },
      spec: paused ? { ...spec, startStrategy: 'Paused' } : spec,
      status: {
        phase: 'Pending',
        phaseTransitionTimestamps: [{ phase: 'Pending', phaseTransitionTimestamp: stamp }],
        virtualMachineRevisionName: revisionName(vm.metadata.uid, generation),
      },
    },
    virtController,
  );
  pass.startExpected = true;
};
