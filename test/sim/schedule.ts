// A random schedule as data, drawn from its seed before anything is played: who is there, what people do, what goes
// wrong, and when the daemon ends. Every part has a name, so that the same schedule can be played with fewer parts.
import { seededRandom } from '../../src/sim/apiServer/seededRandom.ts';
import { type Act, between, type Fleet, planFleet } from '../../src/sim/scenario/fleet.ts';
import { type PlannedFault, planFaults } from './plannedFaults.ts';

/** The end of one daemon and the beginning of the next. */
export type PlannedEnd =
  /** It dies, and the next comes after a while. */
  | { readonly kind: 'crash'; readonly atMs: number; readonly awayMs: number }
  /** The next comes first, and for a while there are two; then the first is killed, or told to end. */
  | { readonly kind: 'handover'; readonly atMs: number; readonly bothMs: number; readonly told: boolean }
  /** It is told to end, and the next comes when that is done. */
  | { readonly kind: 'restart'; readonly atMs: number; readonly awayMs: number };

export const endKinds = ['crash', 'handover', 'restart'] as const;

export interface Schedule {
  readonly seed: number;
  readonly fleet: Fleet;
  readonly faults: readonly PlannedFault[];
  readonly ends: readonly PlannedEnd[];
  /** How far virt-controller's cache of VMs is behind, in ms (contract §4.6). */
  readonly cacheMs: number;
  /** From the making of the machines to the start of the first daemon, in ms. */
  readonly beginsMs: number;
}

const planEnd = (random: () => number, untilMs: number): PlannedEnd => {
  const atMs = between(random, 0, untilMs);
  const awayMs = random() < 0.6 ? between(random, 0, 100) : between(random, 100, 6000);
  const kind = random();
  if (kind < 0.5) return { kind: 'crash', atMs, awayMs };
  if (kind < 0.7) return { kind: 'restart', atMs, awayMs };
  const bothMs = random() < 0.7 ? between(random, 0, orderlyHandoverMs) : between(random, orderlyHandoverMs, 9000);
  return { kind: 'handover', atMs, bothMs, told: random() < 0.5 };
};

/**
 * For so long two daemons may be there at once with nobody the wiser, in ms: the new one starts nothing before its
 * start-up hold is over, which is longer than this and a request of the old one together (law 9). Longer than that they
 * work against each other, and only the guards of each write keep the laws.
 */
const orderlyHandoverMs = 500;

export const isContested = (end: PlannedEnd): boolean => end.kind === 'handover' && end.bothMs > orderlyHandoverMs;

/** Draws the schedule of a seed; the same for ever. */
export const planSchedule = (seed: number): Schedule => {
  const random = seededRandom(seed * 7919 + 17);
  for (let count = 0; count < 8; count += 1) random();
  const fleet = planFleet(random);
  const deaths = random() < 0.5 ? 0 : between(random, 1, 3);
  return {
    seed,
    fleet,
    faults: planFaults(random, fleet.quietAtMs),
    ends: Array.from({ length: deaths }, () => planEnd(random, fleet.quietAtMs)).toSorted((a, b) => a.atMs - b.atMs),
    cacheMs: random() < 0.08 ? between(random, 20, 1500) : 0,
    beginsMs: between(random, 0, 4000),
  };
};

const cacheName = 'lag';

/** The parts of a schedule by name, those first that are best missed first. */
export const partsOf = ({ fleet, faults, ends, cacheMs }: Schedule): readonly string[] => [
  ...ends.map((_, index) => `d${index}`),
  ...faults.map((_, index) => `f${index}`),
  ...fleet.acts.map((_, index) => `a${index}`),
  ...(cacheMs > 0 ? [cacheName] : []),
  ...fleet.machines.map(({ name }) => name),
];

/** The schedule with these parts alone; what nobody is left for goes too. */
export const keeping = (schedule: Schedule, parts: ReadonlySet<string>): Schedule => {
  const { fleet } = schedule;
  const machines = fleet.machines.filter(({ name }) => parts.has(name));
  const migrations = fleet.migrations
    .map((migration) => ({ ...migration, machines: migration.machines.filter((name) => parts.has(name)) }))
    .filter((migration) => migration.machines.length > 0);
  const renumbered = (act: Act): readonly Act[] => {
    if (act.kind === 'machine') {
      const machine = machines.findIndex(({ name }) => name === fleet.machines[act.machine]?.name);
      return machine < 0 ? [] : [{ ...act, machine }];
    }
    const migration = migrations.findIndex(({ name }) => name === fleet.migrations[act.migration]?.name);
    return migration < 0 ? [] : [{ ...act, migration }];
  };
  return {
    ...schedule,
    fleet: {
      ...fleet,
      machines,
      migrations,
      acts: fleet.acts.flatMap((act, index) => (parts.has(`a${index}`) ? renumbered(act) : [])),
    },
    faults: schedule.faults.filter((_, index) => parts.has(`f${index}`)),
    ends: schedule.ends.filter((_, index) => parts.has(`d${index}`)),
    cacheMs: parts.has(cacheName) ? schedule.cacheMs : 0,
  };
};
