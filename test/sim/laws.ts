// The laws on one page (design §3): each is a function over what has happened in the cluster and what stands there now,
// named after the law it proves. They judge the state of the world, never the calls of the daemon: what every machine's
// disks hold, which pods exist, who wrote what. `past.ts` tells them how each machine came to where it is.
//
// A law is asked after every write that the API server accepted; it answers with what is wrong, or not at all.
import { labels, roles } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Change } from '../../src/sim/cluster.ts';
import type { Past } from './past.ts';
import { at, type Machine, type Sight, sight } from './sight.ts';

/** One accepted write, with the machine that is judged and what is known of it. */
export interface Moment {
  readonly atMs: number;
  readonly change: Change;
  readonly machine: Machine;
  readonly past: Past;
  readonly see: Sight;
  /** The daemon wrote this. */
  readonly ours: boolean;
  /** How long ago the daemon that wrote this was started, in ms. */
  readonly daemonAgeMs: number;
  readonly bounds: Bounds;
}

/** What the daemon was told to keep to, and how long its writes are under way. */
export interface Bounds {
  readonly settleMs: number;
  readonly startupHoldMs: number;
  readonly cutOverQuietMs: number;
  /** From the last look at the server to the arrival of a write: what changed meanwhile nobody could have known. */
  readonly blindMs: number;
  /** From the sign of an end to the revert; undefined where the network holds it up. */
  readonly revertMs: number | undefined;
}

export interface Law {
  readonly name: string;
  readonly says: string;
  readonly broken: (moment: Moment) => string | undefined;
}

/**
 * The guest runs on the targets, and the VM is made to say so: nothing is begun by it. Either it has switched over
 * (law 4), or KubeVirt has started it there and must not copy that over the sources.
 */
const isRepair = ({ change, machine, past, see }: Moment): boolean =>
  at(change.object, 'spec', 'updateVolumesStrategy') === 'Replacement'
    ? past.switchedOverMs !== undefined
    : see.standsOnTarget(machine);

/** The daemon names a target in the VM: it begins a live migration, or cuts over. */
const movesToTarget = (moment: Moment): boolean => {
  const { change, machine, ours } = moment;
  const moves = sight.writes(change, resources.virtualMachines, machine) && sight.movedTo('target', change, machine);
  return ours && moves && !isRepair(moment);
};

/** The daemon names the sources in the VM: it takes a live migration back. */
const movesToSource = ({ change, machine, ours }: Moment): boolean =>
  ours && sight.writes(change, resources.virtualMachines, machine) && sight.movedTo('source', change, machine);

/** An rsync pod was made that mounts a claim of the machine. */
const makesCopyPod = ({ change, machine }: Moment): boolean =>
  change.type === 'added' && sight.isCopyPod(change.object) && sight.mountsAny(change.object, machine);

const exclusionOfLive: Law = {
  name: 'Exclusion',
  says: 'no live migration of a VM is started while an rsync pod that mounts one of its claims exists',
  broken: (moment) => {
    if (!movesToTarget(moment)) return undefined;
    const pods = moment.see.copyPodsOn(moment.machine);
    return pods.length === 0 ? undefined : `its volumes were moved while ${pods.join(', ')} existed`;
  },
};

const exclusionOfOffline: Law = {
  name: 'Exclusion',
  says: 'no rsync pod is created for a VM while its VMI, an unfinished VMIM, or a pod that is not ours and mounts A or B exists',
  broken: (moment) => {
    if (!makesCopyPod(moment)) return undefined;
    const { bounds, past, see, machine } = moment;
    const seenMs = moment.atMs - bounds.blindMs;
    const isNew = (uid: string): boolean =>
      past.bornMs(uid) >= seenMs ||
      // It had ended and lain there until a moment ago.
      (uid === see.instance(machine)?.metadata.uid && past.clearedMs !== undefined && past.clearedMs >= seenMs);
    const obstacles = see.obstaclesToRsync(machine).filter(({ uid }) => !isNew(uid));
    if (obstacles.length === 0) return undefined;
    return `${moment.change.object.metadata.name} was made while there was ${obstacles.map(({ what }) => what).join(', ')}`;
  },
};

