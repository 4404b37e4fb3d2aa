// From watches to snapshots: nothing counts before every kind is listed, and a burst makes few snapshots.
import { distinctUntilChanged, filter, map } from 'rxjs';
import { describe, test } from 'vitest';
import { isSynced, type Snapshot } from '../../../src/streams/snapshot.ts';
import { marbles } from '../marbles.ts';
import { watched } from './watched.ts';

const synced = { f: false, t: true };

/** Phase of the VMI and of the first virt-launcher of web, as a snapshot has them. */
const seen = ({ instances, pods }: Snapshot): string =>
  `${instances.get('shop', 'web')?.phase ?? 'none'} ${pods.get('shop', 'first-web')?.phase ?? 'none'}`;

describe('snapshotOf', () => {
  test('is synced when every kind is listed, the slowest of them included', () => {
    marbles((helpers) => {
      const { snapshots } = watched(helpers, {
        cluster: { vm: '   uU---------' },
        lists: {
          pods: '         ---(a|)',
          virtualmachines: ' --(a|)',
          kubevirts: '    ------(a|)',
        },
      });
      const out = snapshots.pipe(map(isSynced), distinctUntilChanged());
      helpers.expectObservable(out, ' ^---------!').toBe('f-----t---', synced);
    });
  });

  test('is synced although a kind has no objects', () => {
    marbles((helpers) => {
      const { snapshots } = watched(helpers, { cluster: { vm: '-' } });
      helpers.expectObservable(snapshots.pipe(map(isSynced), distinctUntilChanged()), '^---!').toBe('(ft)', synced);
    });
  });

  test('stays synced, and keeps what it has, while a watch is broken', () => {
    marbles((helpers) => {
      const { snapshots } = watched(helpers, {
        cluster: { vm: ' u-------------', first: 'r----------t--' },
        cuts: { pods: '   -----x' },
      });
      const out = snapshots.pipe(
        map((snapshot) => ({ synced: isSynced(snapshot), pod: snapshot.pods.get('shop', 'first-web')?.deleting })),
        filter(({ synced: isWhole }) => isWhole),
        distinctUntilChanged((a, b) => a.pod === b.pod && a.synced === b.synced),
      );
      helpers.expectObservable(out, '^-------------!').toBe('r----------t--', {
        r: { synced: true, pod: false },
        t: { synced: true, pod: true },
      });
    });
  });

  test('says the first of a burst at once, and of the rest only where it has come to', () => {
    marbles((helpers) => {
      const { snapshots } = watched(helpers, {
        cluster: {
          vm: '   u---------------------',
          vmi: '  -----p----r-----------f--',
          first: '-----------p-r-----------',
        },
        auditMs: 4,
      });
      const out = snapshots.pipe(filter(isSynced), map(seen), distinctUntilChanged());
      helpers.expectObservable(out, '^------------------------!').toBe('----n---p---q---e-----f', {
        n: 'none none',
        p: 'Scheduling none',
        q: 'Running Pending',
        e: 'Running Running',
        f: 'Succeeded Running',
      });
    });
  });

  test('lets every watch go when nobody listens any more', () => {
    marbles((helpers) => {
      const { snapshots, played } = watched(helpers, { cluster: { vm: 'u---------' } });
      helpers.expectObservable(snapshots.pipe(map(isSynced), distinctUntilChanged()), '^-----!').toBe('(ft)', synced);
      for (const watch of played.watches()) helpers.expectSubscriptions(watch).toBe('          ^-----!');
    });
  });
});
