// The offline migration of one machine: beginning a copy, taking down what its pods achieved, cutting over. The pods
// themselves belong to the transfer group (groups.ts). Guarantees law 5.

import { parseCopyEndRecord } from './copyEndRecord.ts';
import { type CopyFailure, copyFailure } from './copyFailure.ts';
import { copyResultOf } from './copyResult.ts';
import { act, begin, type Circumstances, type Decision, needsAttention, wait } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import { failureSentence, isHopeless } from './failedCopies.ts';
import { hasEnded } from './hasEnded.ts';
import type { Pod, VirtualMachine } from './objects.ts';
import { pastMs } from './pastMs.ts';
import { shortened } from './shortened.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { missingClaims, takenTarget, targetObstacle } from './targets.ts';

type Offline = NonNullable<MigrationRecord['offline']>;

const isOurs = (pod: Pod, { view }: MachineFacts): boolean => pod.migrationUid === view.migration.uid;

const namesOf = (pods: readonly Pod[]): string => pods.map((pod) => pod.name).join(', ');

/** The machine is off and stands on A. */
export const decideOffline = (facts: MachineFacts, record: MigrationRecord, circumstances: Circumstances): Decision => {
  const { machine } = facts.view;
  if (machine === undefined) return wait('Waiting', 'the VM to be seen');
  const { offline } = record;
  if (offline === undefined) return beginCopy(facts, record, machine, circumstances);
  if (!facts.offSinceCopyBegan || isDisturbed(facts, offline)) return voidCopy(record, circumstances);
  const results = takeDownResults(facts, offline, circumstances.now);
  if (results !== undefined) return act('CopyingOffline', { kind: 'record', ...results(record) });
  const taken = takenTarget(facts, record);
  if (taken !== undefined) return needsAttention(taken.reason, taken.message);
  const missing = record.disks.map((disk) => disk.volume).filter((volume) => !offline.copied.includes(volume));
  const hopeless = offline.failures.filter((failure) =>
    isHopeless(failure, circumstances.limits, facts.view.migration.generation),
  );
  // One bad disk does not stop the others: what they achieve is there when it is mended.
  const open = missing.filter((volume) => hopeless.every((failure) => failure.volume !== volume));
  if (open.length > 0) return wait('CopyingOffline', `the copy of ${open.join(', ')}`);
  if (missing.length > 0) return giveUp(facts, record, hopeless);
  return cutOver(facts, record, machine, offline, circumstances);
};

/** Most characters of what is kept of failed copies, however many disks failed. */
const longestReason = 1000;

const giveUp = (facts: MachineFacts, record: MigrationRecord, hopeless: Offline['failures']): Decision => {
  const sentences = hopeless.map((failure) => failureSentence(failure, record, true));
  const message = `${shortened(sentences.join(' '), longestReason)} When that is done, any change of spec, such as pausing and resuming, tries again.`;
  const gaveUp = { generation: facts.view.migration.generation, reason: hopeless[0]?.reason ?? 'CopyFailing', message };
  return act('Failed', { kind: 'record', why: 'gaveUp', record: { ...record, gaveUp } });
};

const beginCopy = (
  facts: MachineFacts,
  record: MigrationRecord,
  machine: VirtualMachine,
  { clearance, now }: Circumstances,
): Decision => {
  if (facts.goal === 'pause') return wait('Waiting', 'spec.paused to be false');
  const busy = stillBusy(facts);
  if (busy !== undefined) return wait('Waiting', busy);
  // The version of the VM names a copy, and it may be the same as before: what an earlier client did must not count.
  const earlier = facts.copyPods.filter((pod) => pod.role === 'copyClient' && isOurs(pod, facts));
  if (earlier.length > 0) return wait('Waiting', `earlier copies to be gone: ${namesOf(earlier)}`);
  const obstacle = targetObstacle(facts, record);
  if (obstacle !== undefined) return needsAttention(obstacle.reason, obstacle.message);
  const missing = missingClaims(facts, record);
  if (missing.length > 0) return begin('Waiting', clearance, ...missing);
  if (machine.offSince === undefined) return wait('Waiting', 'the VM to be seen off');
  const offline: Offline = {
    id: machine.resourceVersion,
    offSince: machine.offSince,
    startedAt: new Date(now).toISOString(),
    claims: record.disks
      .flatMap((disk) => [disk.source, disk.target])
      .map((name) => ({ name, uid: facts.view.claim(name)?.uid ?? '' })),
    copied: [],
    failures: [],
  };
  const { cutOver: _, ...rest } = record;
  const copiesBegun = (record.copiesBegun ?? 0) + 1;
  return begin('Waiting', clearance, { kind: 'record', why: 'copyBegins', record: { ...rest, offline, copiesBegun } });
};

/** Whether anything can still write to a claim of the machine (law 1); says what. */
export const stillBusy = (facts: MachineFacts): string | undefined => {
  if (facts.unfinished.length > 0) return 'the migration of its VMI to end';
  if (facts.foreignPods.length === 0) return undefined;
  return `pods to let go of its claims: ${namesOf(facts.foreignPods)}`;
};

/** Whether somebody else has a hand on source or copy, or either is no longer what it was: it cannot be relied on any more. */
const isDisturbed = ({ foreignPods, view }: MachineFacts, { claims }: Offline): boolean =>
  foreignPods.length > 0 || claims.some(({ name, uid }) => view.claim(name)?.uid !== uid);

