// Decides which copy pods of one StorageMigration must go and which must come: the server that mounts the targets of
// a transfer group and the client of each disk (design §1). Pure. Cancel before create follows from the facts: while
// a pod that is not wanted exists, the only command about it is to delete it.

import { stillBusy } from './decideOffline.ts';
import type { CancelCause, Clearance, Limits } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import { isHopeless } from './failedCopies.ts';
import { hasEnded } from './hasEnded.ts';
import { isGivenUp, modeOf } from './mode.ts';
import type { Pod, StorageMigration } from './objects.ts';
import { pastMs } from './pastMs.ts';
import type { RecordedDisk } from './storageMigration.ts';
import { takenTarget } from './targets.ts';

export type GroupCommand =
  | { readonly kind: 'deletePod'; readonly pod: Pod; readonly cause: CancelCause }
  | { readonly kind: 'createServer'; readonly machine: string | undefined; readonly targets: readonly string[] }
  | {
      readonly kind: 'createClient';
      readonly machine: string;
      readonly disk: RecordedDisk;
      readonly copyId: string;
      readonly server: Pod;
      /** Nothing was ever copied to the target. */
      readonly fresh: boolean;
    };

export interface GroupView {
  readonly migration: StorageMigration;
  /** Every pod that carries the label of this migration. */
  readonly pods: readonly Pod[];
  readonly members: readonly MachineFacts[];
}

export interface GroupCircumstances {
  /** Whether pods may be made for a machine: its mode is settled and the stores have seen our last writes. */
  readonly clearanceOf: (machine: string) => Clearance;
  readonly limits: Limits;
  readonly now: number;
}

export interface GroupDecision {
  /** Deletions; never held back. */
  readonly ends: readonly GroupCommand[];
  /** Creations. */
  readonly begins: readonly GroupCommand[];
  readonly checkAgainMs: number | undefined;
}

interface WishedDisk {
  readonly disk: RecordedDisk;
  /** Its back-off is over then. */
  readonly notBeforeMs: number;
  /** uid of the pod that failed last; empty if none did. */
  readonly failedPod: string;
  readonly fresh: boolean;
}

interface Wish {
  readonly machine: string;
  readonly copyId: string;
  readonly startedAtMs: number;
  readonly paused: boolean;
  /** Copy pods that mount its claims now. */
  readonly copyPods: readonly Pod[];
  readonly disks: readonly WishedDisk[];
}

/** The copy a machine needs now; undefined when it needs none. */
const wishOf = (facts: MachineFacts, limits: Limits, now: number): Wish | undefined => {
  const offline = facts.record?.offline;
  if (offline === undefined || facts.record === undefined) return undefined;
  if (modeOf(facts) !== 'offline' || isGivenUp(facts) || facts.spec !== 'source') return undefined;
  if (!facts.offSinceCopyBegan || stillBusy(facts) !== undefined) return undefined;
  if (takenTarget(facts, facts.record) !== undefined) return undefined;
  const hopeless = new Set(
    offline.failures
      .filter((failure) => isHopeless(failure, limits, facts.view.migration.generation))
      .map((failure) => failure.volume),
  );
  const disks = facts.record.disks
    .filter((disk) => !offline.copied.includes(disk.volume))
    .filter((disk) => !hopeless.has(disk.volume))
    .map((disk) => {
      const failure = offline.failures.find((candidate) => candidate.volume === disk.volume);
      const backOffMs = failure === undefined ? 0 : limits.copyRetryMs * 2 ** Math.min(failure.count - 1, 6);
      const notBeforeMs = failure === undefined ? 0 : pastMs(failure.at, now) + backOffMs;
      const fresh = failure === undefined && facts.record?.copiesBegun === 1;
      return { disk, notBeforeMs, failedPod: failure?.podUid ?? '', fresh };
    });
  if (disks.length === 0) return undefined;
  return {
    machine: facts.name,
    copyId: offline.id,
    startedAtMs: pastMs(offline.startedAt, now),
    paused: facts.goal === 'pause',
    copyPods: facts.copyPods,
    disks,
  };
};

/**
 * A client is kept while it copies what is wanted to a server that is there, and after its end until its result is
 * written down. One whose server is gone would only fail, and count against the machine.
 */
