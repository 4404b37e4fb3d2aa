// The webhooks of virt-api: what a write to a VM, VMI or VMIM must look like, and what is filled in. Contract §1.1,
// §1.3 and §2.2 say which refusals were observed on the real one.
import type { KubeObject } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { Admission, ApiServer } from '../cluster.ts';
import { finalizers } from './finalizers.ts';
import { model } from './model.ts';
import type { Vm, Vmi, Vmim } from './objects.ts';
import { refuse } from './refuse.ts';

const runStrategies = new Set(['Always', 'Halted', 'Manual', 'RerunOnFailure', 'Once', 'WaitAsReceiver']);

const duplicated = (names: readonly string[]): string | undefined =>
  names.find((name, index) => names.indexOf(name) !== index);

const checkVolumes = (vm: Vm): void => {
  const volumes = vm.spec.template.spec.volumes ?? [];
  const disks = vm.spec.template.spec.domain?.devices?.disks ?? [];
  const filesystems = vm.spec.template.spec.domain?.devices?.filesystems ?? [];
  const twice = duplicated(volumes.map(({ name }) => name));
  if (twice !== undefined) throw refuse.invalid(`spec.template.spec.volumes: the volume name '${twice}' is not unique`);
  const claims = volumes.map(model.claimOf).filter((claim) => claim !== '');
  const shared = duplicated(claims);
  if (shared !== undefined) throw refuse.invalid(`spec.template.spec.volumes: the claim '${shared}' is used twice`);
  for (const disk of disks) {
    if (!volumes.some(({ name }) => name === disk.name)) {
      throw refuse.invalid(`spec.template.spec.domain.devices.disks: no volume named '${disk.name}' exists`);
    }
  }
  for (const { name } of volumes) {
    if (![...disks, ...filesystems].some((device) => device.name === name)) {
      throw refuse.invalid(`spec.template.spec.volumes: the volume '${name}' is used by no disk`);
    }
  }
};

const checkVm: Admission = ({ operation, object, previous, subresource }) => {
  if (operation === 'delete' || subresource !== undefined) return undefined;
  if (previous !== undefined && previous['spec'] === object['spec']) return undefined;
  const vm = model.as<Vm>(object);
  if (vm.spec?.template?.spec === undefined) throw refuse.invalid('spec.template: a virtual machine needs a template');
  if ((vm.spec.running === undefined) === (vm.spec.runStrategy === undefined)) {
    throw refuse.invalid('spec.running: exactly one of running and runStrategy must be specified');
  }
  if (vm.spec.runStrategy !== undefined && !runStrategies.has(vm.spec.runStrategy)) {
    throw refuse.invalid(`spec.runStrategy: invalid RunStrategy (${vm.spec.runStrategy})`);
  }
  checkVolumes(vm);
  const used = new Set((vm.spec.template.spec.volumes ?? []).map((volume) => volume.dataVolume?.name));
  for (const { metadata } of vm.spec.dataVolumeTemplates ?? []) {
    if (!used.has(metadata.name)) {
      throw refuse.invalid(
        `spec.dataVolumeTemplates: DataVolumeTemplate entry ${metadata.name} must be referenced in the VMI template's 'volumes' list`,
      );
    }
  }
  return undefined;
};

/** KubeVirt's own parts, which alone may write VMIs. */
const isKubeVirt = (actor: string): boolean => actor.startsWith('virt-') || actor === 'garbage-collector';

const checkVmi: Admission = ({ operation, object, previous, actor }) => {
  if (operation === 'create') {
    const vmi = model.as<Vmi>(object);
    return {
      ...object,
      metadata: { ...object.metadata, finalizers: [...(object.metadata.finalizers ?? []), finalizers.vmi] },
      status: { phase: 'Pending', ...vmi.status },
    };
  }
  if (operation !== 'update' || isKubeVirt(actor) || previous === undefined) return undefined;
  if (!model.equal(previous['spec'], object['spec'])) throw refuse.forbidden('update of VMI object is restricted');
  const { status: _status, ...rest } = object;
  return previous['status'] === undefined
    ? (rest as KubeObject)
    : ({ ...rest, status: previous['status'] } as KubeObject);
};

const checkVmim =
  (server: ApiServer): Admission =>
  ({ operation, object, actor }) => {
    if (operation !== 'create') return undefined;
    const vmim = model.as<Vmim>(object);
    const vmiName = vmim.spec?.vmiName ?? '';
    if (vmim.spec?.priority !== undefined && !isKubeVirt(actor)) {
      throw refuse.forbidden('spec.priority may only be set by KubeVirt');
    }
    const vmi = model.maybe<Vmi>(
      server.read(resources.virtualMachineInstances, { namespace: vmim.metadata.namespace, name: vmiName }),
    );
    if (vmi === undefined) throw refuse.badRequest(`the VMI "${vmiName}" does not exist`);
    if (model.isFinal(vmi)) throw refuse.badRequest('Cannot migrate VMI in finalized state.');
    const migratable = model.conditionOf(vmi.status?.conditions, 'LiveMigratable');
    if (migratable?.status === 'False') {
      throw refuse.badRequest(`Cannot migrate VMI, Reason: ${migratable.reason}, Message: ${migratable.message}`);
    }
    const inFlight = server
      .all(resources.virtualMachineInstanceMigrations, vmim.metadata.namespace)
      .map((other) => model.as<Vmim>(other))
      .find((other) => other.spec.vmiName === vmiName && !model.isFinished(other));
    if (inFlight !== undefined) {
      throw refuse.badRequest(
        `in-flight migration detected. Active migration job (${inFlight.metadata.uid}) is currently already in progress for VMI ${vmiName}.`,
      );
    }
    return {
      ...object,
      metadata: {
        ...object.metadata,
        labels: { ...object.metadata.labels, 'kubevirt.io/vmi-name': vmiName },
        finalizers: [...(object.metadata.finalizers ?? []), finalizers.vmim],
      },
    };
  };

/** Installs the webhooks. */
export const installWebhooks = (server: ApiServer): void => {
  server.admit(resources.virtualMachines, checkVm);
  server.admit(resources.virtualMachineInstances, checkVmi);
  server.admit(resources.virtualMachineInstanceMigrations, checkVmim(server));
};
