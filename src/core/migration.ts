// Decides about a StorageMigration as a whole: its finalizer, which machines are accepted, which entries are done
// with. Pure. Records for accepted machines are written before anything is begun for them (law 8).
import { type Acceptance, accept } from './accept.ts';
import type { MachineFacts } from './facts.ts';
import type { Pod, StorageMigration } from './objects.ts';

export interface MigrationView {
  readonly migration: StorageMigration;
  /** Every machine that spec names or status has a record of. */
  readonly members: readonly MachineFacts[];
  /** Every pod that carries the label of this migration. */
  readonly pods: readonly Pod[];
}

export interface MigrationDecision {
  /** `add` before anything is begun; `remove` when a deleted migration has undone what was not finished. */
  readonly finalizer: 'add' | 'remove' | 'keep';
  /** The judgement on machines that have no record; undefined when there are none. */
  readonly acceptance: Acceptance | undefined;
  /** Machines whose entry leaves the status, with the record: undone and no longer asked for. */
  readonly dropped: ReadonlySet<string>;
}

/**
 * Nothing of this migration is left to be undone for the machine: it stands on the claim in authority, or on claims
 * that others have named, and no copy pod of ours mounts its claims.
 */
export const isUndone = (facts: MachineFacts): boolean => {
  const { record } = facts;
  if (facts.copyPods.some((pod) => pod.migrationUid === facts.view.migration.uid)) return false;
  if (record === undefined || record.completed !== undefined || facts.identity !== 'same') return true;
  const isCutOver = record.cutOver !== undefined && facts.spec === 'target';
  return record.live === undefined && record.switchedOver === undefined && !isCutOver;
};

/** Decides for one migration. */
export const decideMigration = (view: MigrationView, finalizer: string): MigrationDecision => {
  const { migration, members } = view;
  const held = migration.finalizers.includes(finalizer);
  const dropped = new Set(
    members
      .filter((facts) => facts.record !== undefined && facts.record.completed === undefined)
      .filter((facts) => facts.goal === 'cancel' && isUndone(facts))
      .map((facts) => facts.name),
  );
  if (migration.deleting) {
    const undone = view.pods.length === 0 && members.every(isUndone);
    return { finalizer: held && undone ? 'remove' : 'keep', acceptance: undefined, dropped };
  }
  const candidates = members.flatMap((facts) =>
    facts.wanted !== undefined && facts.record === undefined ? [{ view: facts.view, wanted: facts.wanted }] : [],
  );
  const taken = new Map(members.flatMap(({ name, record }) => (record === undefined ? [] : [[name, record] as const])));
  const acceptance = candidates.length === 0 ? undefined : accept(candidates, taken);
  const needsFinalizer = !held && (acceptance?.kind === 'accepted' || members.some((facts) => !isUndone(facts)));
  return { finalizer: needsFinalizer ? 'add' : 'keep', acceptance, dropped };
};
