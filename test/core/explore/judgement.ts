// What the core decides, in the terms of the explored world; and the same with other ids, for a sight that was judged
// before under other names.
import type { Rec, VmPatch } from './world.ts';

export type Act =
  | { readonly kind: 'record'; readonly why: string; readonly rec: Rec }
  | { readonly kind: 'patch'; readonly patch: VmPatch };

/** A decision about one machine, in the terms of the world. */
export interface Judgement {
  readonly acts: readonly Act[];
  readonly begins: boolean;
  /** The cut-over waits for time alone. */
  readonly waitsForQuiet: boolean;
  readonly attention: string;
  readonly phase: string;
  /** A law of design §3 that the decision itself breaks. */
  readonly broken: string;
}

export interface GroupJudgement {
  /** uids of pods to delete. */
  readonly deletes: readonly number[];
  readonly createServer: readonly boolean[] | undefined;
  readonly createClients: readonly { readonly machine: number; readonly disk: number; readonly copy: number }[];
}

export interface MigrationJudgement {
  readonly finalizer: 'add' | 'remove' | 'keep';
  /** By machine: what its record becomes. */
  readonly accepted: readonly (Rec | undefined)[];
  readonly dropped: readonly boolean[];
}

export interface Shape {
  readonly machines: number;
  readonly disks: number;
}

/** An id of a judged sight, as it is called in the sight that is asked about. */
export const nameIn = (order: readonly number[], id: number): number => (id === 0 ? 0 : (order[id - 1] ?? 0));

export const renamedRec = (rec: Rec, order: readonly number[]): Rec => ({
  ...rec,
  live: rec.live && {
    ...rec.live,
    vmi: nameIn(order, rec.live.vmi),
    generation: nameIn(order, rec.live.generation),
    known: rec.live.known.map((id) => nameIn(order, id)),
  },
  over: rec.over && { vmi: nameIn(order, rec.over.vmi), vmim: nameIn(order, rec.over.vmim) },
  offline: rec.offline && {
    id: nameIn(order, rec.offline.id),
    offSince: nameIn(order, rec.offline.offSince),
    copied: [...rec.offline.copied],
    failures: rec.offline.failures.map((failure) => ({ ...failure, pod: nameIn(order, failure.pod) })),
  },
  cutOver: nameIn(order, rec.cutOver),
});

export const renamedAct = (act: Act, order: readonly number[]): Act =>
  act.kind === 'record'
    ? { ...act, rec: renamedRec(act.rec, order) }
    : { kind: 'patch', patch: { ...act.patch, version: nameIn(order, act.patch.version) } };
