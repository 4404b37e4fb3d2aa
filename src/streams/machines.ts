// From snapshots to one event per machine whose facts may have changed: facts by value, so that a snapshot in which
// nothing changed for a machine says nothing about it. A machine that has left every migration is said to be gone.
import { Observable, type OperatorFunction } from 'rxjs';
import { factsOf, type MachineFacts } from '../core/facts.ts';
import type { StorageMigration } from '../core/objects.ts';
import { keyText, type MachineKey } from '../core/reading.ts';
import { listen } from '../operators/listen.ts';
import { ingredientsOf, machineViewOf } from './machineView.ts';
import { isSynced, type Snapshot } from './snapshot.ts';

export interface MachineChange {
  readonly key: MachineKey;
  /** Undefined: the machine is gone from its migration, or the migration is gone. */
  readonly facts: MachineFacts | undefined;
}

/** Names of the machines a migration names, now or in its records. */
export const memberNames = (migration: StorageMigration): ReadonlySet<string> =>
  new Set([
    ...migration.spec.virtualMachines.map((machine) => machine.name),
    ...(migration.status?.virtualMachines ?? []).map((entry) => entry.name),
  ]);

interface Known {
  readonly key: MachineKey;
  readonly ingredients: readonly unknown[];
}

const areEqual = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);

/**
 * Emits the machines that changed with each snapshot, and those that are gone.
 *
 *     snapshots  s0------s1------s2---
 *     out        (ab)----b-------a----     in s1 only b changed
 */
export const machinesOf = (): OperatorFunction<Snapshot, MachineChange> => (snapshots) =>
  new Observable((subscriber) => {
    const known = new Map<string, Known>();
    listen(snapshots, subscriber, {
      next: (snapshot) => {
        if (!isSynced(snapshot)) return;
        const present = new Set<string>();
        const changes: MachineChange[] = [];
        for (const migration of snapshot.migrations.all()) {
          for (const machine of memberNames(migration)) {
            const key = { namespace: migration.namespace, migration: migration.name, machine };
            const text = keyText(key);
            present.add(text);
            const view = machineViewOf(snapshot, migration, machine);
            const ingredients = ingredientsOf(view, snapshot);
            const before = known.get(text);
            if (before !== undefined && areEqual(before.ingredients, ingredients)) continue;
            known.set(text, { key, ingredients });
            changes.push({ key, facts: factsOf(view) });
          }
        }
        for (const [text, { key }] of known) {
          const migration = snapshot.migrations.malformedAt(key.namespace, key.migration);
          if (present.has(text) || migration !== undefined) continue;
          known.delete(text);
          changes.push({ key, facts: undefined });
        }
        for (const change of changes) subscriber.next(change);
      },
      complete: () => subscriber.complete(),
    });
  });
