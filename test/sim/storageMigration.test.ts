// What a StorageMigration promises (design §6), on the simulated cluster: what pausing and retention do, and what people
// read meanwhile.
import { describe, expect, test } from 'vitest';
import { act, letPass, type Moment, scene, until } from './scene.ts';
import { at } from './sight.ts';
import {
  ask,
  db,
  exists,
  halted,
  isDone,
  isRunning,
  make,
  patchMigration,
  ref,
  sideOf,
  web,
} from './storageMigrationFixtures.ts';

describe('paused', () => {
  test.each([
    ['a running VM', { runStrategy: 'Always' }],
    ['a stopped VM', halted],
  ])('%s: nothing is started until it is resumed', (_, vm) => {
    scene(
      [web],
      [
        make(vm),
        letPass(3000),
        ask({ paused: true }),
        letPass(30_000),
        act((performing) => {
          expect(performing.deeds).toEqual([]);
          expect(performing.condition('Progressing')).toMatchObject({ status: 'False', reason: 'Paused' });
          patchMigration(performing, { paused: false });
        }),
        until(isDone(web)),
      ],
    );
  });

  test('a copy under way goes on, and the cut-over waits', () => {
    scene(
      [web],
      [
        make(halted),
        letPass(1000),
        ask(),
        until(({ copyPods }) => copyPods().length === 2),
        act((performing) => patchMigration(performing, { paused: true })),
        letPass(30_000),
        act((performing) => {
          expect(sideOf(performing, web)).toBe('source');
          expect(performing.copyPods()).toEqual([]);
          patchMigration(performing, { paused: false });
        }),
        until(isDone(web)),
        act((performing) => expect(performing.deeds.filter((deed) => deed.includes('added pods')).length).toBe(2)),
      ],
    );
  });

  test('a live migration under way is seen to its end', () => {
    scene(
      [web],
      [
        make({}),
        until(isRunning(web)),
        ask(),
        until((performing) => sideOf(performing, web) === 'target'),
        act((performing) => patchMigration(performing, { paused: true })),
        until(isDone(web)),
      ],
    );
  });

  test('a machine that stops in the middle of a live migration is reverted all the same, and copied when resumed', () => {
    scene(
      [web],
      [
        make({}),
        until(isRunning(web)),
        ask(),
        until((performing) => sideOf(performing, web) === 'target'),
        act((performing) => {
          patchMigration(performing, { paused: true });
          performing.world.people.stop(ref(web));
        }),
        letPass(60_000),
        act((performing) => {
          expect(sideOf(performing, web)).toBe('source');
          expect(performing.deeds.some((deed) => deed.includes('added pods'))).toBe(false);
          patchMigration(performing, { paused: false });
        }),
        until(isDone(web)),
      ],
    );
  });
});

describe('retention', () => {
  const dataVolume = { disks: [{ name: 'disk0', claim: 'web-old', target: 'web-new', dataVolume: 'plain' as const }] };

  test.each([
    ['a claim', {}],
    ['a claim behind a DataVolume', dataVolume],
  ])('DeleteSource deletes the source of a VM moved live: %s', (_, vm) => {
    scene(
      [web],
      [
        make(vm),
        until(isRunning(web)),
        ask({ retention: 'DeleteSource' }),
        until(isDone(web)),
        until((performing) => !exists(performing, 'web-old')),
        letPass(5000),
        act((performing) => {
          expect(exists(performing, 'web-new')).toBe(true);
          expect(at(performing.entry(web), 'record', 'sourcesDeleted')).toBe(true);
        }),
      ],
    );
  });

  test('DeleteSource keeps the source of a VM moved while it was off until it was seen running on the target', () => {
    scene(
      [web],
      [
        make(halted),
        letPass(1000),
        ask({ retention: 'DeleteSource' }),
        until(isDone(web)),
        letPass(120_000),
        act((performing) => {
          expect(exists(performing, 'web-old')).toBe(true);
          performing.world.people.start(ref(web));
        }),
        until((performing) => !exists(performing, 'web-old')),
        act((performing) => expect(isRunning(web)(performing)).toBe(true)),
      ],
    );
  });

  test('KeepSource keeps it', () => {
    scene(
      [web],
      [
        make({}),
        until(isRunning(web)),
        ask(),
        until(isDone(web)),
        letPass(120_000),
        act((performing) => expect(exists(performing, 'web-old')).toBe(true)),
      ],
    );
  });

  test('DeleteSource asked for later deletes it later', () => {
    scene(
      [web],
      [
        make({}),
        until(isRunning(web)),
        ask(),
        until(isDone(web)),
        letPass(10_000),
        act((performing) => patchMigration(performing, { retention: 'DeleteSource' })),
        until((performing) => !exists(performing, 'web-old')),
      ],
    );
  });
});

