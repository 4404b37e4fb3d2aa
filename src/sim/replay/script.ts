// The StorageMigration that a recording lacks: made when its machines are, and kept as the daemon would have kept it.
// In the recording a script patched the volumes in the daemon's place; so just before such a patch lands, what the
// daemon would have written before it is written here. Everything else in the record follows the daemon's own decisions.
import type { MigrationRecord, StorageMigrationStatus } from '../../core/storageMigration.ts';
import type { KubeObject } from '../../kube/api.ts';
import { cancelFinalizer } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import { json } from '../apiServer/json.ts';
import type { RecordedAct } from '../conform/recording.ts';
import type { RecordedCluster } from './cluster.ts';
import { acceptedRecord, bringsToTarget, recordBeforePatch } from './foreseen.ts';
import type { TapeMachine } from './tape.ts';
import { truthOf } from './truth.ts';

const { plural, group, version, kind } = resources.storageMigrations;

/** Name of the StorageMigration in every namespace of a recording. */
export const migrationName = 'replayed';

export interface Script {
  /** The machine exists from now on, and is to be moved. */
  readonly accept: (machine: TapeMachine) => void;
  /** Writes a record; answers the new resourceVersion, or undefined if it was decided from another record. */
  readonly write: (
    namespace: string,
    machine: string,
    before: MigrationRecord | undefined,
    after: MigrationRecord,
  ) => string | undefined;
  /** Writes what the daemon would have written before such a patch. */
  readonly prepare: (act: RecordedAct) => void;
}

type Records = ReadonlyMap<string, MigrationRecord>;

const statusOf = (records: Records): StorageMigrationStatus => ({
  virtualMachines: [...records].map(([name, record]) => ({
    name,
    // What people would read; nothing is steered by it.
    ...{ mode: 'Hold', phase: '', reason: '', message: '', waitingFor: '', volumes: [] },
    record,
  })),
});

/** The object, with every machine that has a record. */
const migrationOf = (
  namespace: string,
  machines: readonly TapeMachine[],
  records: Records,
  resourceVersion: string,
): KubeObject => {
  const accepted = machines.filter((machine) => machine.namespace === namespace && records.has(machine.name));
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: {
      namespace,
      name: migrationName,
      uid: `${migrationName}-in-${namespace}`,
      resourceVersion,
      generation: accepted.length,
      creationTimestamp: new Date(0).toISOString(),
      finalizers: [cancelFinalizer],
    },
    spec: {
      virtualMachines: accepted.map(({ name, disks }) => ({
        name,
        volumes: disks.map(({ volume, target }) => ({ name: volume, target: { claimName: target } })),
      })),
    },
    status: statusOf(records),
  };
};

/** Keeps the StorageMigrations of one replay. `quietMs`: a machine is not cut over sooner after a start or stop. */
export const scriptFor = (
  cluster: RecordedCluster,
  machines: readonly TapeMachine[],
  now: () => number,
  quietMs: number,
): Script => {
  const held = new Map<string, Records>();
  let written = 0;

  const recordOf = ({ namespace, name }: TapeMachine): MigrationRecord | undefined => held.get(namespace)?.get(name);
  const set = (namespace: string, machine: string, record: MigrationRecord | undefined): string | undefined => {
    if (record === undefined) return undefined;
    written += 1;
    const before = held.get(namespace);
    const records = new Map([...(before ?? []), [machine, record]]);
    held.set(namespace, records);
    const object = migrationOf(namespace, machines, records, String(written));
    cluster.append(plural, before === undefined ? 'added' : 'modified', object);
    return String(written);
  };
  const accept = (machine: TapeMachine): void => {
    if (recordOf(machine) !== undefined) return;
    set(machine.namespace, machine.name, acceptedRecord(machine, truthOf(cluster, machine)));
  };

  return {
    accept,
    prepare: (act) => {
      const machine = machines.find(({ name }) => name === act.vm);
      if (machine === undefined) return;
      const truth = truthOf(cluster, machine);
      if (!bringsToTarget(act, machine, truth)) return;
      accept(machine);
      const record = recordOf(machine);
      if (record === undefined) return;
      set(machine.namespace, machine.name, recordBeforePatch(record, truth, now(), quietMs));
    },
    write: (namespace, machine, before, after) =>
      json.equal(held.get(namespace)?.get(machine), before) ? set(namespace, machine, after) : undefined,
  };
};
