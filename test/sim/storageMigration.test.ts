// What a StorageMigration promises (design §6), on the simulated cluster: which ones are refused and why, what deleting,
// pausing and retention do, and what people read meanwhile.
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { seededRandom } from '../../src/sim/apiServer/seededRandom.ts';
import type { Act, Fleet, PlannedMachine } from '../../src/sim/scenario/fleet.ts';
import { rows } from '../../src/sim/scenario/rows.ts';
import type { WorldOptions } from '../../src/sim/scenario/world.ts';
import { performFleet } from './playedFleet.ts';
import { act, letPass, type Moment, machine, namespace, type Scene, scene, until } from './scene.ts';
import { at, type Machine, sight } from './sight.ts';

const web = machine('web');
const db = machine('db');
const vmOf = ({ world }: Scene, { name }: Machine): KubeObject | undefined =>
  world.server.read(resources.virtualMachines, { namespace, name });
const sideOf = (performing: Scene, of: Machine) => sight.sideOf(vmOf(performing, of), of);
const isRunning =
  (of: Machine) =>
  ({ world }: Scene): boolean =>
    at(world.server.read(resources.virtualMachineInstances, { namespace, name: of.name }), 'status', 'phase') ===
    'Running';
const isDone =
  (of: Machine) =>
  (performing: Scene): boolean =>
    at(performing.entry(of), 'mode') === 'Done';
const ref = ({ name }: Machine) => ({ namespace, name });
const patchSpec = ({ world }: Scene, of: Machine, template: object): void => {
  const body = { spec: { template: { spec: template } } };
  world.server.patch(resources.virtualMachines, ref(of), { type: 'merge', body }, 'user');
};
const patchMigration = ({ world }: Scene, spec: object): void => {
  world.server.patch(
    resources.storageMigrations,
    { namespace, name: 'move' },
    { type: 'merge', body: { spec } },
    'user',
  );
};
const exists = ({ world }: Scene, claim: string): boolean =>
  world.server.read(resources.persistentVolumeClaims, { namespace, name: claim }) !== undefined;

const halted = { runStrategy: 'Halted' } as const;
const plain = (target: string, volume = 'disk0') => ({ name: volume, target: { claimName: target } });

interface Refused {
  readonly why: string;
  readonly reason: string;
  /** What the message must name. */
  readonly names: readonly string[];
  readonly set?: (performing: Scene) => void;
  readonly spec?: (performing: Scene) => object;
  readonly world?: WorldOptions;
}

const moveWeb =
  (volumes: readonly object[] = [plain('web-new')]) =>
  () => ({ virtualMachines: [{ name: 'web', volumes }] });