const keepClient = (client: Pod, wish: Wish | undefined, servers: readonly Pod[]): boolean => {
  if (wish === undefined || client.copyId !== wish.copyId) return false;
  const wished = wish.disks.find(({ disk }) => disk.volume === client.volumeName);
  if (wished === undefined || wished.failedPod === client.uid) return false;
  if (servers.some((server) => server.uid === wished.failedPod)) return false;
  return hasEnded(client) || servers.some((server) => isUp(server) && server.claims.includes(wished.disk.target));
};

const isUp = (server: Pod): boolean => !server.deleting && !hasEnded(server);

/** A client is told its server's address when it is made. A pod has one before its containers run. */
const isReachable = (server: Pod): boolean => server.address !== '';

/** A server is kept while it mounts what is wanted, and after its end until that is written down as a failure. */
const keepServer = (server: Pod, wishes: readonly Wish[]): boolean =>
  wishes
    .flatMap((wish) => wish.disks)
    .some(
      ({ disk, failedPod }) => server.claims.includes(disk.target) && (!hasEnded(server) || failedPod !== server.uid),
    );

/**
 * A server that has ended and was written down stays until the clients that fell with it are gone: without it each of
 * them would count as a failure of its own. Nothing is begun beside them anyway.
 */
const isStillTold = (server: Pod, wishes: readonly Wish[], clients: readonly Pod[]): boolean =>
  hasEnded(server) &&
  wishes.some(({ machine, copyId, disks }) =>
    disks.some(
      ({ disk, failedPod }) =>
        failedPod === server.uid &&
        clients.some(
          (client) => client.vmName === machine && client.copyId === copyId && client.volumeName === disk.volume,
        ),
    ),
  );

const causeOf = (pod: Pod, facts: MachineFacts | undefined): CancelCause => {
  if (facts === undefined || facts.view.migration.deleting) return 'deleted';
  if (facts.goal === 'cancel') return 'edited';
  if (hasEnded(pod)) return 'finished';
  if (facts.guest.kind !== 'off') return 'started';
  const offline = facts.record?.offline;
  const isCopying = offline !== undefined && offline.id === pod.copyId && !offline.copied.includes(pod.volumeName);
  return isCopying ? 'failing' : 'finished';
};

/** Whether a machine is on its way to being copied offline, so that a new server had better wait for it. */
const isComing = (facts: MachineFacts, limits: Limits, now: number): boolean => {
  if (facts.goal !== 'migrate' || facts.record === undefined || facts.record.completed !== undefined) return false;
  if (facts.identity !== 'same' || isGivenUp(facts) || facts.switchOver.kind !== 'no') return false;
  const stopped = facts.guest.kind === 'ending' && facts.view.machine?.runStrategy !== 'Always';
  return (
    stopped ||
    (facts.guest.kind === 'off' && wishOf(facts, limits, now) === undefined && facts.record.cutOver === undefined)
  );
};

const earliest = (times: readonly number[]): number | undefined =>
  times.length === 0 ? undefined : Math.min(...times);

