// The laws (design §3) as judges of single decisions: each looks at what had been told about a machine by then and at
// what was decided about it, and says what is wrong, if anything. They know no facts and no modes: whoever is judged by
// his own reading of the evidence is always right.
import type { Command, Decision } from '../../core/decision.ts';
import type { GroupCommand } from '../../core/groups.ts';
import type { Pod } from '../../core/objects.ts';
import {
  claimsOf,
  type Demand,
  demandOf,
  endIsUnknown,
  hasEnded,
  hasSwitchedOver,
  isFinal,
  namedBy,
  signOfEnd,
} from './evidence.ts';
import { mayBeStarted, type Sight } from './seen.ts';

/** What is judged: the decision about a machine, or what was decided for its transfer group as far as it is concerned. */
export interface Decided {
  readonly decision: Decision | undefined;
  readonly group: readonly GroupCommand[];
}

/** Bounds that the judges hold decisions to. */
export interface Bounds {
  readonly settleMs: number;
  readonly cutOverQuietMs: number;
}

/** Says what is wrong, in a sentence; undefined when nothing is. */
export type Judge = (sight: Sight, decided: Decided, bounds: Bounds) => string | undefined;

const commandsIn = ({ decision }: Decided): readonly Command[] => decision?.commands ?? [];

const find = <K extends Command['kind']>(decided: Decided, kind: K): Extract<Command, { kind: K }> | undefined =>
  commandsIn(decided).find((command): command is Extract<Command, { kind: K }> => command.kind === kind);

const records = (decided: Decided, why: string): boolean =>
  commandsIn(decided).some((command) => command.kind === 'record' && command.why === why);

const creates = ({ group }: Decided): boolean => group.some(({ kind }) => kind !== 'deletePod');

const mounts = (pod: Pod, claims: readonly string[]): boolean => pod.claims.some((claim) => claims.includes(claim));

/** Whether a decision does what is demanded. */
export const satisfies = (demand: Demand, decided: Decided): boolean =>
  demand === 'revert' ? commandsIn(decided)[0]?.kind === 'revert' : records(decided, 'switchedOver');

/** Law 1: a live migration and a copy of one machine never meet, nor a copy and anything else that may write. */
const exclusion: Judge = (sight, decided) => {
  const { record, vmi, attempts, migration, pods } = sight;
  const claims = claimsOf(record);
  const holders = pods.filter((pod) => mounts(pod, claims));
  if (find(decided, 'startLive')) {
    const copying = holders.find(({ role }) => role === 'copyServer' || role === 'copyClient');
    if (copying !== undefined) return `a live migration is begun while copy pod ${copying.name} exists`;
  }
  if (!creates(decided)) return undefined;
  if (vmi !== undefined && !isFinal(vmi.phase)) return `a copy pod is made while the VMI is ${vmi.phase}`;
  const unfinished = attempts.find(({ phase }) => !isFinal(phase));
  if (unfinished !== undefined) return `a copy pod is made while migration ${unfinished.name} is unfinished`;
  const foreign = holders.find((pod) => pod.migrationUid !== migration.uid && !hasEnded(pod));
  return foreign === undefined ? undefined : `a copy pod is made while pod ${foreign.name} mounts a claim of the VM`;
};

/** Another VMI was booted on B: whatever B holds, the guest writes it, and naming A lets KubeVirt copy it over A. */
const runsOnTarget = ({ vmi, record, pods }: Sight): boolean => {
  const targets = record?.disks.map(({ target }) => target) ?? [];
  return (
    vmi !== undefined &&
    vmi.uid !== record?.live?.vmiUid &&
    pods.some((pod) => pod.ownerUid === vmi.uid && !hasEnded(pod) && mounts(pod, targets))
  );
};

