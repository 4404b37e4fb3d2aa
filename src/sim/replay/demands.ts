// Watches over what must be decided at once: looked for after every event, so that a decision which never comes, because
// nobody was woken, is found as well as a wrong one.
import { type Demand, demandOf } from './evidence.ts';
import { type Decided, satisfies } from './laws.ts';
import type { Seen } from './seen.ts';

export interface Demands {
  /** Looks what is demanded of each machine now. */
  readonly note: () => void;
  /** This was decided about a machine (`namespace/name`). */
  readonly decided: (machine: string, decided: Decided) => void;
  /** What was not decided in time, since the last time this was asked. */
  readonly overdue: () => readonly string[];
}

/** Nothing is demanded before `isSynced`; after `promptMs` it is late. */
export const demandsOn = (seen: Seen, isSynced: () => boolean, now: () => number, promptMs: number): Demands => {
  const demands = new Map<string, { readonly is: Demand; readonly sinceMs: number; met: boolean }>();
  const late: string[] = [];
  const noteOne = (machine: string, demand: Demand | undefined): void => {
    const known = demands.get(machine);
    if (known !== undefined && !known.met && now() - known.sinceMs > promptMs) {
      late.push(`law 9, ending never waits: ${machine}: ${known.is} was not decided within ${promptMs} ms`);
      known.met = true;
    }
    if (demand === undefined) demands.delete(machine);
    else if (known?.is !== demand) demands.set(machine, { is: demand, sinceMs: now(), met: false });
  };
  const note = (): void => {
    for (const migration of seen.migrations()) {
      for (const { name } of migration.spec.virtualMachines) {
        const demand = isSynced() ? demandOf(seen.sightOf(migration, name)) : undefined;
        noteOne(`${migration.namespace}/${name}`, demand);
      }
    }
  };
  return {
    note,
    decided: (machine, decided) => {
      const known = demands.get(machine);
      if (known !== undefined && satisfies(known.is, decided)) known.met = true;
    },
    overdue: () => {
      note();
      return late.splice(0);
    },
  };
};