/** A client that failed under a server, and then the server itself, are one failure and not two. */
const isSameFall = (before: Offline['failures'][number], pod: Pod): boolean =>
  pod.role === 'copyServer' &&
  before.reason !== 'CopyServerFailed' &&
  Date.parse(before.at) >= Date.parse(pod.createdAt);

/** What pods of this very copy have ended and are not yet written down. */
const takeDownResults = (facts: MachineFacts, offline: Offline, now: number) => {
  const at = new Date(now).toISOString();
  const ours = facts.copyPods.filter((pod) => isOurs(pod, facts));
  const targetOf = (volume: string): string => facts.record?.disks.find((disk) => disk.volume === volume)?.target ?? '';
  const serversOf = (volume: string): readonly Pod[] =>
    ours.filter((pod) => pod.role === 'copyServer' && pod.claims.includes(targetOf(volume)));
  let copied = offline.copied;
  let failures = offline.failures;
  const fail = (volume: string, pod: Pod, { reason, message }: CopyFailure): void => {
    const before = failures.find((failure) => failure.volume === volume);
    // What is being deleted was cancelled, and each pod counts once.
    if (pod.deleting || before?.podUid === pod.uid) return;
    const count = (before?.count ?? 0) + (before !== undefined && isSameFall(before, pod) ? 0 : 1);
    failures = [
      ...failures.filter((other) => other !== before),
      { volume, count, at, podUid: pod.uid, reason, message, generation: facts.view.migration.generation },
    ];
  };
  // A server runs until it is deleted; one that has ended takes its clients with it.
  const fallenUnder = (volume: string): Pod | undefined =>
    serversOf(volume).find((server) => hasEnded(server) && !server.deleting);
  const isBlameless = (volume: string, reason: CopyFailure['reason']): boolean =>
    serversOf(volume).some(
      (server) =>
        // It was taken down already that the server has ended.
        failures.some((failure) => failure.volume === volume && failure.podUid === server.uid) ||
        // It has an address before its image is pulled. What ended meanwhile counts when the server runs.
        (reason === 'ServerUnreachable' && server.phase === 'Pending' && !server.deleting),
    );
  for (const client of ours) {
    if (client.role !== 'copyClient' || client.copyId !== offline.id || copied.includes(client.volumeName)) continue;
    const result = copyResultOf(client, facts.view.migration.spec.transfer.verify);
    if (result.kind === 'whole') copied = [...copied, client.volumeName];
    if (result.kind !== 'failed' || fallenUnder(client.volumeName) !== undefined) continue;
    if (!isBlameless(client.volumeName, result.reason)) fail(client.volumeName, client, result);
  }
  for (const { volume } of facts.record?.disks.filter((disk) => !copied.includes(disk.volume)) ?? []) {
    const server = fallenUnder(volume);
    if (server === undefined) continue;
    const said = server.trouble || parseCopyEndRecord(server.ended?.message ?? '')?.err || server.ended?.message || '';
    fail(volume, server, copyFailure('CopyServerFailed', `the copy server has ended: ${said}`));
  }
  if (copied === offline.copied && failures === offline.failures) return undefined;
  const why = copied === offline.copied ? ('copyFailed' as const) : ('copyEnded' as const);
  return (record: MigrationRecord) => ({ why, record: { ...record, offline: { ...offline, copied, failures } } });
};

/** Every disk is copied: name B in the machine, guarded by the version at which it was seen stopped (law 5). */
const cutOver = (
  facts: MachineFacts,
  record: MigrationRecord,
  machine: VirtualMachine,
  offline: Offline,
  { clearance, limits, now }: Circumstances,
): Decision => {
  if (facts.copyPods.length > 0) {
    return wait('CuttingOver', `the copy pods to be gone: ${namesOf(facts.copyPods)}`);
  }
  const busy = stillBusy(facts);
  if (busy !== undefined) return wait('CuttingOver', busy);
  if (facts.goal === 'pause') return wait('CuttingOver', 'spec.paused to be false');
  const obstacle = targetObstacle(facts, record);
  if (obstacle !== undefined) return needsAttention(obstacle.reason, obstacle.message);
  const quietSinceMs = Math.max(machine.offSinceMs ?? now, pastMs(offline.startedAt, now));
  const quietInMs = quietSinceMs + limits.cutOverQuietMs - now;
  if (quietInMs > 0) return wait('CuttingOver', 'some time without a start or stop', quietInMs);
  if (record.cutOver?.resourceVersion === machine.resourceVersion) {
    return begin('CuttingOver', clearance, { kind: 'cutOver' });
  }
  const intent = { resourceVersion: machine.resourceVersion, at: new Date(now).toISOString() };
  return begin('CuttingOver', clearance, {
    kind: 'record',
    why: 'cutOverBegins',
    record: { ...record, cutOver: intent },
  });
};

/**
 * The machine ran or may have run: what was copied so far proves nothing any more (law 5). A cut-over that was begun is
 * forgotten only when its patch has been seen, or cannot land any more: it may be what the machine runs on.
 */
export const voidCopy = (record: MigrationRecord, { clearance }: Circumstances): Decision => {
  const { offline: _, cutOver, ...rest } = record;
  const forgets = { kind: 'record', why: 'copyVoid', record: rest } as const;
  return cutOver === undefined ? act('Waiting', forgets) : begin('Waiting', clearance, forgets);
};
