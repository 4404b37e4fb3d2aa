// Collects, from events of a recording or of the simulation alike, per object and field the sequence of distinct values.
// Objects are called by what they are to their VM ("vm-a launcher 2"), so that two runs can be compared.
import type { KubeObject } from '../../kube/api.ts';
import { fieldsOf, type Names } from './fields.ts';

/** Object -> field -> distinct values in order. */
export type Sequences = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

export interface Timeline {
  take(plural: string, type: 'added' | 'modified' | 'deleted', object: KubeObject): void;
  /** Adds a value to a sequence of its own, for what is no field of an object. */
  note(object: string, field: string, value: string): void;
  sequences(): Sequences;
  /** The name by which an object goes here. */
  nameOf(uid: string): string | undefined;
}

const vmOf = (plural: string, object: KubeObject): string => {
  const { name, annotations, labels } = object.metadata;
  if (plural === 'virtualmachineinstancemigrations') {
    return String((object['spec'] as { readonly vmiName?: string } | undefined)?.vmiName ?? '');
  }
  if (plural !== 'pods') return name;
  return annotations?.['kubevirt.io/domain'] ?? annotations?.['kubevirt.io/owner-vmi-name'] ?? labels?.['vm'] ?? name;
};

const roleOf = (plural: string, object: KubeObject): string | undefined => {
  switch (plural) {
    case 'virtualmachineinstances':
      return 'VMI';
    case 'virtualmachineinstancemigrations':
      return 'VMIM';
    case 'pods':
      if (object.metadata.labels?.['kubevirt.io'] === 'virt-launcher') return 'launcher';
      return object.metadata.labels?.['kubevirt.io'] === 'hotplug-disk' ? 'attachment pod' : undefined;
    default:
      return undefined;
  }
};

const titles: Readonly<Record<string, string>> = {
  virtualmachines: 'VM',
  persistentvolumeclaims: 'claim',
  pods: 'pod',
};

/** Makes an empty timeline. */
export const timeline = (): Timeline => {
  const sequences = new Map<string, Map<string, string[]>>();
  const called = new Map<string, string>();
  const counts = new Map<string, number>();
  const nodes = new Map<string, Map<string, string>>();

  const call = (plural: string, object: KubeObject): string => {
    const uid = object.metadata.uid ?? object.metadata.name;
    const known = called.get(uid);
    if (known !== undefined) return known;
    const role = roleOf(plural, object);
    const vm = vmOf(plural, object);
    const base = role === undefined ? `${titles[plural] ?? plural} ${object.metadata.name}` : `${vm} ${role}`;
    const count = (counts.get(base) ?? 0) + 1;
    counts.set(base, count);
    const name = role === undefined && count === 1 ? base : `${base} ${count}`;
    called.set(uid, name);
    if (role !== undefined && plural !== 'virtualmachineinstances') called.set(object.metadata.name, name);
    return name;
  };

  const namesFor = (vm: string): Names => ({
    object: (uidOrName) => (uidOrName === undefined ? '-' : (called.get(uidOrName) ?? uidOrName)),
    node: (node) => {
      if (node === undefined || node === '') return '-';
      const own = nodes.get(vm) ?? new Map<string, string>();
      nodes.set(vm, own);
      const name = own.get(node) ?? `node ${own.size + 1}`;
      own.set(node, name);
      return name;
    },
  });

  const note = (object: string, field: string, value: string): void => {
    const fields = sequences.get(object) ?? new Map<string, string[]>();
    sequences.set(object, fields);
    const values = fields.get(field) ?? [];
    fields.set(field, values);
    if (values.at(-1) !== value) values.push(value);
  };

  return {
    note,
    sequences: () => sequences,
    nameOf: (uid) => called.get(uid),
    take: (plural, type, object) => {
      const name = call(plural, object);
      if (type === 'deleted') {
        // How an object looked last is not compared: it may go with its last finalizer or before anything is written.
        if (sequences.get(name)?.get('deleting') !== undefined) note(name, 'deleting', 'yes');
        note(name, 'exists', 'no');
        return;
      }
      const fields = fieldsOf(plural, object, namesFor(vmOf(plural, object)));
      if (fields === undefined) return;
      note(name, 'exists', 'yes');
      for (const [field, value] of Object.entries(fields)) note(name, field, value);
    },
  };
};
