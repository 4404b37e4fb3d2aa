// What a law needs to know of how a machine came to where it is: since when its VMI is ending, when the guest switched
// over, when somebody last started or stopped it. Kept from the accepted writes and from the disks, and from nothing else.
import type { KubeObject } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Change } from '../../src/sim/cluster.ts';
import type { Clash } from '../../src/sim/nodes/claimWriters.ts';
import type { Boot } from '../../src/sim/nodes/guestDisks.ts';
import type { World } from '../../src/sim/scenario/world.ts';
import { at, type Machine, type Sight, sight } from './sight.ts';

export interface Past {
  /** When an object was made, by uid; -Infinity for those that were there before. */
  bornMs(uid: string): number;
  /** Since when KubeVirt may start the VM with no further write to it, and why. */
  readonly startableSinceMs: number | undefined;
  readonly startable: string;
  /** Since when a VMI under a live migration of ours, not switched over and not taken back, shows a sign of its end. */
  readonly endingSinceMs: number | undefined;
  readonly endingSign: string;
  /** When the switch-over could be seen. */
  readonly switchedOverMs: number | undefined;
  /** When the VMI last ceased to run: was deleted or ended. */
  readonly ceasedMs: number | undefined;
  /** When a VMI that had ended and lay there was last taken away or replaced; see `hasEnded` of sight. */
  readonly clearedMs: number | undefined;
  /** When the VM was last started or stopped by anybody. */
  readonly stirredMs: number;
  /** When the guest last began or ceased to run. */
  readonly turnedMs: number;
  /** When the guest first ran on the targets. */
  readonly onTargetMs: number | undefined;
  readonly doneMs: number | undefined;
  /** KubeVirt started it on A although it names B (contract §4.6): not the daemon's doing, and for it to follow. */
  readonly slipped: boolean;
  /** It booted on a half-copied B while no daemon could prevent it (contract §4.1): what counts then is that A stays. */
  readonly spoiled: boolean;
  /** Starts on claims that lack something which the daemon could have prevented, since this was asked last. */
  takeBadBoots(): readonly Boot[];
  takeClashes(): readonly Clash[];
}

/** What KubeVirt does that no daemon can know of. */
export interface Lag {
  /** How far virt-controller's cache of VMs is behind, in ms: it starts a VMI from what the VM was then (contract §4.6). */
  readonly vmCacheMs: number;
  /** From the sign of an end to the revert, in ms, where nothing goes wrong. */
  readonly revertMs: number;
}

/** Whether the daemon may have missed what happened between two moments, or could not act on it. */
export type Excuse = (fromMs: number, toMs: number) => boolean;

interface Live {
  readonly vmiUid: string;
}

const strategyOf = (vm: KubeObject | undefined): string =>
  String(at(vm, 'spec', 'runStrategy') ?? (at(vm, 'spec', 'running') === true ? 'Always' : 'Halted'));

const requestsOf = (vm: KubeObject | undefined): readonly string[] => {
  const found = at(vm, 'status', 'stateChangeRequests');
  return Array.isArray(found) ? found.map((each) => String(at(each, 'action'))) : [];
};

const startableBy = (vm: KubeObject | undefined): string => {
  if (requestsOf(vm).includes('Start')) return 'a start is queued';
  const strategy = strategyOf(vm);
  if (strategy === 'RerunOnFailure' && at(vm, 'status', 'runStrategy') !== strategy) return 'new RerunOnFailure';
  return ['Halted', 'Manual', 'RerunOnFailure'].includes(strategy) ? '' : `runStrategy ${strategy}`;
};

