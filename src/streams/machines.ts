// From snapshots to one event per machine whose facts may have changed: facts by value, so that a snapshot in which
// nothing changed for a machine says nothing about it. A machine that has left every migration is said to be gone.
import { Observable, type OperatorFunction } from 'rxjs';
import type { MachineFacts } from '../core/facts.ts';
import type { MachineKey } from '../core/reading.ts';
import { listen } from '../operators/listen.ts';
import { type FactsMemory, factsMemory, membersOf } from './factsMemory.ts';
import { isSynced, type Snapshot } from './snapshot.ts';

export interface MachineChange {
  readonly key: MachineKey;
  /** Undefined: the machine is gone from its migration, or the migration is gone. */
  readonly facts: MachineFacts | undefined;
}

interface Known {
  readonly key: MachineKey;
  facts: MachineFacts;
  /** Number of the snapshot in which a migration named it last. */
  namedIn: number;
}

/**
 * Emits the machines that changed with each snapshot, and those that are gone. `memory` is shared with the reading of
 * the effects, which ask for the same facts.
 *
 *     snapshots  s0------s1------s2---
 *     out        (ab)----b-------a----     in s1 only b changed
 */
export const machinesOf =
  (memory: FactsMemory = factsMemory()): OperatorFunction<Snapshot, MachineChange> =>
  (snapshots) =>
    new Observable((subscriber) => {
      const known = new Map<string, Known>();
      let number = 0;
      listen(snapshots, subscriber, {
        next: (snapshot) => {
          if (!isSynced(snapshot)) return;
          number += 1;
          const changes: MachineChange[] = [];
          const factsOf = memory.at(snapshot);
          for (const migration of snapshot.migrations.all()) {
            for (const member of membersOf(migration).values()) {
              const { key, text } = member;
              const facts = factsOf(migration, member);
              const before = known.get(text);
              if (before !== undefined) before.namedIn = number;
              if (before?.facts === facts) continue;
              if (before === undefined) known.set(text, { key, facts, namedIn: number });
              else before.facts = facts;
              changes.push({ key, facts });
            }
          }
          for (const [text, { key, namedIn }] of known) {
            if (namedIn === number) continue;
            if (snapshot.migrations.malformedAt(key.namespace, key.migration) !== undefined) continue;
            known.delete(text);
            memory.forget(text);
            changes.push({ key, facts: undefined });
          }
          for (const change of changes) subscriber.next(change);
        },
        complete: () => subscriber.complete(),
      });
    });
