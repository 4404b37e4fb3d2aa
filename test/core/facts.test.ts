// What the objects of a machine come to: where its guest stands, whether it has switched over, which pods are its own.
import { describe, expect, test } from 'vitest';
import type { LauncherSide } from '../../src/core/launcherSide.ts';
import { modeOf } from '../../src/core/mode.ts';
import type { Pod } from '../../src/core/objects.ts';
import type { SwitchOver } from '../../src/core/switchOver.ts';
import {
  at,
  client,
  copyingFacts,
  facts,
  launcher,
  live,
  offline,
  patched,
  pod,
  record,
  runningFacts,
  server,
  sourceOf,
  state,
  stoppedFacts,
  stoppedVm,
  switched,
  switchedOver,
  targetOf,
  type ViewExtra,
  vm,
  vmi,
  vmim,
  wanted,
} from './builders.ts';

describe('launcher: on which claims the guest stands', () => {
  const onTarget = launcher('target', { name: 'launcher-web-1-target' });
  const cases: readonly (readonly [string, LauncherSide, ViewExtra])[] = [
    ['no pod is seen', 'none', { pods: [] }],
    ['no VMI is there', 'none', { instance: undefined, pods: [launcher('source')] }],
    ['its one launcher mounts A', 'source', { pods: [launcher('source')] }],
    ['its one launcher mounts B', 'target', { pods: [launcher('target', { nodeName: 'n1' })] }],
    ['its one launcher has no node yet', 'source', { pods: [launcher('source', { nodeName: '' })] }],
    ['the launcher is another VMI’s', 'none', { pods: [launcher('source', { ownerUid: 'vmi-old' })] }],
    ['the launcher has ended', 'none', { pods: [launcher('source', { phase: 'Succeeded' })] }],
    ['two launchers: the one on the VMI’s node counts', 'source', { pods: [onTarget, launcher('source')] }],
    [
      'two launchers after the switch-over: the target counts, although nodeName still names the source',
      'target',
      { instance: vmi({ migrationState: switched() }), pods: [launcher('source'), onTarget] },
    ],
    [
      'targetNodeDomainDetected alone is not the switch-over: the source counts',
      'source',
      { instance: vmi({ migrationState: state() }), pods: [launcher('source'), onTarget] },
    ],
    [
      'after the hand-over the ended source launcher does not count',
      'target',
      {
        instance: vmi({ nodeName: 'n2', migrationState: switched({ endTimestamp: at(6), completed: true }) }),
        pods: [launcher('source', { phase: 'Succeeded' }), onTarget],
      },
    ],
    ['it mounts neither', 'none', { pods: [launcher('source', { claims: ['scratch'] })] }],
  ];
  test.each(cases)('%s: %s', (_, expected, extra) => {
    expect(facts({ record: record(), instance: vmi(), ...extra }).launcher).toBe(expected);
  });

  const hotplug = (side: 'source' | 'target', ownerUid: string) =>
    pod({
      name: `hp-${side}`,
      role: 'hotplug',
      ownerUid,
      claims: [side === 'source' ? sourceOf('web-1', 'data') : targetOf('web-1', 'data')],
    });
  const two = record({ diskNames: ['root', 'data'] });
  const hotplugged: readonly (readonly [string, LauncherSide, ViewExtra])[] = [
    [
      'the disk of its hotplug pod counts with it',
      'source',
      { pods: [launcher('source'), hotplug('source', 'uid-launcher-web-1')] },
    ],
    [
      'both on B',
      'target',
      { pods: [launcher('target', { nodeName: 'n1' }), hotplug('target', 'uid-launcher-web-1-target')] },
    ],
    [
      'the hotplug pod of another launcher does not count',
      'source',
      {
        pods: [
          launcher('source'),
          hotplug('source', 'uid-launcher-web-1'),
          hotplug('target', 'uid-launcher-web-1-target'),
        ],
      },
    ],
    [
      'one disk on A and one on B is mixed',
      'mixed',
      { pods: [launcher('source'), hotplug('target', 'uid-launcher-web-1')] },
    ],
    [
      'a disk on B and the other not plugged in yet is mixed',
      'mixed',
      { pods: [launcher('target', { nodeName: 'n1' })] },
    ],
    ['a disk on A and the other not plugged in yet says nothing', 'none', { pods: [launcher('source')] }],
  ];
  test.each(hotplugged)('hotplugged: %s: %s', (_, expected, extra) => {
    const instance = vmi({ disks: ['root', 'data'] });
    expect(facts({ record: two, machine: vm({ disks: ['root', 'data'] }), instance, ...extra }).launcher).toBe(
      expected,
    );
  });
});