/** Law 2: the other claim never becomes the VM's disk unless KubeVirt copies under a running guest, or it is whole. */
const truth: Judge = (sight, decided) => {
  const { vm, vmi } = sight;
  if (find(decided, 'repair') && !hasSwitchedOver(sight) && !runsOnTarget(sight)) {
    return 'B is named in the VM, and no switch-over was seen';
  }
  if (!find(decided, 'startLive')) return undefined;
  if (vmi === undefined) return 'a live migration is begun, and there is no VMI';
  if (vmi.phase !== 'Running' || vmi.deleting) {
    return `a live migration is begun while the VMI is ${vmi.deleting ? 'being deleted' : vmi.phase}`;
  }
  if (vm === undefined || vm.deleting || vm.runStrategy === 'Halted' || vm.requests[0] === 'Stop') {
    return 'a live migration is begun of a VM that is being stopped';
  }
  if (vm.restartRequired !== undefined) return 'a live migration is begun while the VM must be restarted first';
  return undefined;
};

/** Law 3: on a sign of an end the first write is the revert, and without any sign there is none. */
const revertFirst: Judge = (sight, decided) => {
  const { decision } = decided;
  if (decision === undefined) return undefined;
  if (demandOf(sight) === 'revert' && !satisfies('revert', decided)) {
    return `no revert is decided, although ${signOfEnd(sight)} and the VM names B`;
  }
  if (!find(decided, 'revert')) return undefined;
  const { vmi, record, migration, machine } = sight;
  const isWanted = migration.spec.virtualMachines.some(({ name }) => name === machine) && !migration.deleting;
  const isMixed = namedBy(sight).some((claim, index) => claim !== record?.disks[index]?.target);
  const weakSign = vmi !== undefined && !vmi.ready && ['PodTerminating', 'GuestNotRunning'].includes(vmi.readyReason);
  const hasCause = signOfEnd(sight) !== undefined || weakSign || !isWanted || record?.gaveUp !== undefined || isMixed;
  return hasCause ? undefined : 'a live migration is reverted although nothing is wrong with it';
};

/** Law 4: a switch-over is recorded at once, and after it, or when all is done, there is no way back. */
const switchOverWins: Judge = (sight, decided) => {
  const isDone = sight.record?.completed !== undefined;
  if (!isDone && !hasSwitchedOver(sight)) return undefined;
  const since = isDone ? 'the machine is done' : 'the guest has switched over';
  const back = commandsIn(decided).find(({ kind }) => kind === 'revert' || kind === 'startLive' || kind === 'cutOver');
  if (back !== undefined) return `${back.kind} is decided although ${since}`;
  if (creates(decided)) return `a copy pod is made although ${since}`;
  const missing = demandOf(sight) === 'recordSwitchOver' && decided.decision !== undefined;
  return missing && !satisfies('recordSwitchOver', decided) ? 'the switch-over is not recorded' : undefined;
};

/** Law 5: only what was copied as a whole is cut over, of a machine that was still all the while. */
const cutOverOnlyWhole: Judge = (sight, decided, { cutOverQuietMs }) => {
  if (!find(decided, 'cutOver')) return undefined;
  const { record, vm, vmi, pods, startableMs, nowMs } = sight;
  const missing = record?.disks.find(({ volume }) => !record.offline?.copied.includes(volume));
  if (record === undefined || missing !== undefined) return `disk ${missing?.volume ?? ''} is cut over without a copy`;
  if (vmi !== undefined && !isFinal(vmi.phase)) return `the VM is cut over while its VMI is ${vmi.phase}`;
  if (vm === undefined || record.cutOver?.resourceVersion !== vm.resourceVersion) {
    return 'the VM is cut over at another version than the recorded one';
  }
  const holder = pods.find((pod) => mounts(pod, claimsOf(record)) && !hasEnded(pod));
  if (holder !== undefined) return `the VM is cut over while pod ${holder.name} mounts a claim of it`;
  const quietMs = startableMs === undefined ? Number.POSITIVE_INFINITY : nowMs - startableMs;
  return quietMs < cutOverQuietMs ? `the VM is cut over ${quietMs} ms after a start or stop` : undefined;
};

/** Law 6: offline only what KubeVirt cannot start by itself. */
const stoppedMeansStopped: Judge = (sight, decided) => {
  const { vm } = sight;
  if (!creates(decided) && !find(decided, 'cutOver') && !records(decided, 'copyBegins')) return undefined;
  if (vm === undefined) return 'a copy is begun of a VM that is not there';
  return mayBeStarted(vm) ? `a copy is begun although KubeVirt may start the VM (${vm.runStrategy})` : undefined;
};

