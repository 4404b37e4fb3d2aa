// Every refusal of design §6 that can be proved from watched objects: the field, the reason, a sentence with what to do.
import { describe, expect, test } from 'vitest';
import { accept, type Refusal } from '../../src/core/accept.ts';
import type { MachineView } from '../../src/core/facts.ts';
import { leftOutVolume, settingsObstacle } from '../../src/core/liveObstacle.ts';
import type { VirtualMachineSpec } from '../../src/core/storageMigration.ts';
import { claimsProblem, neededBytes } from '../../src/core/targets.ts';
import {
  claim,
  entry,
  pod,
  record,
  recordedDisk,
  settings,
  sourceOf,
  stoppedVm,
  targetOf,
  type ViewExtra,
  view,
  vm,
  vmi,
  wanted,
} from './builders.ts';

const target = (claimName: string, name = 'root') => ({ name, target: { claimName } });
const candidate = (extra: ViewExtra = {}, spec: VirtualMachineSpec = wanted(extra.name)) => ({
  view: view(extra),
  wanted: spec,
});

const refusals = (...candidates: readonly { view: MachineView; wanted: VirtualMachineSpec }[]): readonly Refusal[] => {
  const result = accept(candidates);
  return result.kind === 'refused' ? result.refusals : [];
};

const one = 'spec.virtualMachines[web-1]';

describe('accepted', () => {
  test('a running machine, its disk recorded as it was found', () => {
    const dataVolume = { name: 'root', dataVolume: { name: 'web-1-root' } };
    const template = { metadata: { name: 'web-1-root' }, spec: { source: {} } };
    const machine = vm({
      volumes: [dataVolume],
      dataVolumeTemplates: [template],
      updateVolumesStrategy: 'Replacement',
    });
    expect(accept([candidate({ machine })])).toStrictEqual({
      kind: 'accepted',
      records: new Map([['web-1', record({ disks: [{ ...recordedDisk(), entry: dataVolume, template }] })]]),
    });
  });

  test.each<[string, ViewExtra]>([
    ['the target is still to be made', { claims: { [targetOf()]: undefined } }],
    ['the target is larger', { claims: { [targetOf()]: claim(targetOf(), { capacityBytes: 5000 }) } }],
    [
      'the target is requested large enough and not bound yet',
      { claims: { [targetOf()]: claim(targetOf(), { phase: 'Pending', capacityBytes: 0 }) } },
    ],
    ['a pod that mounted the target has ended', { pods: [pod({ claims: [targetOf()], phase: 'Succeeded' })] }],
    [
      'the other disk is ReadWriteMany',
      {
        machine: vm({ disks: ['root', 'data'] }),
        claims: { [sourceOf('web-1', 'data')]: claim('x', { accessModes: ['ReadWriteMany'] }) },
      },
    ],
    ['the other disk is ReadWriteOnce and the machine is off', { machine: stoppedVm({ disks: ['root', 'data'] }) }],
    [
      'another disk is shareable',
      { machine: stoppedVm({ disks: ['root', 'data'], immovable: [{ volume: 'data', why: 'shareable' }] }) },
    ],
    ['an image beside it', { machine: vm({ volumes: [...vm().volumes, { name: 'iso', containerDisk: {} }] }) }],
  ])('%s', (_, extra) => {
    expect(refusals(candidate(extra))).toStrictEqual([]);
  });
});