/** Keeps the past of one machine; `take` is told every accepted write. */
export const pastOf = (
  world: World,
  machine: Machine,
  see: Sight,
  excuse: Excuse,
  lag: Lag,
): { readonly past: Past; readonly take: (change: Change, ours: boolean) => void } => {
  const born = new Map<string, number>();
  const past = {
    startableSinceMs: undefined as number | undefined,
    startable: '',
    endingSinceMs: undefined as number | undefined,
    endingSign: '',
    switchedOverMs: undefined as number | undefined,
    ceasedMs: undefined as number | undefined,
    clearedMs: undefined as number | undefined,
    stirredMs: Number.NEGATIVE_INFINITY,
    turnedMs: Number.NEGATIVE_INFINITY,
    onTargetMs: undefined as number | undefined,
    doneMs: undefined as number | undefined,
    slipped: false,
    spoiled: false,
  };
  let live: Live | undefined;
  let wasRunning = false;
  let lay = false;
  /** When the VM was last taken back from the targets, and whether that was as soon as could be. */
  let takenBack: { readonly atMs: number; readonly inTime: boolean } | undefined;
  /** VMIs that KubeVirt started on the targets from a VM that named them no more. */
  const startedFromThePast = new Set<string>();
  let boots = 0;
  let clashes = 0;
  const key = `${machine.namespace}/${machine.name}`;

  const signOfEnd = (): string => {
    if (live === undefined) return '';
    const vm = see.vm(machine);
    const vmi = see.instance(machine);
    if (vmi === undefined) return 'there is no VMI';
    if (vmi.metadata.uid !== live.vmiUid) return 'the VMI is another one';
    if (vmi.metadata.deletionTimestamp !== undefined) return 'the VMI is being deleted';
    const phase = String(at(vmi, 'status', 'phase'));
    if (phase !== 'Running') return `the VMI is ${phase}`;
    if (strategyOf(vm) === 'Halted') return 'the VM is halted';
    return requestsOf(vm)[0] === 'Stop' ? 'a stop is queued' : '';
  };

  const takeVm = ({ object, previous }: Change, ours: boolean): void => {
    const now = world.server.now();
    const more = requestsOf(object).length > requestsOf(previous).length;
    // From Halted to Manual nothing is started or stopped.
    const isTurned = startableBy(object) !== startableBy(previous) && strategyOf(object) !== strategyOf(previous);
    if (isTurned || more) past.stirredMs = now;
    past.startable = startableBy(object);
    if (past.startable === '') past.startableSinceMs = undefined;
    else past.startableSinceMs ??= now;
    if (previous === undefined) return;
    if (sight.movedTo('source', { object, previous } as Change, machine)) {
      const signMs = past.endingSinceMs ?? now;
      takenBack = { atMs: now, inTime: now - signMs <= lag.revertMs || excuse(signMs, now) };
    }
    if (sight.sideOf(object, machine) === 'source') live = undefined;
    else if (ours && sight.movedTo('target', { object, previous } as Change, machine)) {
      const vmi = see.instance(machine);
      // Under a VMI that does not run yet it is a repair: KubeVirt has started it there.
      const isStarting = ['', 'Pending', 'Scheduling', 'Scheduled'].includes(String(at(vmi, 'status', 'phase') ?? ''));
      live = vmi === undefined || isStarting || see.hasEnded(machine) ? undefined : { vmiUid: vmi.metadata.uid ?? '' };
    }
  };

  const takeInstance = ({ type, object }: Change): void => {
    const now = world.server.now();
    if (type === 'added') {
      past.stirredMs = now;
      const isOnTarget = machine.disks.some(({ target }) => sight.claimsOf(object).includes(target));
      const isOfThePast = takenBack?.inTime === true && now - takenBack.atMs <= lag.vmCacheMs;
      if (isOnTarget && isOfThePast) startedFromThePast.add(object.metadata.uid ?? '');
      const isOnSource = machine.disks.some(({ source }) => sight.claimsOf(object).includes(source));
      if (isOnSource && sight.sideOf(see.vm(machine), machine) === 'target' && live === undefined) past.slipped = true;
    }
    const runs = see.instanceRuns(machine);
    if (runs !== wasRunning) {
      past.turnedMs = now;
      past.ceasedMs = runs ? undefined : now;
    }
    if (type === 'deleted') past.turnedMs = now;
    wasRunning = runs;
    const ready = at(object, 'status', 'migrationState', 'targetNodeDomainReadyTimestamp');
    if (ready === undefined || past.switchedOverMs !== undefined) return;
    const disks = world.disks.running(object.metadata.uid ?? '') ?? [];
    if (!machine.disks.every(({ target }) => disks.some(({ claim }) => claim === target))) return;
    past.switchedOverMs = now;
    past.onTargetMs ??= now;
  };

  const takeBadBoots = (): readonly Boot[] => {
    const fresh = world.disks.boots.slice(boots).filter(({ vm }) => vm === key);
    boots = world.disks.boots.length;
    const bad: Boot[] = [];
    for (const boot of fresh) {
      const disk = machine.disks.find(({ volume }) => volume === boot.volume);
      if (disk === undefined) continue;
      if (boot.claim === disk.target) past.onTargetMs ??= boot.at;
      else if (sight.sideOf(see.vm(machine), machine) === 'target' && live === undefined) past.slipped = true;
      if (boot.lostBlocks === 0 || past.spoiled) continue;
      const isExcused =
        startedFromThePast.has(boot.vmiUid) || excuse(past.endingSinceMs ?? takenBack?.atMs ?? boot.at, boot.at);
      if (isExcused) past.spoiled = true;
      else bad.push(boot);
    }
    return bad;
  };

  return {
    past: Object.assign(past, {
      bornMs: (uid: string) => born.get(uid) ?? Number.NEGATIVE_INFINITY,
      takeBadBoots,
      takeClashes: () => {
        const fresh = world.disks.clashes.slice(clashes);
        clashes = world.disks.clashes.length;
        return fresh.filter(({ claim }) =>
          machine.disks.some(({ source, target }) => [source, target].includes(claim.split('/')[1] ?? '')),
        );
      },
    }),
    take: (change, ours) => {
      const now = world.server.now();
      if (change.type === 'added') born.set(change.object.metadata.uid ?? '', now);
      if (sight.writes(change, resources.virtualMachines, machine)) takeVm(change, ours);
      if (sight.writes(change, resources.virtualMachineInstances, machine)) takeInstance(change);
      const lies = see.hasEnded(machine);
      if (lay && !lies) past.clearedMs = now;
      lay = lies;
      const entry = sight.entryOf(change, machine);
      if (entry?.mode === 'Done') past.doneMs ??= now;
      if (change.resource.plural === resources.storageMigrations.plural && change.type === 'deleted')
        past.doneMs = undefined;
      if (past.spoiled || past.switchedOverMs !== undefined) live = undefined;
      const sign = signOfEnd();
      if (sign === '') past.endingSinceMs = undefined;
      else if (past.endingSinceMs === undefined) {
        past.endingSinceMs = now;
        past.endingSign = sign;
      }
    },
  };
};
