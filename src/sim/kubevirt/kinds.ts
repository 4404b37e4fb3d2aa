// Registers the kinds of KubeVirt (and CDI's DataVolume as a plain kind) with the short names and printer columns that
// the real CRDs have, so that `kubectl get vm,vmi,vmim` reads as in a real cluster.
import type { Resource } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer, PrinterColumn } from '../cluster.ts';

/** CDI's DataVolume; only its name, its claim and its phase matter here (contract §8). */
export const dataVolumes: Resource = {
  group: 'cdi.kubevirt.io',
  version: 'v1beta1',
  plural: 'datavolumes',
  kind: 'DataVolume',
  namespaced: true,
};

const column = (name: string, jsonPath: string, type: PrinterColumn['type'] = 'string'): PrinterColumn => ({
  name,
  type,
  jsonPath,
});
const age = column('Age', '.metadata.creationTimestamp', 'date');
const ready = column('Ready', '.status.conditions[?(@.type=="Ready")].status');

/** Registers the kinds; a VMI has no status subresource, as in KubeVirt. */
export const registerKinds = (server: ApiServer): void => {
  server.register({
    resource: resources.virtualMachines,
    singular: 'virtualmachine',
    shortNames: ['vm', 'vms'],
    status: true,
    generation: true,
    columns: [age, column('Status', '.status.printableStatus'), ready],
  });
  server.register({
    resource: resources.virtualMachineInstances,
    singular: 'virtualmachineinstance',
    shortNames: ['vmi', 'vmis'],
    generation: true,
    columns: [
      age,
      column('Phase', '.status.phase'),
      column('IP', '.status.interfaces[0].ipAddress'),
      column('NodeName', '.status.nodeName'),
      ready,
    ],
  });
  server.register({
    resource: resources.virtualMachineInstanceMigrations,
    singular: 'virtualmachineinstancemigration',
    shortNames: ['vmim', 'vmims'],
    status: true,
    generation: true,
    columns: [column('Phase', '.status.phase'), column('VMI', '.spec.vmiName')],
  });
  server.register({
    resource: resources.kubeVirts,
    singular: 'kubevirt',
    shortNames: ['kv', 'kvs'],
    status: true,
    generation: true,
    columns: [age, column('Phase', '.status.phase')],
  });
  server.register({
    resource: dataVolumes,
    singular: 'datavolume',
    shortNames: ['dv', 'dvs'],
    status: true,
    generation: true,
    columns: [column('Phase', '.status.phase'), age],
  });
};
