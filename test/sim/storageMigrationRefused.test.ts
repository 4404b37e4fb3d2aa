// StorageMigrations that are refused (design §6), on the simulated cluster: with the field to mend, and before anything
// is started.
import { describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import type { WorldOptions } from '../../src/sim/scenario/world.ts';
import { act, backupPod, letPass, machine, namespace, type Scene, scene, until } from './scene.ts';
import { at, type Machine } from './sight.ts';
import { db, halted, isDone, isRunning, ref, vmOf, web } from './storageMigrationFixtures.ts';

const patchSpec = ({ world }: Scene, of: Machine, template: object): void => {
  const body = { spec: { template: { spec: template } } };
  world.server.patch(resources.virtualMachines, ref(of), { type: 'merge', body }, 'user');
};

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
    set: ({ world }) => void world.server.create(resources.pods, backupPod('web-new'), 'user'),
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