describe('refused', () => {
  const two = wanted('web-1', ['root', 'data']);
  const twoDisks = { machine: vm({ disks: ['root', 'data'] }) };
  const cases: readonly (readonly [string, string, string, string, ViewExtra, VirtualMachineSpec?])[] = [
    ['unknown VM', 'UnknownVirtualMachine', '.name', 'there is no VM web-1 in namespace shop', { machine: undefined }],
    [
      'a VM that cannot be read',
      'UnreadableObject',
      '',
      'VM web-1 is odd; it has to be mended',
      { machine: undefined, unreadable: ['VM web-1 is odd'] },
    ],
    [
      'unknown volume',
      'UnknownVolume',
      '.volumes[disk0].name',
      'it has root',
      {},
      { name: 'web-1', volumes: [target('x', 'disk0')] },
    ],
    [
      'a volume that is no claim',
      'NotAClaim',
      '.volumes[root].name',
      'is not on a claim',
      { machine: vm({ volumes: [{ name: 'root', containerDisk: {} }] }) },
    ],
    [
      'A is B',
      'TargetIsSource',
      '.volumes[root].target.claimName',
      'is on claim web-1-root already',
      {},
      { name: 'web-1', volumes: [target(sourceOf())] },
    ],
    [
      'shareable',
      'VolumeNotMovable',
      '.volumes[root].name',
      'is shareable',
      { machine: vm({ immovable: [{ volume: 'root', why: 'shareable' }] }) },
    ],
    [
      'a LUN',
      'VolumeNotMovable',
      '.volumes[root].name',
      'is lun',
      { machine: vm({ immovable: [{ volume: 'root', why: 'lun' }] }) },
    ],
    [
      'virtiofs',
      'VolumeNotMovable',
      '.volumes[root].name',
      'is virtiofs',
      { machine: vm({ immovable: [{ volume: 'root', why: 'virtiofs' }] }) },
    ],
    [
      'no source claim',
      'SourceClaimMissing',
      '.volumes[root].name',
      'web-1-root does not exist',
      { claims: { [sourceOf()]: undefined } },
    ],
    [
      'B too small',
      'TargetTooSmall',
      '.volumes[root].target.claimName',
      'offers 999, web-1-root needs 1000',
      { claims: { [targetOf()]: claim('x', { requestedBytes: 999, capacityBytes: 999 }) } },
    ],
    [
      'B too small for a block device on a file system',
      'TargetTooSmall',
      '.volumes[root].target.claimName',
      'needs 1059',
      {
        claims: {
          [sourceOf()]: claim(sourceOf(), { volumeMode: 'Block' }),
          [targetOf()]: claim('x', { requestedBytes: 1058, capacityBytes: 1058 }),
        },
      },
    ],
    [
      'B is being deleted',
      'TargetClaimDeleting',
      '.volumes[root].target.claimName',
      'is being deleted',
      { claims: { [targetOf()]: claim('x', { deleting: true }) } },
    ],
    [
      'B is named by another VM',
      'TargetInUse',
      '.volumes[root].target.claimName',
      'is named by VM db-1',
      { otherUsersOf: (name) => (name === targetOf() ? ['db-1'] : []) },
    ],
    [
      'B is named by the VM itself',
      'TargetInUse',
      '.volumes[root].target.claimName',
      'is named by VM web-1',
      { machine: vm({ volumes: [...vm().volumes, entry('more', targetOf())] }) },
    ],
    [
      'B is where another migration moves a disk',
      'TargetInUse',
      '.volumes[root].target.claimName',
      'is a target of unfinished StorageMigration first',
      { targetRivals: (name) => (name === targetOf() ? ['first'] : []) },
    ],
    [
      'B is mounted by a pod',
      'TargetInUse',
      '.volumes[root].target.claimName',
      'is mounted by pod debug',
      { pods: [pod({ claims: [targetOf()], phase: 'Pending' })] },
    ],
    [
      'B is mounted by a copy pod of another migration',
      'TargetInUse',
      '.volumes[root].target.claimName',
      'is mounted by pod s',
      { pods: [pod({ name: 's', role: 'copyServer', claims: [targetOf()] })] },
    ],
    [
      'some but not all ReadWriteOnce disks of a running machine',
      'DiskLeftOut',
      '.volumes',
      'volume data of the running VM is ReadWriteOnce',
      twoDisks,
    ],
    [
      'the same while it is starting',
      'DiskLeftOut',
      '.volumes',
      'list it too',
      { ...twoDisks, instance: vmi({ phase: 'Pending', ready: false }) },
    ],
    ['in another migration', 'InAnotherMigration', '.name', 'unfinished StorageMigration first', { rivals: ['first'] }],
    ['no KubeVirt', 'KubeVirtNotFound', '', 'no KubeVirt object', { settings: undefined }],
    [
      'rollout strategy Stage',
      'RolloutStrategyNotLiveUpdate',
      '',
      'is Stage; set it to LiveUpdate',
      { settings: settings({ rolloutStrategy: 'Stage' }) },
    ],
    [
      'no LiveMigrate',
      'LiveMigrateNotEnabled',
      '',
      'is [Evict]; add LiveMigrate',
      { settings: settings({ workloadUpdateMethods: ['Evict'] }) },
    ],
    [
      'RestartRequired',
      'RestartRequired',
      '.name',
      'must be restarted first: cpu changed',
      { machine: vm({ restartRequired: 'cpu changed' }) },
    ],
    [
      'one target for two disks',
      'ClaimNamedTwice',
      '.volumes[data]',
      'claim web-1-root-fast is also used by spec.virtualMachines[web-1].volumes[root]',
      twoDisks,
      { name: 'web-1', volumes: [target(targetOf()), target(targetOf(), 'data')] },
    ],
    [
      'one disk’s source as the other’s target',
      'TargetInUse',
      '.volumes[root].target.claimName',
      'is named by VM web-1',
      twoDisks,
      { name: 'web-1', volumes: [target(sourceOf('web-1', 'data')), two.volumes[1] ?? target('x')] },
    ],
  ];
  for (const [what, reason, field, sentence, extra, spec] of cases) {
    test(`${what}: ${reason}`, () => {
      const found = refusals(candidate({ instance: vmi(), ...extra }, spec));
      expect(found).toContainEqual({
        machine: 'web-1',
        field: `${one}${field}`,
        reason,
        message: expect.stringContaining(sentence),
      });
    });
  }

  test('two machines that name one claim', () => {
    const [first, second] = [
      candidate(),
      candidate({ name: 'web-2' }, { name: 'web-2', volumes: [target(targetOf())] }),
    ];
    expect(refusals(first, second)).toMatchObject([
      { machine: 'web-2', field: 'spec.virtualMachines[web-2].volumes[root]', reason: 'ClaimNamedTwice' },
    ]);
  });

  test.each([targetOf(), sourceOf()])('a claim of a machine that was accepted before: %s', (name) => {
    const later = candidate({ name: 'web-2' }, { name: 'web-2', volumes: [target(name)] });
    expect(accept([later], new Map([['web-1', record()]]))).toMatchObject({
      kind: 'refused',
      refusals: [{ machine: 'web-2', reason: 'ClaimNamedTwice' }],
    });
  });

  test('one mistake refuses them all, and each mistake is told', () => {
    const result = accept([
      candidate(),
      candidate({ name: 'web-2', machine: undefined }),
      candidate({ name: 'web-3', rivals: ['x'] }),
    ]);
    expect(result).toMatchObject({
      kind: 'refused',
      refusals: [{ machine: 'web-2' }, { machine: 'web-3' }],
    });
  });
});