const stoppedMeansStopped: Law = {
  name: 'Stopped means stopped',
  says: 'offline only if KubeVirt cannot start the VM without first writing the VM object',
  broken: (moment) => {
    if (!makesCopyPod(moment) || moment.past.startableSinceMs === undefined) return undefined;
    if (moment.atMs - moment.past.startableSinceMs <= moment.bounds.blindMs) return undefined;
    return `${moment.change.object.metadata.name} was made although KubeVirt may start the VM: ${moment.past.startable}`;
  },
};

const truthAtBoot: Law = {
  name: 'Truth',
  says: 'no guest is ever started on a claim that lacks what it wrote last',
  broken: ({ past }) => {
    const [boot] = past.takeBadBoots();
    return boot === undefined
      ? undefined
      : `the guest was started on ${boot.claim}, which lacks ${boot.lostBlocks} blocks of what it wrote to ${boot.volume}`;
  },
};

const truthOfSource: Law = {
  name: 'Truth',
  says: 'rsync never reads a claim that is not whole, and so never overwrites the one in authority with it',
  broken: (moment) => {
    const { change, machine, see, past } = moment;
    if (!makesCopyPod(moment) || past.spoiled) return undefined;
    if (change.object.metadata.labels?.[labels.role] !== roles.client) return undefined;
    const disk = machine.disks.find(({ source }) => sight.claimsOfPod(change.object).includes(source));
    if (disk === undefined) return undefined;
    const missing = see.missing(machine, disk.volume, disk.source);
    return missing === 0 ? undefined : `${disk.source} is copied although it lacks ${missing} blocks`;
  },
};

const oneWriter: Law = {
  name: 'Truth',
  says: 'no two ever write one claim at the same time',
  broken: ({ past }) => {
    const [clash] = past.takeClashes();
    return clash === undefined ? undefined : `${clash.claim} was written by ${clash.writers.join(' and ')} at once`;
  },
};

const revertFirst: Law = {
  name: 'Revert first',
  says: 'on any sign that a VMI ends during a live migration, with no switch-over, the first write is the revert, at once',
  broken: (moment) => {
    const { change, machine, past, ours, atMs, bounds } = moment;
    if (past.endingSinceMs === undefined) return undefined;
    const sinceMs = atMs - past.endingSinceMs;
    if (sinceMs > (bounds.revertMs ?? Number.POSITIVE_INFINITY)) {
      return `the VMI has been ending for ${sinceMs} ms (${past.endingSign}), and the VM was not reverted`;
    }
    if (!ours || sinceMs <= bounds.blindMs || !sight.isAbout(change, machine)) return undefined;
    return `the VMI was ending (${past.endingSign}), and the first write was ${sight.describe(change)}`;
  },
};

const switchOverWins: Law = {
  name: 'Switch-over wins',
  says: 'once the guest runs on B, the VM is never reverted to A and nothing is copied into B',
  broken: (moment) => {
    const { past, atMs, bounds } = moment;
    if (past.switchedOverMs === undefined || atMs - past.switchedOverMs <= bounds.blindMs) return undefined;
    if (movesToSource(moment)) return `the VM was reverted ${atMs - past.switchedOverMs} ms after the switch-over`;
    return makesCopyPod(moment) ? `${moment.change.object.metadata.name} was made after the switch-over` : undefined;
  },
};

const cutOverOnlyWhatIsWhole: Law = {
  name: 'Cut-over only what is whole',
  says: 'a stopped VM is moved to B only if every B holds what the guest wrote last, some time after the last start or stop',
  broken: (moment) => {
    const { machine, see, past, atMs, bounds } = moment;
    if (!movesToTarget(moment) || see.instanceRuns(machine)) return undefined;
    // A live migration that met a guest just ending: docs/what-cannot-be-kept.md §4. The revert is asked for elsewhere.
    if (past.ceasedMs !== undefined && atMs - past.ceasedMs <= bounds.blindMs) return undefined;
    const instance = see.instance(machine);
    if (
      instance !== undefined &&
      past.bornMs(instance.metadata.uid ?? '') < atMs - bounds.blindMs &&
      !see.hasEnded(machine)
    ) {
      return 'a VMI exists';
    }
    for (const { volume, target } of machine.disks) {
      const missing = see.missing(machine, volume, target);
      if (missing > 0 && !past.spoiled) return `${target} lacks ${missing} blocks of what the guest wrote to ${volume}`;
    }
    if (atMs - past.stirredMs < bounds.cutOverQuietMs)
      return `the VM was started or stopped ${atMs - past.stirredMs} ms before`;
    return undefined;
  },
};

