// Takes out of a state what can no longer be told apart by anybody: names of things that are gone.
import type { Machine, Rec, World } from './world.ts';

const tidyMachine = (machine: Machine, lateRecs: readonly (Rec | undefined)[]): void => {
  const recs = [machine.rec.real, machine.rec.seen, ...lateRecs].flatMap((rec) => rec ?? []);
  const { real, seen } = machine.vmi;
  const vmims = new Set([...machine.vmims.real, ...machine.vmims.seen].map(({ uid }) => uid));
  for (const vmi of [real.now, real.last, seen.now, seen.last]) {
    if (vmi?.attempt !== undefined) vmims.add(vmi.attempt.vmim);
  }
  for (const { live } of recs) {
    if (live !== undefined) live.known = live.known.filter((uid) => vmims.has(uid));
  }
  // The last words of a VMI are asked for only by a record that names it.
  const asked = new Set(recs.flatMap(({ live }) => live?.vmi ?? []));
  if (seen.now !== undefined) asked.add(seen.now.uid);
  if (real.last !== undefined && !asked.has(real.last.uid)) real.last = undefined;
  if (seen.last !== undefined && !asked.has(seen.last.uid)) seen.last = undefined;
};

export const tidy = (world: World): void => {
  const { late } = world;
  for (const machine of world.machines) tidyMachine(machine, [late?.rec?.before, late?.rec?.after]);
};