describe('switchOver: whether the guest writes on B', () => {
  const seen: SwitchOver = { kind: 'seen', ...switchedOver };
  const no: SwitchOver = { kind: 'no' };
  const unknown: SwitchOver = { kind: 'unknown' };
  const gone = (gap: boolean, migrationState = state()) => ({
    instance: undefined,
    pods: [],
    attempts: [],
    lastInstance: { object: vmi({ on: 'target', phase: 'Succeeded', deleting: true, migrationState }), gap },
  });
  const onSource = vm({ updateVolumesStrategy: 'Migration', generation: 8 });
  const reverted = (migrationState: ReturnType<typeof state>) => ({
    machine: onSource,
    instance: vmi({ migrationState }),
  });
  const cases: readonly (readonly [string, SwitchOver, ViewExtra])[] = [
    ['the copy goes on', no, {}],
    ['the ready time stamp is set', seen, { instance: vmi({ on: 'target', migrationState: switched() }) }],
    [
      'the target’s domain is only detected: no time stamp, no switch-over',
      no,
      {
        instance: vmi({
          on: 'target',
          migrationState: state({ targetNode: 'n2', targetPod: 'launcher-web-1-target' }),
        }),
      },
    ],
    [
      'the time stamp is of a migration that was there before',
      no,
      {
        record: record({ live: patched({ knownMigrations: ['vmim-1'] }) }),
        instance: vmi({ on: 'target', migrationState: switched() }),
      },
    ],
    [
      'it was recorded, whatever is seen now',
      seen,
      { record: record({ live: patched(), switchedOver }), ...gone(true) },
    ],
    ['nothing was begun', no, { record: record(), instance: vmi({ migrationState: switched() }) }],
    [
      'the migration failed after the time stamp: B all the same',
      seen,
      {
        instance: vmi({
          on: 'target',
          migrationState: switched({ completed: true, failed: true, endTimestamp: at(9) }),
        }),
      },
    ],
    [
      'only the VMIM still says so',
      seen,
      { instance: vmi({ on: 'target' }), attempts: [vmim({ phase: 'Succeeded', migrationState: switched() })] },
    ],
    [
      'a known VMIM says so',
      no,
      {
        record: record({ live: patched({ knownMigrations: ['vmim-1'] }) }),
        instance: vmi({ on: 'target' }),
        attempts: [vmim({ phase: 'Succeeded', migrationState: switched() })],
      },
    ],
    ['the revert lost the race: spec and VMI name A, but the target launcher mounts B', seen, reverted(switched())],
    [
      'after a revert the guest was moved to another node on A: the target launcher mounts A',
      no,
      {
        ...reverted(switched()),
        pods: [launcher('source'), launcher('source', { name: 'launcher-web-1-target', nodeName: 'n2' })],
      },
    ],
    [
      'moved on A with a hotplug pod that is not seen yet',
      no,
      {
        ...reverted(switched()),
        record: record({ live: patched(), diskNames: ['root', 'data'] }),
        machine: vm({ disks: ['root', 'data'], updateVolumesStrategy: 'Migration', generation: 8 }),
        pods: [launcher('source'), launcher('source', { name: 'launcher-web-1-target', nodeName: 'n2' })],
      },
    ],
    ['reverted, and the target launcher is not seen: it may be either', unknown, { ...reverted(switched()), pods: [] }],
    [
      'reverted and gone: its last words are a time stamp, and no launcher is left to tell of which claims',
      unknown,
      {
        ...gone(false),
        machine: onSource,
        lastInstance: { object: vmi({ on: 'source', phase: 'Succeeded', migrationState: switched() }), gap: false },
      },
    ],
    [
      'the patch never landed: a migration of the guest to another node says nothing',
      no,
      {
        ...gone(false),
        record: record({ live: live() }),
        machine: vm(),
        lastInstance: { object: vmi({ on: 'source', phase: 'Succeeded', migrationState: switched() }), gap: false },
      },
    ],
    ['its end was watched without a time stamp', no, gone(false)],
    ['its end was watched with a time stamp', seen, gone(false, switched())],
    ['its end was found by a list, but its last words hold the time stamp', seen, gone(true, switched())],
    ['its end was found by a list', unknown, gone(true)],
    ['nothing at all is left of it', unknown, { ...gone(true), lastInstance: undefined }],
    [
      'another VMI runs, and the end of the first was not watched',
      unknown,
      { ...gone(true), instance: vmi({ uid: 'vmi-2', on: 'target' }) },
    ],
    [
      'another VMI runs, and the end of the first was watched',
      no,
      { ...gone(false), instance: vmi({ uid: 'vmi-2', on: 'target' }) },
    ],
    [
      'another VMI’s time stamp is not of this attempt’s VMI',
      unknown,
      {
        ...gone(true),
        lastInstance: undefined,
        instance: vmi({ uid: 'vmi-2', on: 'target', migrationState: switched() }),
      },
    ],
    [
      'unwatched, but the patch never landed',
      no,
      { ...gone(true), record: record({ live: live() }), machine: vm({ updateVolumesStrategy: 'Migration' }) },
    ],
    ['unwatched, and the spec is back on A', unknown, { ...gone(true), machine: onSource }],
    [
      'unwatched, the spec is on A and a person took the strategy away from Migration: their word for A',
      no,
      { ...gone(true), machine: vm({ updateVolumesStrategy: 'Replacement', generation: 9 }) },
    ],
    [
      'unwatched, the spec is on B and a person took the strategy away: that is judged by decide, not here',
      unknown,
      { ...gone(true), machine: vm({ on: 'target', updateVolumesStrategy: 'Replacement', generation: 9 }) },
    ],
  ];
  test.each(cases)('%s', (_, expected, extra) => {
    expect(copyingFacts(extra).switchOver).toStrictEqual(expected);
  });
});