const refused: readonly Refused[] = [
  {
    why: 'a VM that does not exist',
    reason: 'UnknownVirtualMachine',
    names: ['spec.virtualMachines[nobody]', 'nobody'],
    spec: () => ({ virtualMachines: [{ name: 'nobody', volumes: [plain('x')] }] }),
  },
  {
    why: 'a volume the VM does not have',
    reason: 'UnknownVolume',
    names: ['.volumes[disk7]', 'disk0'],
    spec: moveWeb([plain('web-new', 'disk7')]),
  },
  {
    why: 'a target that is the source',
    reason: 'TargetIsSource',
    names: ['.target.claimName', 'web-old'],
    spec: moveWeb([plain('web-old')]),
  },
  {
    why: 'a claim that two machines are to be moved to',
    reason: 'ClaimNamedTwice',
    names: ['web-new'],
    set: (performing) => performing.create(db, halted),
    spec: () => ({
      virtualMachines: [
        { name: 'web', volumes: [plain('web-new')] },
        { name: 'db', volumes: [plain('web-new')] },
      ],
    }),
  },
  {
    why: 'a target that another VM is on',
    reason: 'TargetInUse',
    names: ['db-old', 'db'],
    set: (performing) => performing.create(db, halted),
    spec: moveWeb([plain('db-old')]),
  },
  {
    why: 'a target of another unfinished StorageMigration',
    reason: 'TargetInUse',
    names: ['web-new', 'first'],
    set: (performing) => {
      performing.create(db, { runStrategy: 'Halted' });
      performing.move({ virtualMachines: [{ name: 'db', volumes: [plain('web-new')] }], paused: true }, 'first');
    },
    spec: moveWeb([plain('web-new')]),
  },
  {
    why: 'a target that a pod mounts',
    reason: 'TargetInUse',
    names: ['web-new', 'backup'],
    set: ({ world }) =>
      void world.server.create(
        resources.pods,
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'backup', namespace },
          spec: {
            containers: [{ name: 'c', image: 'i' }],
            volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'web-new' } }],
          },
        },
        'user',
      ),
  },
  {
    why: 'a target that is too small',
    reason: 'TargetTooSmall',
    names: ['small', 'web-old'],
    set: ({ world }) => world.people.createClaim({ namespace, name: 'small' }, { size: '500Mi' }),
    spec: moveWeb([plain('small')]),
  },
  {
    why: 'some but not all ReadWriteOnce disks of a running VM',
    reason: 'DiskLeftOut',
    names: ['disk1'],
    set: (performing) => performing.create(machine('two', ['disk0', 'disk1'])),
    spec: () => ({ virtualMachines: [{ name: 'two', volumes: [plain('two-disk0-new')] }] }),
  },
  {
    why: 'a shareable disk',
    reason: 'VolumeNotMovable',
    names: ['disk0', 'shareable'],
    set: (performing) =>
      performing.create(db, {
        ...halted,
        disks: [{ name: 'disk0', claim: 'db-old', target: 'db-new', shareable: true }],
      }),
    spec: () => ({ virtualMachines: [{ name: 'db', volumes: [plain('db-new')] }] }),
  },
  {
    why: 'a LUN',
    reason: 'VolumeNotMovable',
    names: ['disk0', 'lun'],
    set: (performing) =>
      patchSpec(performing, web, { domain: { devices: { disks: [{ name: 'disk0', lun: { bus: 'scsi' } }] } } }),
  },
  {
    why: 'a virtiofs volume',
    reason: 'VolumeNotMovable',
    names: ['disk0', 'virtiofs'],
    set: (performing) =>
      patchSpec(performing, web, {
        domain: { devices: { disks: [], filesystems: [{ name: 'disk0', virtiofs: {} }] } },
      }),
  },
  {
    why: 'a cluster that stages updates',
    reason: 'RolloutStrategyNotLiveUpdate',
    names: ['vmRolloutStrategy'],
    world: { kubeVirt: { settings: { rolloutStrategy: 'Stage' } } },
  },
  {
    why: 'a cluster that does not migrate live',
    reason: 'LiveMigrateNotEnabled',
    names: ['workloadUpdateMethods', 'Evict'],
    world: { kubeVirt: { settings: { workloadUpdateMethods: ['Evict'] } } },
  },
  {
    why: 'a VM that needs a restart first',
    reason: 'RestartRequired',
    names: ['db', 'restart'],
    set: (performing) => {
      performing.create(db);
      performing.world.server.changes$.subscribe(() => {
        const vm = vmOf(performing, db);
        if (isRunning(db)(performing) && at(vm, 'spec', 'template', 'spec', 'hostname') === undefined) {
          patchSpec(performing, db, { hostname: 'other' });
        }
      });
    },
    spec: () => ({ virtualMachines: [{ name: 'db', volumes: [plain('db-new')] }] }),
  },
  {
    why: 'a VM that is in another unfinished migration',
    reason: 'InAnotherMigration',
    names: ['web', 'first'],
    set: (performing) => performing.move({ ...moveWeb([plain('web-first')])(), paused: true }, 'first'),
  },
];

