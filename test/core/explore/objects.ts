// Turns what the daemon sees in the explored world into the objects of the core, and records back: ids become uids
// and versions. The real functions of src/core are then run on them.
import type { MachineView } from '../../../src/core/facts.ts';
import type {
  MigrationState,
  Pod,
  StorageMigration,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from '../../../src/core/objects.ts';
import type { MigrationRecord } from '../../../src/core/storageMigration.ts';
import { offSince } from '../../../src/streams/offSince.ts';
import * as make from '../builders.ts';
import type {
  Attempt,
  Client,
  Launcher,
  MachineSight,
  Migration,
  Rec,
  Server,
  Side,
  Sight,
  Vm,
  Vmi,
  Vmim,
} from './world.ts';

export const finalizer = 'transship.dev/cancel';
const allDisks = ['root', 'data'];

export const nameOf = (machine: number): string => `web-${machine + 1}`;
export const indexOf = (name: string): number => Number(name.slice(4)) - 1;
export const diskName = (disk: number): string => allDisks[disk] ?? `disk-${disk}`;
export const diskIndex = (name: string): number => allDisks.indexOf(name);
export const disksOf = (count: number): readonly string[] => Array.from({ length: count }, (_, disk) => diskName(disk));

const uid = (id: number): string => `u${id}`;
const idOf = (text: string): number => (text === '' ? 0 : Number(text.replace(/^u/, '')));
const sideName = (side: Side): make.Side => (side === 'A' ? 'source' : 'target');

const requests = { '': [], Start: ['Start'], Stop: ['Stop'], StopStart: ['Stop', 'Start'] } as const;

export const vmObject = (vm: Vm, machine: number, disks: number): VirtualMachine | undefined =>
  vm.exists
    ? make.vm({
        name: nameOf(machine),
        disks: disksOf(disks),
        on: sideName(vm.side),
        runStrategy: vm.strategy,
        actedRunStrategy: vm.strategy,
        requests: requests[vm.request],
        created: vm.created,
        generation: vm.generation,
        resourceVersion: String(vm.version),
        updateVolumesStrategy: vm.update,
        offSince: vm.offSince === 0 ? undefined : String(vm.offSince),
        offSinceMs: vm.offSince === 0 ? undefined : make.startMs,
      })
    : undefined;

/** What the fold of the daemon's store makes of the next version of a VM. */
export const folded = (previous: Vm | undefined, next: Vm): number => {
  const after = vmObject({ ...next, offSince: 0 }, 0, 1);
  if (after === undefined) return 0;
  const before = previous === undefined ? undefined : vmObject(previous, 0, 1);
  const made = offSince.next(before, after, { contiguous: before !== undefined, nowMs: make.startMs });
  return made.offSince === undefined ? 0 : Number(made.offSince);
};

const stateObject = (attempt: Attempt, vmi: Vmi): MigrationState =>
  make.state({
    migrationUid: uid(attempt.vmim),
    sourceNode: `n${vmi.node}`,
    sourcePod: '',
    targetNode: `n${3 - vmi.node}`,
    targetPod: `launcher-${attempt.pod}`,
    targetNodeDomainReadyTimestamp: attempt.ready ? make.at(5) : '',
    endTimestamp: attempt.ended ? make.at(9) : '',
    completed: attempt.ended,
    failed: attempt.failed,
  });

export const vmiObject = (vmi: Vmi, machine: number, disks: number): VirtualMachineInstance =>
  make.vmi({
    name: nameOf(machine),
    uid: uid(vmi.uid),
    disks: disksOf(disks),
    on: sideName(vmi.side),
    phase: vmi.phase,
    ready: vmi.phase === 'Running',
    deleting: vmi.deleting,
    nodeName: vmi.phase === 'Pending' ? '' : `n${vmi.node}`,
    migratedVolumes: vmi.migrated
      ? disksOf(disks).map((disk) => ({
          volume: disk,
          source: make.claimOn(vmi.side === 'B' ? 'source' : 'target', nameOf(machine), disk),
          target: make.claimOn(sideName(vmi.side), nameOf(machine), disk),
        }))
      : [],
    volumesChange: vmi.change === '' ? undefined : { status: vmi.change, reason: '', message: '' },
    migrationState: vmi.attempt === undefined ? undefined : stateObject(vmi.attempt, vmi),
  });

const vmimObject = (vmim: Vmim, machine: number): VirtualMachineInstanceMigration =>
  make.vmim({
    name: `migration-${vmim.uid}`,
    uid: uid(vmim.uid),
    vmiName: nameOf(machine),
    phase: vmim.phase,
    migrationState:
      vmim.ready && vmim.phase !== 'Pending' && vmim.phase !== 'Running'
        ? make.switched({ migrationUid: uid(vmim.uid), targetPod: `launcher-${vmim.pod}`, endTimestamp: make.at(9) })
        : undefined,
  });

const launcherObject = (launcher: Launcher, machine: number, disks: number): Pod =>
  make.launcher(sideName(launcher.side), {
    machine: nameOf(machine),
    disks: [...disksOf(disks)],
    name: `launcher-${launcher.uid}`,
    uid: uid(launcher.uid),
    ownerUid: uid(launcher.owner),
    nodeName: `n${launcher.node}`,
    deleting: launcher.ending,
  });

const endOf = (client: Client) =>
  client.phase === 'Succeeded' ? make.wholeEnd : client.phase === 'Failed' ? make.brokenEnd : undefined;

export const clientObject = (client: Client, machine: number, disk: number): Pod =>
  make.client(nameOf(machine), {
    disk: diskName(disk),
    uid: uid(client.uid),
    copyId: String(client.copy),
    phase: client.phase,
    deleting: client.deleting,
    ended: endOf(client),
  });

const mountedBy = (server: Server, disks: number): readonly string[] =>
  server.mounts.flatMap((mounts, index) =>
    mounts ? [make.targetOf(nameOf(Math.floor(index / disks)), diskName(index % disks))] : [],
  );

export const serverObject = (server: Server, disks: number): Pod =>
  make.server([], {
    uid: uid(server.uid),
    phase: server.phase,
    deleting: server.deleting,
    ...(server.reachable ? {} : { address: '' }),
    claims: mountedBy(server, disks),
    ...(server.phase === 'Failed' ? { ended: { exitCode: 1, message: 'no' } } : {}),
  });

export const recordObject = (rec: Rec, machine: number, disks: number): MigrationRecord =>
  make.record({
    machine: nameOf(machine),
    diskNames: disksOf(disks),
    seenOnTarget: rec.seenOnTarget,
    ...(rec.live === undefined
      ? {}
      : {
          live: {
            vmiUid: uid(rec.live.vmi),
            vmGeneration: rec.live.generation,
            knownMigrations: rec.live.known.map(uid),
            attempt: rec.live.attempt,
            startedAt: make.at(),
            ...(rec.live.endSeen ? { endedAt: make.at() } : {}),
          },
        }),
    ...(rec.over === undefined
      ? {}
      : { switchedOver: { vmiUid: uid(rec.over.vmi), migrationUid: uid(rec.over.vmim), at: make.at(5) } }),
    ...(rec.offline === undefined
      ? {}
      : {
          offline: {
            id: String(rec.offline.id),
            offSince: String(rec.offline.offSince),
            startedAt: make.at(),
            claims: [],
            copied: disksOf(disks).filter((_, disk) => rec.offline?.copied[disk]),
            failures: rec.offline.failures.map(({ disk, count, pod }) => ({
              volume: diskName(disk),
              count,
              at: make.at(),
              podUid: uid(pod),
              reason: 'PeerSilent',
              message: 'no',
            })),
          },
        }),
    ...(rec.cutOver === 0 ? {} : { cutOver: { resourceVersion: String(rec.cutOver), at: make.at() } }),
    ...(rec.gaveUp === '' ? {} : { gaveUp: { generation: 1, reason: rec.gaveUp, message: 'no' } }),
    ...(rec.completed === '' ? {} : { completed: { by: rec.completed, at: make.at() } }),
  });

/** The record as the world keeps it. */
export const recOf = (record: MigrationRecord, disks: number): Rec => ({
  live:
    record.live === undefined
      ? undefined
      : {
          vmi: idOf(record.live.vmiUid),
          generation: record.live.vmGeneration,
          known: record.live.knownMigrations.map(idOf),
          attempt: record.live.attempt,
          endSeen: record.live.endedAt !== undefined,
        },
  over:
    record.switchedOver === undefined
      ? undefined
      : { vmi: idOf(record.switchedOver.vmiUid), vmim: idOf(record.switchedOver.migrationUid) },
  offline:
    record.offline === undefined
      ? undefined
      : {
          id: idOf(record.offline.id),
          offSince: idOf(record.offline.offSince),
          copied: disksOf(disks).map((disk) => record.offline?.copied.includes(disk) === true),
          failures: record.offline.failures.map(({ volume, count, podUid }) => ({
            disk: diskIndex(volume),
            count,
            pod: idOf(podUid),
          })),
        },
  cutOver: idOf(record.cutOver?.resourceVersion ?? ''),
  gaveUp: (record.gaveUp?.reason ?? '') as Rec['gaveUp'],
  completed: record.completed?.by ?? '',
  seenOnTarget: record.seenOnTarget,
});

export const podId = (pod: Pod): number => idOf(pod.uid);
export const copyIdOf = (copyId: string): number => idOf(copyId);

export const migrationObject = (
  migration: Migration,
  recs: readonly (Rec | undefined)[],
  disks: number,
): StorageMigration =>
  make.storageMigration({
    deleting: migration.deleting,
    finalizers: migration.finalizer ? [finalizer] : [],
    spec: { virtualMachines: recs.map((_, machine) => make.wanted(nameOf(machine), disksOf(disks))) },
    records: Object.fromEntries(
      recs.map((rec, machine) => [nameOf(machine), rec === undefined ? undefined : recordObject(rec, machine, disks)]),
    ),
  });

/** The pods that the daemon finds for one machine. */
const podsOf = (sight: Sight, server: Server | undefined, machine: number, disks: number): readonly Pod[] => {
  const { source, target, clients } = sight.pods;
  const mounts = server?.mounts.slice(machine * disks, (machine + 1) * disks).includes(true) === true;
  return [
    ...(source === undefined ? [] : [launcherObject(source, machine, disks)]),
    ...(target === undefined ? [] : [launcherObject(target, machine, disks)]),
    ...clients.flatMap((client, disk) => (client === undefined ? [] : [clientObject(client, machine, disk)])),
    ...(server !== undefined && mounts ? [serverObject(server, disks)] : []),
  ];
};

/** The view of one machine, as src/streams/machineView.ts would make it. */
export const viewObject = (
  sight: Sight & Pick<MachineSight, 'server' | 'ending'>,
  migration: StorageMigration,
  machine: number,
  disks: number,
): MachineView => {
  const own = sight.pods.clients.flatMap((client, disk) =>
    client?.deleting ? [clientObject(client, machine, disk)] : [],
  );
  const others = sight.ending.map((id) => make.client('other', { uid: uid(id), name: `other-${id}`, deleting: true }));
  const server = sight.server?.deleting ? [serverObject(sight.server, disks)] : [];
  return make.view({
    name: nameOf(machine),
    machine: vmObject(sight.vm, machine, disks),
    instance: sight.vmi.now === undefined ? undefined : vmiObject(sight.vmi.now, machine, disks),
    lastInstance:
      sight.vmi.last === undefined ? undefined : { object: vmiObject(sight.vmi.last, machine, disks), gap: false },
    attempts: sight.vmims.map((vmim) => vmimObject(vmim, machine)),
    pods: podsOf(sight, sight.server, machine, disks),
    endingCopyPods: [...own, ...others, ...server],
    migration,
  });
};