describe('pods', () => {
  test('copy pods count until they are gone, of whatever migration; foreign pods until they have ended', () => {
    const found = stoppedFacts({
      pods: [
        server(['web-1', 'web-2'], { phase: 'Succeeded', deleting: true }),
        client('web-1', { phase: 'Failed', migrationUid: 'uid-other' }),
        pod({ name: 'importer', claims: [targetOf()] }),
        pod({ name: 'guestfs', claims: [sourceOf()], deleting: true, phase: 'Unknown' }),
        pod({ name: 'done', claims: [sourceOf()], phase: 'Succeeded' }),
        pod({ name: 'elsewhere', claims: ['scratch'] }),
      ],
    });
    expect(found.copyPods.map((each) => each.name)).toStrictEqual(['copy-server', 'copy-client-web-1-root']);
    expect(found.foreignPods.map((each) => each.name)).toStrictEqual(['importer', 'guestfs']);
    expect(found.podsOnTarget.map((each) => each.name)).toStrictEqual(['importer']);
  });

  test('a virt-launcher of the VMI counts until it has ended although its disks are hotplugged and it mounts none', () => {
    const found = (phase: Pod['phase']) =>
      stoppedFacts({
        instance: vmi({ phase: 'Succeeded' }),
        pods: [launcher('target', { claims: [], phase })],
      }).foreignPods.length;
    expect([found('Running'), found('Succeeded')]).toStrictEqual([1, 0]);
  });
});

describe('VMIMs', () => {
  test.each(['', 'Pending', 'Scheduling', 'Running', 'TargetReady', 'WaitingForSync'])(
    'phase "%s" is unfinished',
    (phase) => {
      expect(copyingFacts({ attempts: [vmim({ phase })] }).unfinished).toHaveLength(1);
    },
  );

  test('failed ones count from the attempt on', () => {
    const found = copyingFacts({
      record: record({ live: patched({ knownMigrations: ['old'] }) }),
      attempts: ['old', 'x', 'y'].map((uid) => vmim({ uid, phase: 'Failed' })),
    });
    expect([found.failedAttempts, found.unfinished.length]).toStrictEqual([2, 0]);
  });
});

describe('goal', () => {
  const spec = { virtualMachines: [wanted()] };
  const cases: readonly (readonly [string, string, ViewExtra])[] = [
    ['migrate', 'as accepted', {}],
    ['pause', 'spec.paused', { migration: { spec: { ...spec, paused: true } } }],
    ['cancel', 'the migration is being deleted', { migration: { deleting: true, spec: { ...spec, paused: true } } }],
    ['cancel', 'the machine is not asked for any more', { migration: { spec: { virtualMachines: [] } } }],
    [
      'cancel',
      'another target is asked for',
      {
        migration: {
          spec: { virtualMachines: [{ name: 'web-1', volumes: [{ name: 'root', target: { claimName: 'else' } }] }] },
        },
      },
    ],
    ['cancel', 'another disk is asked for', { migration: { spec: { virtualMachines: [wanted('web-1', ['data'])] } } }],
    [
      'cancel',
      'one disk more is asked for',
      { migration: { spec: { virtualMachines: [wanted('web-1', ['root', 'data'])] } } },
    ],
    [
      'migrate',
      'done and edited later',
      {
        record: record({ completed: { by: 'Live', at: at() } }),
        migration: { spec: { virtualMachines: [wanted('web-1', ['data'])] } },
      },
    ],
    [
      'cancel',
      'done and not asked for any more',
      { record: record({ completed: { by: 'Live', at: at() } }), migration: { spec: { virtualMachines: [] } } },
    ],
  ];
  test.each(cases)('%s: %s', (goal, _, extra) => {
    expect(runningFacts(extra).goal).toBe(goal);
  });
});