/** Decides for one transfer group: its server and the clients of its members. */
const decideOne = (
  machine: string | undefined,
  view: GroupView,
  members: readonly MachineFacts[],
  circumstances: GroupCircumstances,
): GroupDecision => {
  const { limits, now } = circumstances;
  const wishes = members.flatMap((facts) => wishOf(facts, limits, now) ?? []);
  const servers = view.pods.filter((pod) => pod.role === 'copyServer' && pod.vmName === (machine ?? ''));
  const clients = view.pods.filter(
    (pod) => pod.role === 'copyClient' && members.some((facts) => facts.name === pod.vmName),
  );
  const unwanted = clients.filter(
    (client) =>
      !keepClient(
        client,
        wishes.find((wish) => wish.machine === client.vmName),
        servers,
      ),
  );
  const idle = servers.filter((server) => !keepServer(server, wishes) && !isStillTold(server, wishes, clients));
  const ends = [...unwanted, ...idle]
    .filter((pod) => !pod.deleting)
    .map((pod): GroupCommand => {
      const facts =
        members.find((member) => member.name === pod.vmName) ??
        members.find((member) => causeOf(pod, member) !== 'finished');
      return { kind: 'deletePod', pod, cause: causeOf(pod, facts ?? members[0]) };
    });
  const group = new Set([...servers, ...clients].map((pod) => pod.uid));
  const open = wishes
    // A pod that belongs to no group any more may still write: nothing new beside it.
    .filter((wish) => !wish.paused && wish.copyPods.every((pod) => group.has(pod.uid)))
    .map((wish) => ({ wish, clearance: circumstances.clearanceOf(wish.machine) }));
  const ready = open.flatMap(({ wish, clearance }) => (clearance.kind === 'clear' ? [wish] : []));
  // Nothing may happen when the clearance comes: a hold is over, or a write cannot land any more.
  const clearedMs = open.flatMap(({ clearance }) => (clearance.kind === 'wait' ? (clearance.checkAgainMs ?? []) : []));
  const server = servers.find((candidate) => isUp(candidate) && keepServer(candidate, wishes));
  if (server !== undefined) {
    if (!isReachable(server)) return { ends, begins: [], checkAgainMs: earliest(clearedMs) };
    const { begins, checkAgainMs } = clientsFor(server, ready, clients, now);
    return { ends, begins, checkAgainMs: earliest([...clearedMs, checkAgainMs ?? []].flat()) };
  }
  if (servers.length + clients.length > 0) return { ends, begins: [], checkAgainMs: undefined };
  if (ready.length === 0) return { ends, begins: [], checkAgainMs: earliest(clearedMs) };
  const gatheredMs = Math.min(...ready.map((wish) => wish.startedAtMs)) + limits.gatherMs;
  if (now < gatheredMs && members.some((facts) => isComing(facts, limits, now))) {
    return { ends, begins: [], checkAgainMs: gatheredMs - now };
  }
  const due = ready.flatMap((wish) => wish.disks).filter((disk) => disk.notBeforeMs <= now);
  if (due.length === 0) {
    const next = earliest(ready.flatMap((wish) => wish.disks.map((disk) => disk.notBeforeMs)));
    return { ends, begins: [], checkAgainMs: next === undefined ? undefined : next - now };
  }
  const targets = ready.flatMap((wish) => wish.disks.map(({ disk }) => disk.target));
  return { ends, begins: [{ kind: 'createServer', machine, targets }], checkAgainMs: undefined };
};

/** A client for every wanted disk that the server mounts, that has no pod yet, and whose back-off is over. */
const clientsFor = (
  server: Pod,
  ready: readonly Wish[],
  clients: readonly Pod[],
  now: number,
): Pick<GroupDecision, 'begins' | 'checkAgainMs'> => {
  const open = ready.flatMap((wish) =>
    wish.disks
      .filter(({ disk }) => server.claims.includes(disk.target))
      .filter(({ disk }) => clients.every((pod) => pod.vmName !== wish.machine || pod.volumeName !== disk.volume))
      .map((wished) => ({ wish, ...wished })),
  );
  const begins = open
    .filter(({ notBeforeMs }) => notBeforeMs <= now)
    .map(({ wish: { machine, copyId }, disk, fresh }): GroupCommand => {
      return { kind: 'createClient', machine, disk, copyId, server, fresh };
    });
  const next = earliest(open.filter(({ notBeforeMs }) => notBeforeMs > now).map(({ notBeforeMs }) => notBeforeMs));
  return { begins, checkAgainMs: next === undefined ? undefined : next - now };
};

/** Decides for all copy pods of a migration; pods that no group knows are deleted. */
export const decideGroups = (view: GroupView, circumstances: GroupCircumstances): GroupDecision => {
  const perMachine = view.migration.spec.transfer.server === 'PerVirtualMachine';
  const groups: readonly (readonly [string | undefined, readonly MachineFacts[]])[] = perMachine
    ? view.members.map((facts) => [facts.name, [facts]] as const)
    : [[undefined, view.members]];
  const known = (pod: Pod): boolean =>
    pod.role === 'copyServer'
      ? groups.some(([machine]) => pod.vmName === (machine ?? ''))
      : view.members.some((facts) => facts.name === pod.vmName);
  const strays = view.pods
    .filter((pod) => !known(pod) && !pod.deleting)
    .map((pod): GroupCommand => ({ kind: 'deletePod', pod, cause: 'edited' }));
  const decisions = groups.map(([machine, members]) => decideOne(machine, view, members, circumstances));
  return {
    ends: [...strays, ...decisions.flatMap((decision) => decision.ends)],
    begins: decisions.flatMap((decision) => decision.begins),
    checkAgainMs: earliest(decisions.flatMap((decision) => decision.checkAgainMs ?? [])),
  };
};