describe('is refused with the field to mend, and nothing is started', () => {
  test.each(refused)('$why', ({ reason, names, set, spec = moveWeb(), world }) => {
    scene(
      [],
      [
        act((performing) => performing.create(web, halted)),
        act((performing) => set?.(performing)),
        letPass(5000),
        act((performing) => performing.move(spec(performing))),
        letPass(20_000),
        act((performing) => {
          const ready = performing.condition('Ready');
          expect(ready).toMatchObject({ status: 'False', reason });
          for (const name of names) expect(ready.message).toContain(name);
          expect(performing.condition('Progressing').status).toBe('False');
          expect(performing.deeds).toEqual([]);
        }),
      ],
      world === undefined ? {} : { world },
    );
  });

  test('and goes on by itself once it is mended', () => {
    scene(
      [web],
      [
        act((performing) => performing.move(performing.specOf(web))),
        letPass(5000),
        act((performing) => {
          expect(performing.condition('Ready').reason).toBe('UnknownVirtualMachine');
          performing.create(web, halted);
        }),
        until(isDone(web)),
        act((performing) => expect(performing.condition('Ready').status).toBe('True')),
      ],
    );
  });

  test('one mistake refuses all machines of the object, and each says its own', () => {
    scene(
      [web],
      [
        act((performing) => performing.create(web, halted)),
        act((performing) =>
          performing.move({
            virtualMachines: [...performing.specOf(web).virtualMachines, { name: 'nobody', volumes: [plain('x')] }],
          }),
        ),
        letPass(20_000),
        act((performing) => {
          expect(performing.deeds).toEqual([]);
          expect(at(performing.entry(machine('nobody')), 'message')).toContain('nobody');
        }),
      ],
    );
  });
});

/** The machines of a row and their StorageMigration, which people delete `atMs` after it was made. */
const deletedFleet = (row: (typeof rows)[number], atMs: number, more: readonly Act[] = []): Fleet => ({
  machines: row.machines.map(
    ({ name, on }): PlannedMachine => ({
      ...machine(name),
      runStrategy: on ? 'Always' : 'Halted',
      started: false,
      diskKinds: ['claim'],
      targetsExist: true,
      liveCopyMs: 2000,
      offlineCopyMs: 3000,
      failures: 0,
    }),
  ),
  migrations: [
    {
      name: 'move',
      namespace,
      machines: row.machines.map(({ name }) => name),
      server: 'Shared',
      retention: 'KeepSource',
      createdAtMs: 0,
    },
  ],
  acts: [...more, { atMs, kind: 'migration' as const, migration: 0, what: 'delete' as const }].toSorted(
    (a, b) => a.atMs - b.atMs,
  ),
  quietAtMs: atMs + 5000,
});

describe('deleting it in the middle cancels what is not finished and leaves every VM on the claim in authority', () => {
  for (const row of rows) {
    test(`the machines of row ${row.number}, at any moment`, () => {
      for (let atMs = 0; atMs < 12_000; atMs += 397) {
        const { result, stage } = performFleet({ fleet: deletedFleet(row, atMs), random: seededRandom(atMs + 1) });
        if (result.faults.length > 0)
          expect.fail([`deleted at ${atMs}`, ...result.faults, ...stage.watch.recent(40)].join('\n'));
        expect(result.cancelled).toBe(row.machines.length);
      }
    });
    test(`the machines of row ${row.number}, as they are started and stopped`, () => {
      for (let atMs = 3000; atMs < 9000; atMs += 613) {
        for (const beforeMs of [-60, -3, 0, 3, 60, 700]) {
          const acts = row.changed.map((name): Act => {
            const index = row.machines.findIndex((each) => each.name === name);
            return {
              atMs: atMs - beforeMs,
              kind: 'machine',
              machine: index,
              what: row.machines[index]?.on ? 'stop' : 'start',
            };
          });
          const { result, stage } = performFleet({ fleet: deletedFleet(row, atMs, acts), random: seededRandom(atMs) });
          if (result.faults.length > 0)
            expect.fail([`deleted at ${atMs}, ${beforeMs}`, ...result.faults, ...stage.watch.recent(40)].join('\n'));
        }
      }
    });
  }
});

const make = (vm: object): Moment => act((performing) => performing.create(web, vm));
const ask = (more: object = {}): Moment => act((performing) => performing.move({ ...performing.specOf(web), ...more }));

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
