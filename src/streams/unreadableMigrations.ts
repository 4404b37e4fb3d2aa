// From snapshots to the StorageMigrations that exist and cannot be read: the one kind of malformed object on which we
// can leave a note for whoever wrote it.
import { Observable, type OperatorFunction } from 'rxjs';
import type { Malformed } from '../core/projection.ts';
import { keyText, type MigrationKey } from '../core/reading.ts';
import { listen } from '../operators/listen.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Emits the key of a migration when it is first seen unreadable, when it has changed and still is, and once when it is
 * no more.
 *
 *     snapshots  s--s--s--s--s--     m cannot be read, changes, and is mended
 *     out        ---m--m-----m--
 */
export const unreadableMigrations = (): OperatorFunction<Snapshot, MigrationKey> => (snapshots) =>
  new Observable((subscriber) => {
    let known = new Map<string, Malformed>();
    listen(snapshots, subscriber, {
      next: ({ migrations }) => {
        const before = known;
        known = new Map();
        for (const malformed of migrations.malformed()) known.set(keyText(keyOf(malformed)), malformed);
        for (const [text, malformed] of before) if (!known.has(text)) subscriber.next(keyOf(malformed));
        for (const [text, malformed] of known) {
          // What a store holds is never changed, so another version is another object.
          if (before.get(text) !== malformed) subscriber.next(keyOf(malformed));
        }
      },
      complete: () => subscriber.complete(),
    });
  });

const keyOf = ({ namespace, name }: Malformed): MigrationKey => ({ namespace, migration: name });
