// A schedule as lines that a person can read, one for each part, in order of time.
import type { Act, PlannedMachine, PlannedMigration } from '../../src/sim/scenario/fleet.ts';
import type { PlannedFault } from './plannedFaults.ts';
import type { PlannedEnd, Schedule } from './schedule.ts';

const machineLine = (machine: PlannedMachine): string => {
  const kinds = machine.disks.map((_, index) => machine.diskKinds[index] ?? 'claim');
  return [
    `${machine.namespace}/${machine.name}: ${machine.runStrategy}${machine.started ? ', started' : ''}`,
    `${kinds.length} disk${kinds.length === 1 ? '' : 's'} (${kinds.join(', ')})`,
    machine.targetsExist ? 'targets made by people' : 'targets to be made',
    `copied live in ${machine.liveCopyMs} ms, offline in ${machine.offlineCopyMs} ms`,
    ...(machine.failures > 0 ? [`live copies and ${machine.failures} offline fail at first`] : []),
  ].join(', ');
};

const migrationLine = ({ namespace, name, machines, server, retention }: PlannedMigration): string =>
  `StorageMigration ${namespace}/${name} of ${machines.join(', ')} is made: ${server}, ${retention}`;

const actLine = (act: Act, { fleet }: Schedule): string =>
  act.kind === 'machine'
    ? `people, ${fleet.machines[act.machine]?.name}: ${act.what}`
    : `people, ${fleet.migrations[act.migration]?.name}: ${act.what}`;

const faultLine = ({ kind, verb, plural, times, fault }: PlannedFault & { readonly verb?: string }): string => {
  const { kind: what, ...how } = fault;
  const details = Object.entries(how).map(([name, value]) => `${name} ${value}`);
  const aim = [verb, plural].filter((word) => word !== undefined).join(' ');
  return `from now on the next ${times === 1 ? '' : `${times} `}${aim === '' ? kind : `${kind} (${aim})`}: ${[what, ...details].join(', ')}`;
};

const endLine = (end: PlannedEnd): string => {
  switch (end.kind) {
    case 'crash':
      return `the daemon dies, the next starts after ${end.awayMs} ms`;
    case 'restart':
      return `the daemon is told to end, the next starts after ${end.awayMs} ms`;
    case 'handover':
      return `a second daemon starts, the first is ${end.told ? 'told to end' : 'killed'} after ${end.bothMs} ms`;
    default:
      return end satisfies never;
  }
};

/** The lines of a schedule; times in ms from the start of the first daemon. */
export const scheduleText = (schedule: Schedule): readonly string[] => {
  const { fleet, faults, ends, cacheMs, beginsMs } = schedule;
  const events = [
    ...fleet.migrations.map((migration) => [migration.createdAtMs, migrationLine(migration)] as const),
    ...fleet.acts.map((act) => [act.atMs, actLine(act, schedule)] as const),
    ...faults.map((fault) => [fault.atMs, faultLine(fault)] as const),
    ...ends.map((end) => [end.atMs, endLine(end)] as const),
    [fleet.quietAtMs, 'quiet'] as const,
  ].toSorted(([a], [b]) => a - b);
  return [
    ...fleet.machines.map(machineLine),
    ...(cacheMs > 0 ? [`virt-controller knows VMs as they were ${cacheMs} ms ago`] : []),
    `the first daemon starts ${beginsMs} ms after the machines were made, and ms later`,
    ...events.map(([atMs, line]) => `${String(atMs).padStart(8)}  ${line}`),
  ];
};