describe('settingsObstacle', () => {
  test.each<[string | undefined, string, string]>([
    [undefined, 'LiveUpdate', 'v1.4.0'],
    [undefined, '', 'v1.6.0'],
    [undefined, '', 'v1.10.2'],
    [undefined, '', 'v2.0.0'],
    [undefined, '', ''],
    ['RolloutStrategyNotLiveUpdate', '', 'v1.5.3'],
    ['RolloutStrategyNotLiveUpdate', '', '1.5.0-rc.1'],
    ['RolloutStrategyNotLiveUpdate', 'Stage', 'v1.9.0'],
  ])('%s: strategy "%s", version "%s"', (reason, rolloutStrategy, version) => {
    expect(settingsObstacle(settings({ rolloutStrategy, version }))?.reason).toBe(reason);
  });
});

describe('leftOutVolume', () => {
  const machine = vm({ disks: ['root', 'data'] });
  test('a claim that is not seen, or ReadWriteMany, does not count', () => {
    const data = sourceOf('web-1', 'data');
    expect(leftOutVolume(view({ machine }), ['root'])).toBe('data');
    expect(leftOutVolume(view({ machine }), ['root', 'data'])).toBeUndefined();
    expect(leftOutVolume(view({ machine, claims: { [data]: undefined } }), ['root'])).toBeUndefined();
    expect(
      leftOutVolume(
        view({ machine, claims: { [data]: claim(data, { accessModes: ['ReadWriteOnce', 'ReadWriteMany'] }) } }),
        ['root'],
      ),
    ).toBeUndefined();
  });
});

describe('sizes', () => {
  const gib = 1024 ** 3;
  test.each<[number, 'Block' | 'Filesystem', 'Block' | 'Filesystem']>([
    [gib, 'Block', 'Block'],
    [gib, 'Filesystem', 'Filesystem'],
    [gib, 'Filesystem', 'Block'],
    [Math.ceil(gib / 0.945), 'Block', 'Filesystem'],
  ])('%d bytes are needed from %s to %s', (bytes, from, to) => {
    expect(neededBytes(claim('a', { volumeMode: from, requestedBytes: 1, capacityBytes: gib }), to)).toBe(bytes);
  });

  test('of an unbound source what it requests counts', () => {
    expect(neededBytes(claim('a', { capacityBytes: 0, requestedBytes: 7 }), 'Filesystem')).toBe(7);
  });

  test('a target that exactly fits will do', () => {
    expect(claimsProblem(view(), { source: sourceOf(), target: targetOf() })).toBeUndefined();
  });
});

test('more disks than the status of one object can hold are refused before anything is begun', () => {
  const machines = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const disks = Array.from({ length: 64 }, (_, disk) => `disk-${disk}`);
      const name = `web-${index}`;
      return { view: view({ name, machine: stoppedVm({ name, disks }) }), wanted: wanted(name, disks) };
    });
  expect(refusals(...machines(12))).toEqual([]);
  expect(refusals(...machines(128))).toMatchObject([
    { field: 'spec.virtualMachines', machine: 'web-127', reason: 'TooManyDisks' },
  ]);
});