describe('what people read', () => {
  test('one machine after the other: summary, modes, progress, conditions', () => {
    const seen: string[] = [];
    const both: Moment = (performing) => {
      performing.world.server.changes$.subscribe(({ resource, object }) => {
        if (resource.plural !== 'storagemigrations') return;
        const status = ['summary', 'mode', 'progress'].map((field) => at(object, 'status', field)).join(' ');
        if (status !== '  ' && seen.at(-1) !== status) seen.push(status);
      });
      return letPass(0)(performing);
    };
    scene(
      [web, db],
      [
        act((performing) => {
          performing.create(web);
          performing.create(db, halted);
        }),
        until(isRunning(web)),
        both,
        act((performing) => performing.move(performing.specOf(web, db))),
        until((performing) => isDone(web)(performing) && isDone(db)(performing)),
        letPass(3000),
        act((performing) => {
          expect(seen.at(0)).toMatch(/^0\/2 .* 0\/2$/);
          expect(seen.some((each) => each.startsWith('1/2 '))).toBe(true);
          expect(seen.some((each) => each.includes('Live') && each.includes('Offline'))).toBe(true);
          expect(seen.at(-1)).toBe('2/2 Done 2/2');
          expect(performing.condition('Succeeded')).toMatchObject({ status: 'True', reason: 'AllMoved' });
          expect(performing.condition('Progressing')).toMatchObject({ status: 'False', reason: 'Finished' });
          expect(performing.condition('Failed').status).toBe('False');
          expect(performing.condition('NeedsAttention').status).toBe('False');
          const migration = performing.migration();
          expect(at(migration, 'status', 'observedGeneration')).toBe(migration?.metadata.generation);
        }),
      ],
    );
  });

  test('a copy that fails again and again is given up with the reason, and tried again after a change of spec', () => {
    let fails = true;
    scene(
      [web],
      [
        make(halted),
        letPass(1000),
        ask(),
        until((performing) => performing.condition('Failed').status === 'True'),
        act((performing) => {
          expect(performing.condition('Failed')).toMatchObject({ reason: 'RsyncFailed' });
          expect(performing.condition('Failed').message).toContain('rsync');
          expect(sideOf(performing, web)).toBe('source');
          fails = false;
          patchMigration(performing, { transfer: { verify: true } });
        }),
        until(isDone(web)),
      ],
      {
        world: {
          copy: {
            failure: () => (fails ? { exitCode: 12, share: 0.3, message: 'rsync: connection refused' } : undefined),
          },
        },
      },
    );
  });

  test('a live migration that fails again and again is given up and taken back', () => {
    scene(
      [web],
      [
        make({}),
        until(isRunning(web)),
        act(({ world }) => world.kubeVirt.nodeSide(ref(web), { copy: 'fail' })),
        ask(),
        until((performing) => performing.condition('Failed').status === 'True'),
        until((performing) => sideOf(performing, web) === 'source'),
        act((performing) => {
          expect(performing.condition('Failed').reason).toBe('LiveMigrationFailing');
          expect(isRunning(web)(performing)).toBe(true);
        }),
      ],
    );
  });
});
