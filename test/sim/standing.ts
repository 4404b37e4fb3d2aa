// How each machine of a fleet stands when everybody has gone home, and what is wrong with it: every machine must be
// done, given back, or left to a person for a reason that no daemon can mend, and no guest may miss what it wrote.
import { labels } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Fleet, PlannedMachine } from '../../src/sim/scenario/fleet.ts';
import { at, sight } from './sight.ts';
import type { Stage } from './stage.ts';

export interface Standing {
  readonly machine: PlannedMachine;
  readonly kind: 'done' | 'attention' | 'cancelled' | 'open';
  /** The reason for a person, else what it waits for. */
  readonly why: string;
}

export interface FleetResult {
  readonly machines: number;
  readonly done: number;
  /** Machines that were given back to people because their migration was deleted or no longer names them. */
  readonly cancelled: number;
  /** Machines left to a person, by reason. */
  readonly attention: readonly string[];
  readonly faults: readonly string[];
}

const refOf = ({ namespace, name }: PlannedMachine) => ({ namespace, name });
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const entryFor = (stage: Stage, { namespace, name }: PlannedMachine): unknown => {
  for (const migration of stage.world.server.all(resources.storageMigrations, namespace)) {
    const found = listOf(at(migration, 'status', 'virtualMachines')).find((each) => at(each, 'name') === name);
    if (found !== undefined) return found;
  }
  return undefined;
};

const isNamed = (stage: Stage, { namespace, name }: PlannedMachine): boolean =>
  stage.world.server
    .all(resources.storageMigrations, namespace)
    .some(
      (migration) =>
        migration.metadata.deletionTimestamp === undefined &&
        listOf(at(migration, 'spec', 'virtualMachines')).some((each) => at(each, 'name') === name),
    );

/** Told to a person in time, while it may yet end by itself: a kubelet tries again only every two minutes. */
const passing = new Set(['CopyPodPending', 'CopyPodRefused', 'CopyPodLingers', 'PatchRefused', 'TargetClaimRefused']);

/** What status says of the machine. */
export const standingOf = (stage: Stage, machine: PlannedMachine): Standing => {
  const entry = entryFor(stage, machine);
  const standing = (kind: Standing['kind'], why: string): Standing => ({ machine, kind, why });
  if (entry === undefined) {
    return isNamed(stage, machine) ? standing('open', 'it has no entry') : standing('cancelled', '');
  }
  const reason = String(at(entry, 'reason'));
  if (at(entry, 'mode') === 'Done') return standing('done', reason);
  const isAsked = at(entry, 'phase') === 'NeedsAttention' || at(entry, 'phase') === 'Refused';
  if (isAsked && !passing.has(reason)) return standing('attention', reason);
  return standing('open', `${at(entry, 'phase')}: ${at(entry, 'message')} Waits for ${at(entry, 'waitingFor')}`);
};

const isGoing = (stage: Stage) =>
  stage.world.server
    .all(resources.storageMigrations)
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined);

/** Nothing goes on any more but what people are asked about; where one machine is refused, none is begun. */
export const areAllSettled = (stage: Stage, fleet: Fleet): boolean => {
  const standings = fleet.machines.map((machine) => standingOf(stage, machine));
  const isRefused = standings.some(({ kind }) => kind === 'attention');
  return (
    standings.every(({ kind, why }) => kind !== 'open' || (isRefused && why.startsWith('Pending: '))) &&
    isGoing(stage).length === 0
  );
};

const judgeOne = (stage: Stage, { machine, kind, why }: Standing): readonly string[] => {
  const name = `${machine.namespace}/${machine.name}`;
  const vm = stage.world.server.read(resources.virtualMachines, refOf(machine));
  const isSpoiled = stage.watch.isSpoiled(machine);
  // What becomes of the disks of a machine that people have deleted is theirs.
  const losses = vm === undefined || isSpoiled ? [] : stage.world.disks.lostWrites(machine);
  const lost = losses.map(
    (loss) => `${name}: ${loss.lostBlocks} blocks of ${loss.volume} on ${loss.claim} are not what the guest wrote`,
  );
  const side = sight.sideOf(vm, machine);
  const wrongSide =
    vm !== undefined && kind === 'done' && side !== 'target' ? [`${name} is done and stands on ${side}`] : [];
  const open = kind === 'open' ? [`${name} did not come to an end: ${why}`] : [];
  const isExcused = isSpoiled && why === 'BootedOnIncompleteTarget';
  const left = kind === 'attention' && !isExcused ? [`${name} was left to a person: ${why}`] : [];
  return [...lost, ...wrongSide, ...open, ...left];
};

/** Judges the whole fleet at the end. */
export const judgeFleet = (stage: Stage, fleet: Fleet): FleetResult => {
  const standings = fleet.machines.map((machine) => standingOf(stage, machine));
  const pods = stage.world.server
    .all(resources.pods)
    .filter((pod) => pod.metadata.labels?.[labels.role] !== undefined)
    .map((pod) => `${pod.metadata.name} was left behind`);
  return {
    machines: standings.length,
    done: standings.filter(({ kind }) => kind === 'done').length,
    cancelled: standings.filter(({ kind }) => kind === 'cancelled').length,
    attention: standings.filter(({ kind }) => kind === 'attention').map(({ why }) => why),
    faults: [
      ...standings.flatMap((standing) => judgeOne(stage, standing)),
      ...pods,
      ...isGoing(stage).map(({ metadata }) => `StorageMigration ${metadata.name} was deleted and does not go`),
    ],
  };
};