const liveOnlyUnderAGuest: Law = {
  name: 'Truth',
  says: 'a live migration is begun only of a VMI that runs and is not on its way out (contract §0.7)',
  broken: (moment) => {
    const { machine, see, past, atMs, bounds } = moment;
    const isNew = (uid: string): boolean => past.bornMs(uid) >= atMs - bounds.blindMs;
    const instance = see.instance(machine);
    if (!movesToTarget(moment) || instance === undefined || see.hasEnded(machine)) return undefined;
    if (!see.instanceRuns(machine)) {
      const justEnded = past.ceasedMs !== undefined && atMs - past.ceasedMs <= bounds.blindMs;
      return justEnded || isNew(instance.metadata.uid ?? '') ? undefined : 'its VMI is not Running';
    }
    const busy = see.unfinishedMigrations(machine).filter((uid) => !isNew(uid));
    return busy.length === 0 ? undefined : 'a migration of the VMI is under way';
  },
};

const startingWaits: Law = {
  name: 'Starting waits',
  says: 'nothing is started before the start-up hold is over and the VM has kept still',
  broken: (moment) => {
    const { change, machine, ours, past, atMs, bounds } = moment;
    const claim = change.type === 'added' && sight.isClaimOf(change, machine);
    if (!ours || !(movesToTarget(moment) || makesCopyPod(moment) || claim)) return undefined;
    const what = `${sight.describe(change)}`;
    if (moment.daemonAgeMs < bounds.startupHoldMs)
      return `${what} ${moment.daemonAgeMs} ms after the start of the daemon`;
    const stillMs = atMs - past.turnedMs;
    if (claim || stillMs >= bounds.settleMs - bounds.blindMs || stillMs <= bounds.blindMs) return undefined;
    return `${what} ${stillMs} ms after the VM began or ceased to run`;
  },
};

const handsOff: Law = {
  name: 'Hands off',
  says: 'the daemon deletes only its own pods, and sources only where that was asked for and the VM was seen on the target',
  broken: (moment) => {
    const { change, machine, ours, see, past } = moment;
    const { plural } = change.resource;
    // Our finalizer is off: it goes because a person deleted it.
    if (!ours || !sight.isDeletion(change) || plural === 'storagemigrations') return undefined;
    const { name } = change.object.metadata;
    if (plural === 'pods') return sight.isCopyPod(change.object) ? undefined : `it deleted pod ${name}`;
    if (plural !== 'persistentvolumeclaims' && plural !== 'datavolumes') return `it deleted ${plural} ${name}`;
    const disk = machine.disks.find(({ source }) => source === name);
    if (disk === undefined) return sight.isSomebodys(change, see.cast) ? undefined : `it deleted ${plural} ${name}`;
    if (!see.deletesSources(machine)) return `it deleted ${name} although the source is to be kept`;
    if (past.onTargetMs === undefined) return `it deleted ${name} before the VM ran on the target`;
    const missing = see.missing(machine, disk.volume, disk.target);
    return missing === 0 || past.spoiled
      ? undefined
      : `it deleted ${name} although ${disk.target} lacks ${missing} blocks`;
  },
};

const doneStaysDone: Law = {
  name: 'Done stays done',
  says: 'a VM that is done stays done, whatever becomes of it later',
  broken: (moment) => {
    const { change, machine, past, ours } = moment;
    if (!ours || past.doneMs === undefined || past.slipped) return undefined;
    if (sight.writes(change, resources.virtualMachines, machine)) return 'the VM was written after it was done';
    if (makesCopyPod(moment)) return `${change.object.metadata.name} was made after it was done`;
    const entry = sight.entryOf(change, machine);
    return entry !== undefined && entry.mode !== 'Done' ? `its mode became ${entry.mode} again` : undefined;
  },
};

export const laws: readonly Law[] = [
  exclusionOfLive,
  exclusionOfOffline,
  truthAtBoot,
  truthOfSource,
  oneWriter,
  liveOnlyUnderAGuest,
  revertFirst,
  switchOverWins,
  cutOverOnlyWhatIsWhole,
  stoppedMeansStopped,
  startingWaits,
  handsOff,
  doneStaysDone,
];