describe('identity and sameness', () => {
  test('another VM under the name is replaced, none is absent', () => {
    expect(runningFacts().identity).toBe('same');
    expect(runningFacts({ machine: vm({ uid: 'uid-2' }) }).identity).toBe('replaced');
    expect(runningFacts({ machine: undefined }).identity).toBe('absent');
  });

  test('the VMI is the same one by uid', () => {
    expect(copyingFacts().sameInstance).toBe(true);
    expect(copyingFacts({ instance: vmi({ uid: 'vmi-2' }) }).sameInstance).toBe(false);
    expect(copyingFacts({ instance: undefined }).sameInstance).toBe(false);
    expect(runningFacts().sameInstance).toBe(false);
  });
});

describe('offSinceCopyBegan', () => {
  const begun = record({ offline: offline({ id: '100', offSince: '90' }) });
  test.each([
    [true, 'off since then', stoppedVm({ offSince: '90', resourceVersion: '120' })],
    [true, 'listed anew at the very version at which the copy began', stoppedVm({ offSince: '100' })],
    [false, 'listed anew at a later version: it may have run in between', stoppedVm({ offSince: '120' })],
    [false, 'a start is possible', vm()],
    [false, 'gone', undefined],
  ])('%s: %s', (expected, _, machine) => {
    expect(facts({ record: begun, machine }).offSinceCopyBegan).toBe(expected);
  });

  test('without a copy there is nothing it could be off since', () => {
    expect(stoppedFacts().offSinceCopyBegan).toBe(false);
  });
});

describe('modeOf', () => {
  const gaveUp = { generation: 1, reason: 'X', message: 'x' };
  const completed = { by: 'Live' as const, at: at() };
  const cases: readonly (readonly [string, string, () => ReturnType<typeof facts>])[] = [
    ['hold', 'not accepted', () => facts({ instance: vmi() })],
    ['live', 'running', () => runningFacts()],
    ['offline', 'off', () => stoppedFacts()],
    ['live', 'in the middle of a copy', () => copyingFacts()],
    [
      'live',
      'paused migration: what it needs is the same',
      () => runningFacts({ migration: { spec: { paused: true } } }),
    ],
    ['hold', 'starting', () => runningFacts({ instance: vmi({ phase: 'Scheduling', ready: false }) })],
    ['hold', 'ending', () => runningFacts({ instance: vmi({ deleting: true }) })],
    ['hold', 'unclear', () => stoppedFacts({ machine: stoppedVm({ created: true }) })],
    ['hold', 'Always without a VMI', () => stoppedFacts({ machine: vm() })],
    ['hold', 'to be cancelled', () => runningFacts({ migration: { deleting: true } })],
    ['hold', 'another VM', () => runningFacts({ machine: vm({ uid: 'uid-2' }) })],
    ['hold', 'the VM is gone', () => stoppedFacts({ machine: undefined })],
    ['hold', 'given up at this generation', () => runningFacts({ record: record({ gaveUp }) })],
    [
      'live',
      'given up at an earlier generation',
      () => runningFacts({ record: record({ gaveUp }), migration: { generation: 2 } }),
    ],
    ['hold', 'an object cannot be read', () => runningFacts({ unreadable: ['VM web-1: …'] })],
    ['hold', 'a foreign claim', () => runningFacts({ machine: vm({ volumes: [] }) })],
    ['hold', 'unknown switch-over', () => copyingFacts({ instance: undefined, attempts: [], pods: [] })],
    ['done', 'done and running', () => runningFacts({ record: record({ completed }) })],
    ['done', 'done and off', () => stoppedFacts({ record: record({ completed }) })],
    ['done', 'done and deleted', () => stoppedFacts({ record: record({ completed }), machine: undefined })],
    [
      'done',
      'done and cancelled',
      () => runningFacts({ record: record({ completed }), migration: { deleting: true } }),
    ],
  ];
  test.each(cases)('%s: %s', (mode, _, make) => {
    expect(modeOf(make())).toBe(mode);
  });
});