/** Law 7: where the evidence does not decide, nothing is done that chooses a disk. */
const stopAndSaySo: Judge = (sight, decided) => {
  const chosen = commandsIn(decided).find(({ kind }) => kind !== 'record' && kind !== 'createClaim');
  if (decided.decision?.attention !== undefined && commandsIn(decided).length > 0) {
    return 'a person is asked to decide, and something is done all the same';
  }
  if (!endIsUnknown(sight) || sight.record?.completed !== undefined) return undefined;
  // To name what the guest runs on chooses nothing: it keeps KubeVirt from copying one over the other.
  if (chosen?.kind === 'repair' && runsOnTarget(sight)) return undefined;
  if (chosen !== undefined) return `${chosen.kind} is decided although nobody saw how the VMI ended`;
  return creates(decided) ? 'a copy pod is made although nobody saw how the VMI ended' : undefined;
};

/** Law 8: what must survive is on record before the act it is about. */
const recordedBefore: Judge = ({ record, vm, vmi }, decided) => {
  if (find(decided, 'startLive') && (record?.live === undefined || record.live.vmiUid !== vmi?.uid)) {
    return 'a live migration of this VMI is begun that is not on record';
  }
  if (find(decided, 'startLive') && record?.live?.vmGeneration !== vm?.generation) {
    return 'a live migration is begun at another generation than the recorded one';
  }
  if (find(decided, 'cutOver') && record?.cutOver === undefined) return 'a cut-over is begun that is not on record';
  return creates(decided) && record?.offline === undefined ? 'a copy is begun that is not on record' : undefined;
};

/** Whether a command starts something or writes down that it is about to be started. */
const isBeginning = (command: Command): boolean => {
  switch (command.kind) {
    case 'startLive':
    case 'cutOver':
    case 'createClaim':
    case 'deleteSource':
      return true;
    case 'record':
      return ['liveBegins', 'copyBegins', 'cutOverBegins'].includes(command.why);
    case 'revert':
    case 'repair':
      return false;
    default:
      return command satisfies never;
  }
};

/** Law 9: what starts something waits until the machine has been still for a while and every record has come back. */
const startingWaits: Judge = ({ runChangedMs, nowMs, unseenWrite }, decided, { settleMs }) => {
  if (!creates(decided) && !commandsIn(decided).some(isBeginning)) return undefined;
  if (unseenWrite) return 'something is begun before the last record has come back';
  const stillMs = nowMs - runChangedMs;
  return stillMs < settleMs ? `something is begun ${stillMs} ms after the machine changed` : undefined;
};

/** Law 10: only pods of this migration are deleted, and sources only where that is asked for. */
const handsOff: Judge = ({ migration, record }, decided) => {
  const stranger = decided.group.find((each) => each.kind === 'deletePod' && each.pod.migrationUid !== migration.uid);
  if (stranger?.kind === 'deletePod') return `pod ${stranger.pod.name} is deleted, which is not ours`;
  if (!find(decided, 'deleteSource')) return undefined;
  if (migration.spec.retention !== 'DeleteSource') return 'a source claim is deleted, which nobody asked for';
  return record?.seenOnTarget === true ? undefined : 'a source claim is deleted before the VM was seen on the target';
};

/** The laws in their order. */
export const laws: Readonly<Record<string, Judge>> = {
  'law 1, exclusion': exclusion,
  'law 2, truth': truth,
  'law 3, revert first': revertFirst,
  'law 4, switch-over wins': switchOverWins,
  'law 5, cut-over only what is whole': cutOverOnlyWhole,
  'law 6, stopped means stopped': stoppedMeansStopped,
  'law 7, stop and say so': stopAndSaySo,
  'law 8, recorded before the act': recordedBefore,
  'law 9, starting waits': startingWaits,
  'law 10, hands off': handsOff,
};

/** Every law that a decision breaks, with what is wrong. */
export const broken = (sight: Sight, decided: Decided, bounds: Bounds): readonly string[] =>
  Object.entries(laws).flatMap(([name, judge]) => {
    const wrong = judge(sight, decided, bounds);
    return wrong === undefined ? [] : [`${name}: ${wrong}`];
  });
