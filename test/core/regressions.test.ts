// Decisions that were wrong once, each with the shortest way to it: found by exploring every order of events
// (test/core/explore), kept here so that a reader sees the facts.
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import { decideGroups } from '../../src/core/groups.ts';
import type { Pod } from '../../src/core/objects.ts';
import { isStillMovable } from '../../src/core/stillMovable.ts';
import * as make from './builders.ts';
import { clear, held, limits, told } from './circumstances.ts';

describe('a move of the guest on A, after a revert', () => {
  // The VMIM is seen before the VMI, the pods, and the VM as our revert has left it.
  const facts = make.facts({
    record: make.record({ live: make.patched() }),
    machine: make.vm({ on: 'target', runStrategy: 'Halted' }),
    instance: make.vmi(),
    attempts: [make.vmim({ phase: 'Succeeded', migrationState: make.switched({ completed: true }) })],
    pods: [make.launcher('source')],
  });

  test('is not taken for the switch-over by what the VM named before it', () => {
    expect(facts.switchOver.kind).toBe('unknown');
  });

  test('decides nothing before the VMI tells on which claims it was', () => {
    expect(told(decide(facts, clear()))).toBe('attention SwitchOverUnknown');
  });

  test('is not followed by a repair once the VMI is seen on A', () => {
    const seen = make.facts({
      record: make.record({ live: make.patched() }),
      machine: make.vm(),
      instance: make.vmi({ migrationState: make.switched({ completed: true, endTimestamp: make.at(9) }) }),
      attempts: [make.vmim({ phase: 'Succeeded', migrationState: make.switched({ completed: true }) })],
      pods: [make.launcher('source', { name: 'launcher-web-1-target', nodeName: 'n2' })],
    });
    expect(seen.switchOver.kind).toBe('no');
  });

  test('a VMIM counts by itself where the VMI has gone on to a later migration on B', () => {
    const later = make.facts({
      record: make.record({ live: make.patched() }),
      machine: make.vm({ on: 'target' }),
      instance: make.vmi({ on: 'target', migrationState: make.state({ migrationUid: 'vmim-2' }) }),
      attempts: [make.vmim({ phase: 'Succeeded', migrationState: make.switched({ completed: true }) })],
    });
    expect(later.switchOver).toMatchObject({ kind: 'seen', migrationUid: 'vmim-1' });
  });
});

describe('a revert that has landed and is not seen, after the switch-over', () => {
  const facts = make.facts({
    record: make.record({ live: make.patched(), switchedOver: make.switchedOver }),
    machine: make.vm({ on: 'target', runStrategy: 'Halted' }),
    instance: make.vmi({
      on: 'target',
      nodeName: 'n2',
      migrationState: make.switched({ completed: true, endTimestamp: make.at(9) }),
    }),
    attempts: [make.vmim({ phase: 'Succeeded' })],
    pods: [make.launcher('target')],
  });

  test('the machine is not called moved before our last write was seen', () => {
    expect(told(decide(facts, held()))).toBe('wait: the machine to settle');
    expect(told(decide(facts, clear()))).toBe('record completed');
  });
});

describe('the last look before the volumes are patched', () => {
  const live = make.live();
  const facts = make.runningFacts({ record: make.record({ live }) });

  test('allows the VMI that was seen, running on its sources', () => {
    expect(isStillMovable(make.vmi(), facts)).toBe(true);
    expect(isStillMovable(make.vmi({ ready: false, paused: true }), facts)).toBe(true);
  });

  test.each([
    ['none', undefined],
    ['another one', make.vmi({ uid: 'vmi-2' })],
    ['one that is starting', make.vmi({ phase: 'Scheduled' })],
    ['one that is deleted', make.vmi({ deleting: true })],
    ['one that is not ready', make.vmi({ ready: false })],
    ['one that names the targets', make.vmi({ on: 'target' })],
    [
      'one whose volumes are being migrated',
      make.vmi({ migratedVolumes: [{ volume: 'root', source: 'a', target: 'b' }] }),
    ],
    ['one that has switched over unseen', make.vmi({ migrationState: make.switched() })],
  ])('forbids %s', (_, read) => {
    expect(isStillMovable(read, facts)).toBe(false);
  });

  test('a migration from before the attempt forbids nothing', () => {
    const known = make.runningFacts({ record: make.record({ live: make.live({ knownMigrations: ['vmim-1'] }) }) });
    expect(isStillMovable(make.vmi({ migrationState: make.switched() }), known)).toBe(true);
  });
});

describe('a revert that lands when the next VMI has its launcher on B', () => {
  const next = { uid: 'vmi-2', phase: 'Scheduled' } as const;
  const pods = [make.launcher('target', { ownerUid: 'vmi-2', nodeName: 'n1' })];
  const record = make.record({ live: make.patched() });
  const lastInstance = { object: make.vmi(), gap: false };
  const strategy = { updateVolumesStrategy: 'Migration' };
  const reverted = { record, machine: make.vm(strategy), instance: make.vmi(next), attempts: [], pods };

  test('is undone before KubeVirt copies B over A', () => {
    const facts = make.facts({ ...reverted, lastInstance });
    expect(decide(facts, held()).commands).toEqual([{ kind: 'repair', strategy: 'Migration' }]);
  });

  test('is undone also where the end of the VMI before was not seen', () => {
    const facts = make.facts({ ...reverted, lastInstance: undefined });
    expect(decide(facts, held()).commands).toEqual([{ kind: 'repair', strategy: 'Migration' }]);
  });

  test('is then left to a person, and taken back when the machine is stopped, by any daemon', () => {
    const machine = make.vm({ ...strategy, on: 'target' });
    const instance = make.vmi({ ...next, on: 'target' });
    expect(told(decide(make.facts({ ...reverted, machine, instance, lastInstance }), held()))).toBe('record endSeen');
    const seen = make.record({ live: make.patched({ endedAt: make.at(5) }) });
    const booted = make.facts({ ...reverted, record: seen, machine, instance });
    expect(told(decide(booted, held()))).toBe('attention BootedOnIncompleteTarget');
    const off = make.facts({ ...reverted, record: seen, machine, instance: undefined, pods: [] });
    expect(told(decide(off, held()))).toBe('revert restarted');
  });

  test('is left alone where a person has vouched for A by another strategy', () => {
    const facts = make.facts({ ...reverted, machine: make.vm({ updateVolumesStrategy: 'Replacement' }), lastInstance });
    expect(decide(facts, clear()).commands).toEqual([]);
  });

  test('is told of where the launcher was made on A, and KubeVirt goes on migrating from B to A', () => {
    const instance = make.vmi({
      uid: 'vmi-2',
      migratedVolumes: [{ volume: 'root', source: 'b', target: make.sourceOf() }],
    });
    const facts = make.runningFacts({
      record: make.record(),
      instance,
      attempts: [make.vmim({ phase: 'Pending' })],
      pods: [make.launcher('source', { ownerUid: 'vmi-2' })],
    });
    expect(told(decide(facts, clear()))).toBe('attention MigratesToItself');
  });

  test("keeps its record while a repair that was not answered may land: it would be taken for somebody else's", () => {
    const instance = make.vmi({ uid: 'vmi-2' });
    const onSource = [make.launcher('source', { ownerUid: 'vmi-2' })];
    const facts = make.facts({ ...reverted, instance, pods: onSource, lastInstance });
    expect(told(decide(facts, held()))).toBe('wait: the machine to settle');
    expect(told(decide(facts, clear()))).toBe('record liveEnded');
  });

  test('leaves its record until the disk of the next VMI is known', () => {
    const facts = make.facts({ ...reverted, pods: [], lastInstance });
    expect(told(decide(facts, clear()))).toBe('wait: the virt-launcher of the VMI to be seen');
  });
});

describe('a guest that KubeVirt has moved back from the targets', () => {
  const back = {
    migrationUid: 'vmim-2',
    sourcePod: 'launcher-web-1-target',
    targetPod: 'launcher-web-1-back',
    completed: true,
    endTimestamp: make.at(20),
  };
  const onSource = make.launcher('source', { name: 'launcher-web-1-back', uid: 'pod-back', nodeName: 'n3' });
  const left = make.launcher('target', { phase: 'Succeeded' });

  describe('after it had switched over, because a late revert made KubeVirt follow the VM', () => {
    const record = make.record({ live: make.patched(), switchedOver: make.switchedOver });
    const moved = (on: make.Side, state: Parameters<typeof make.switched>[0] = {}, extra: make.ViewExtra = {}) =>
      make.facts({
        record,
        machine: make.vm({ on, updateVolumesStrategy: 'Migration' }),
        instance: make.vmi({ on, nodeName: 'n3', migrationState: make.switched({ ...back, ...state }) }),
        pods: [left, onSource],
        ...extra,
      });

    test.each(['source', 'target'] as const)('writes on the source alone, whatever the VM names (%s)', (on) => {
      const [command] = decide(moved(on), held()).commands;
      expect(command).toMatchObject({ kind: 'record', why: 'movedBack' });
      const after = command?.kind === 'record' ? command.record : record;
      expect(after.switchedOver).toBeUndefined();
      expect(after.live).toMatchObject({ vmiUid: 'vmi-web-1', vmGeneration: 0 });
      expect(after.live?.knownMigrations).toEqual(expect.arrayContaining(['vmim-1', 'vmim-2']));
    });

    test('writes on the source also before KubeVirt has finished that migration', () => {
      expect(told(decide(moved('source', { endTimestamp: '', completed: false }), held()))).toBe('record movedBack');
    });

    test('has left its newest writes there also when it has ended', () => {
      const ended = make.vmi({ on: 'source', phase: 'Succeeded', migrationState: make.switched(back) });
      const pods = [left, { ...onSource, phase: 'Succeeded' as const }];
      expect(told(decide(moved('target', {}, { instance: ended, pods }), held()))).toBe('record movedBack');
      const gone = { instance: undefined, lastInstance: { object: ended, gap: false }, pods };
      expect(told(decide(moved('target', {}, gone), held()))).toBe('record movedBack');
    });

    test('is not moved back by a move to another node on the targets', () => {
      const pods = [make.launcher('target', { name: back.targetPod, nodeName: 'n3' })];
      expect(told(decide(moved('target', {}, { pods }), clear()))).toBe('record completed');
    });

    test.each<[string, Partial<ReturnType<typeof make.state>>, readonly ReturnType<typeof make.launcher>[]]>([
      ['is still on its way', { targetNodeDomainReadyTimestamp: '' }, [left, onSource]],
      ['is the one that moved it to the targets', { migrationUid: 'vmim-1' }, [left, onSource]],
      ['has left no launcher to tell by', {}, [left]],
      ['leads to the launcher of another VMI', {}, [left, { ...onSource, ownerUid: 'vmi-2' }]],
      ['leads to a pod that is no launcher', {}, [left, { ...onSource, role: 'other' }]],
      [
        'leads to a launcher that has the targets too',
        {},
        [left, { ...onSource, claims: [make.sourceOf(), make.targetOf()] }],
      ],
    ])('is not taken for moved back by a migration that %s (law 4)', (_, state, pods) => {
      for (const on of ['source', 'target'] as const) {
        expect(told(decide(moved(on, state, { pods }), clear()))).not.toBe('record movedBack');
      }
    });

    test('is moved again once the VM names the source', () => {
      const live = make.live({ vmGeneration: 0, knownMigrations: ['vmim-1', 'vmim-2'] });
      const again = moved('source', {}, { record: make.record({ live }) });
      expect(told(decide(again, clear()))).toBe('record liveBegins');
    });
  });

  describe('while the VM was given the targets again', () => {
    const live = make.patched({ vmGeneration: 0, knownMigrations: ['vmim-1', 'vmim-2'] });
    const stuck = (fields: Parameters<typeof make.vmi>[0] = {}, extra: make.ViewExtra = {}) =>
      make.facts({
        record: make.record({ live }),
        machine: make.vm({ on: 'target' }),
        instance: make.vmi({
          on: 'target',
          nodeName: 'n3',
          volumesChange: { status: 'False', reason: 'VolumesChangeCancellation', message: '' },
          migrationState: make.switched(back),
          ...fields,
        }),
        pods: [left, onSource],
        ...extra,
      });

    test('is left to a person: VM and VMI agree, and KubeVirt begins no migration', () => {
      expect(told(decide(stuck(), clear()))).toBe('attention MovedBackToSource');
    });

    test('is taken back when it ends', () => {
      expect(told(decide(stuck({ deleting: true }), held()))).toBe('revert stopped');
    });

    test.each([
      ['has not finished that migration', { migrationState: make.switched({ ...back, endTimestamp: '' }) }],
      ['names pairs to migrate', { migratedVolumes: [{ volume: 'root', source: make.sourceOf(), target: 'b' }] }],
      ['is about to migrate', { volumesChange: { status: 'True', reason: '', message: '' } }],
      ['has not followed the VM yet', { on: 'source' as const }],
      ['has migrated nothing yet', { migrationState: undefined }],
      ['had a migration that did not get there', { migrationState: make.state({ ...back, completed: false }) }],
    ])("is KubeVirt's to move while its VMI %s", (_, fields) => {
      expect(told(decide(stuck(fields), clear()))).toContain('wait: ');
    });

    test("is KubeVirt's to move while another migration of its VMI is under way", () => {
      const attempts = [make.vmim({ uid: 'vmim-3', phase: 'Pending' })];
      expect(told(decide(stuck({}, { attempts }), clear()))).toBe('wait: KubeVirt to copy the disks');
    });

    test.each<[string, readonly ReturnType<typeof make.launcher>[]]>([
      ['on the targets', [{ ...onSource, claims: [make.targetOf()] }]],
      ['nowhere that can be seen', [left]],
    ])('is not said to be on the sources while its launcher is %s', (_, pods) => {
      expect(told(decide(stuck({}, { pods }), clear()))).not.toContain('MovedBackToSource');
    });
  });

  test('is followed with that migration known, which then proves no switch-over', () => {
    const nextBack = make.switched(back);
    const instance = make.vmi({ uid: 'vmi-2', on: 'target', nodeName: 'n3', migrationState: nextBack });
    const pods = [make.launcher('source', { name: back.targetPod, ownerUid: 'vmi-2', nodeName: 'n3' })];
    const found = make.facts({
      record: make.record({ live: make.patched({ endedAt: make.at(1) }) }),
      machine: make.vm({ on: 'target' }),
      instance,
      pods,
    });
    const [command] = decide(found, clear()).commands;
    expect(command).toMatchObject({
      why: 'liveFollowed',
      record: { live: { vmiUid: 'vmi-2', knownMigrations: ['vmim-2'] } },
    });
    const record = command?.kind === 'record' ? command.record : make.record();
    // Its virt-launcher goes before the VMI does.
    const going = make.facts({ record, machine: make.vm({ on: 'target' }), instance: { ...instance, deleting: true } });
    expect(told(decide(going, held()))).toBe('revert stopped');
  });
});

describe('KubeVirt settings that change when the volumes are patched', () => {
  const settings = make.settings({ workloadUpdateMethods: [] });

  test('are a matter for people: no migration is ever created', () => {
    const waiting = make.copyingFacts({ settings, attempts: [], instance: make.vmi({ on: 'target' }) });
    expect(told(decide(waiting, clear()))).toBe('attention LiveMigrateNotEnabled');
  });

  test('do not concern a migration that is under way', () => {
    expect(told(decide(make.copyingFacts({ settings }), clear()))).toBe('wait: KubeVirt to copy the disks');
  });

  test('keep no revert back', () => {
    const ending = make.copyingFacts({
      settings,
      attempts: [],
      instance: make.vmi({ on: 'target', deleting: true }),
    });
    expect(told(decide(ending, held()))).toBe('revert stopped');
  });
});

describe('a target claim that somebody deletes when the volumes are patched', () => {
  const claims = { [make.targetOf()]: undefined };
  const volumesChange = { status: 'False', reason: '', message: 'One of the destination volumes doesn’t exist' };
  const instance = make.vmi({ volumesChange });

  test('is made again, for which KubeVirt waits', () => {
    const waiting = make.copyingFacts({ claims, instance, attempts: [] });
    expect(told(decide(waiting, clear()))).toBe(`createClaim ${make.targetOf()}`);
    expect(told(decide(waiting, held()))).toBe('wait: the machine to settle');
  });

  test('is not made where it is there and cannot be read', () => {
    const unreadable = make.copyingFacts({ claims, instance, attempts: [], unreadableClaims: ['it has no size'] });
    expect(told(decide(unreadable, clear()))).toContain('wait: KubeVirt: One of the destination volumes');
  });

  test('keeps no revert back', () => {
    const ending = make.copyingFacts({ claims, instance: make.vmi({ volumesChange, deleting: true }), attempts: [] });
    expect(told(decide(ending, clear()))).toBe('revert stopped');
  });
});

describe('a guest that has ended under runStrategy Once', () => {
  const ended = { phase: 'Succeeded', ready: false } as const;
  const facts = make.facts({
    record: make.record(),
    machine: make.vm({ runStrategy: 'Once' }),
    instance: make.vmi(ended),
  });

  test('is left to a person: its VMI lies there for ever, and the machine starts when it is deleted', () => {
    expect(told(decide(facts, clear()))).toBe('attention RanOnce');
  });

  test('is left to a person also after a revert', () => {
    const reverted = make.facts({
      record: make.record({ live: make.patched({ endedAt: make.at(5) }) }),
      machine: make.vm({ runStrategy: 'Once' }),
      instance: make.vmi(ended),
    });
    expect(told(decide(reverted, clear()))).toBe('attention RanOnce');
  });

  test('keeps nobody from deleting the migration', () => {
    const cancelled = make.facts({
      record: make.record({ live: make.patched({ endedAt: make.at(5) }) }),
      machine: make.vm({ runStrategy: 'Once' }),
      instance: make.vmi(ended),
      migration: { deleting: true },
    });
    expect(told(decide(cancelled, clear()))).toBe('record liveEnded');
  });

  test('is waited for while its VMI is going', () => {
    const instance = make.vmi({ ...ended, deleting: true });
    const going = make.facts({ record: make.record(), machine: make.vm({ runStrategy: 'Once' }), instance });
    expect(told(decide(going, clear()))).toContain('wait: the machine to settle');
  });
});

describe('a guest that has ended on A while the launcher on B still waits for it', () => {
  const pods = [
    make.launcher('source', { phase: 'Failed' }),
    make.launcher('target', { name: 'launcher-web-1-target', uid: 'pod-target', nodeName: 'n2' }),
  ];
  const attempts = [make.vmim({ phase: 'Failed' })];
  const ended = (phase: 'Running' | 'Failed') =>
    make.facts({
      record: make.record({ live: make.patched() }),
      machine: make.vm({ runStrategy: 'Manual' }),
      instance: make.vmi({ phase, ready: false, readyReason: 'PodTerminating' }),
      attempts,
      pods,
    });

  test.each(['Running', 'Failed'] as const)('was not booted on B (VMI %s)', (phase) => {
    expect(ended(phase).launcher).toBe('none');
    expect(told(decide(ended(phase), clear()))).not.toContain('BootedOnIncompleteTarget');
  });
});

describe('a VMI that has ended before the store shows our patch', () => {
  // The patch was accepted; of the VM nothing is heard since, of its VMI that it is another one.
  const facts = make.facts({
    record: make.record({ live: make.live() }),
    machine: make.vm(),
    instance: make.vmi({ uid: 'vmi-2' }),
    pods: [make.launcher('source', { ownerUid: 'vmi-2' })],
    lastInstance: { object: make.vmi({ phase: 'Succeeded' }), gap: false },
  });

  test('the attempt is not forgotten while the patch may have landed', () => {
    expect(told(decide(facts, held()))).toBe('wait: the machine to settle');
    expect(told(decide(facts, clear()))).toBe('record liveEnded');
  });
});

describe('a machine that was moved with a hotplugged disk', () => {
  const completed = { by: 'Offline' as const, at: make.at() };
  const record = make.record({ completed });
  const launcher = make.launcher('target', { claims: [], nodeName: 'n1' });
  const attachment = { role: 'hotplug', ownerUid: launcher.uid, claims: [make.targetOf()] } as const;
  const withAttachment = (phase: 'Pending' | 'Running') =>
    make.facts({
      record,
      machine: make.vm({ on: 'target' }),
      instance: make.vmi({ on: 'target' }),
      pods: [launcher, make.pod({ ...attachment, name: 'hp-volume', phase })],
    });

  test('is seen on the target only when the disk is attached', () => {
    expect(told(decide(withAttachment('Pending'), clear()))).toBe('wait: Moved');
    expect(told(decide(withAttachment('Running'), clear()))).toBe('record seenOnTarget');
  });
});

test('a move to another node after the attempt was recorded is recorded too before the volumes are patched', () => {
  const moved = make.runningFacts({
    record: make.record({ live: make.live({ attempt: 2 }) }),
    instance: make.vmi({
      nodeName: 'n2',
      migrationState: make.switched({ completed: true, endTimestamp: make.at(9) }),
    }),
    attempts: [make.vmim({ phase: 'Succeeded' })],
    pods: [make.launcher('source', { name: 'launcher-web-1-target', nodeName: 'n2' })],
  });
  const decision = decide(moved, clear());
  expect(decision.commands).toMatchObject([
    { kind: 'record', why: 'liveBegins', record: { live: { knownMigrations: ['vmim-1'], attempt: 2 } } },
  ]);
});

describe('a cut-over that has landed unseen, when the machine is started', () => {
  const facts = make.stoppedFacts({
    record: make.record({
      offline: make.offline({ copied: ['root'] }),
      cutOver: { resourceVersion: '100', at: make.at() },
    }),
    pods: [make.launcher('target')],
  });

  test('is not forgotten with its copy before our last write was seen', () => {
    expect(told(decide(facts, held()))).toBe('wait: the machine to settle');
    expect(told(decide(facts, clear()))).toBe('record copyVoid');
  });
});

describe('the next VMI, booted on the half-copied target', () => {
  const other = (fields: Parameters<typeof make.vmi>[0]) =>
    make.facts({
      record: make.record({ live: make.patched({ endedAt: make.at() }) }),
      machine: make.vm({ on: 'target' }),
      instance: make.vmi({ uid: 'vmi-2', on: 'target', ...fields }),
      pods: [
        make.launcher('target', { name: 'one', ownerUid: 'vmi-2' }),
        make.launcher('source', { name: 'other', ownerUid: 'vmi-2', deleting: true }),
      ],
    });

  test('is not reverted under a guest whose launchers are seen before it is seen to run', () => {
    expect(told(decide(other({ phase: 'Scheduling', nodeName: '' }), clear()))).toMatch(/^wait: the virt-launcher/);
  });

  test('is not taken to run on the source by a launcher that a migration has left behind', () => {
    const migrationState = make.switched({ targetPod: 'three', endTimestamp: make.at(9), completed: true });
    expect(other({ nodeName: 'n1', migrationState }).launcher).toBe('none');
  });
});

test('a migration of the next VMI onto itself is not waited for: a person is told', () => {
  const next = {
    machine: make.vm(),
    instance: make.vmi({
      uid: 'vmi-2',
      migratedVolumes: [{ volume: 'root', source: make.targetOf(), target: make.sourceOf() }],
    }),
    attempts: [make.vmim()],
    pods: [make.launcher('source', { ownerUid: 'vmi-2' })],
  };
  for (const live of [undefined, make.patched({ endedAt: make.at() }), make.patched({ vmiUid: 'vmi-2' })]) {
    const facts = make.facts({ ...next, record: make.record(live === undefined ? {} : { live }) });
    expect(told(decide(facts, clear()))).toBe('attention MigratesToItself');
  }
});

describe('volumes that KubeVirt moves back after the switch-over', () => {
  const next = (side: make.Side | 'unseen', fields: Parameters<typeof make.vmi>[0] = {}) =>
    make.facts({
      record: make.record({ switchedOver: make.switchedOver }),
      machine: make.vm(),
      instance: make.vmi({
        uid: 'vmi-2',
        migratedVolumes: [{ volume: 'root', source: make.targetOf(), target: make.sourceOf() }],
        ...fields,
      }),
      pods: side === 'unseen' ? [] : [make.launcher(side, { ownerUid: 'vmi-2', nodeName: 'n1' })],
    });

  test('are cancelled with strategy Migration under a guest on the target, and under no other', () => {
    const commands = (side: make.Side | 'unseen') => decide(next(side), clear()).commands;
    expect(commands('target')).toEqual([{ kind: 'repair', strategy: 'Migration' }]);
    expect(commands('source')).toEqual([{ kind: 'repair' }]);
    expect(commands('unseen')).toEqual([]);
  });

  test('keep nothing waiting for a virt-launcher once the VMI ends: the next boot takes what the VM names', () => {
    for (const ending of [{ phase: 'Failed' }, { deleting: true }] as const) {
      expect(decide(next('unseen', ending), held()).commands).toEqual([{ kind: 'repair' }]);
    }
  });
});

describe('a machine that has switched over is not called moved', () => {
  const record = make.record({ live: make.patched(), switchedOver: make.switchedOver });
  const onTarget = make.launcher('target', { ownerUid: 'vmi-2', nodeName: 'n1' });
  const repaired = make.vm({ on: 'target', updateVolumesStrategy: 'Replacement' });
  const moved = (fields: Parameters<typeof make.facts>[0]) => make.facts({ record, machine: repaired, ...fields });

  test('while KubeVirt moves it back: a repair with Replacement did not cancel that', () => {
    const migratedVolumes = [{ volume: 'root', source: make.targetOf(), target: make.sourceOf() }];
    const instance = make.vmi({ uid: 'vmi-2', migratedVolumes });
    const facts = moved({ instance, pods: [onTarget] });
    expect(decide(facts, held()).commands).toEqual([{ kind: 'repair', strategy: 'Migration' }]);
    const cancelled = { ...repaired, updateVolumesStrategy: 'Migration' };
    expect(told(decide(make.facts({ record, machine: cancelled, instance, pods: [onTarget] }), clear()))).toBe(
      'wait: KubeVirt to finish the migration',
    );
  });

  test('while of the next VMI only its virt-launcher is seen', () => {
    const instance = make.vmi({ phase: 'Succeeded', on: 'target' });
    expect(told(decide(moved({ instance, pods: [onTarget] }), clear()))).toBe(
      'wait: the VMI of a virt-launcher to be seen',
    );
    expect(told(decide(moved({ instance, pods: [] }), clear()))).toBe('record completed');
  });
});

describe('a claim that cannot be read', () => {
  const unreadableClaims = ['PersistentVolumeClaim web-1-root-fast: spec.volumeMode is a number, expected a text'];

  test('does not keep the volumes of a guest that ends from being put back (law 3)', () => {
    const ending = make.copyingFacts({
      instance: make.vmi({ on: 'target', migrationState: make.state(), deleting: true }),
      unreadableClaims,
    });
    expect(told(decide(ending, clear()))).toMatch(/^revert/);
  });

  test('keeps everything from being begun, and is told', () => {
    for (const facts of [make.runningFacts({ unreadableClaims }), make.stoppedFacts({ unreadableClaims })]) {
      expect(told(decide(facts, clear()))).toBe('attention UnreadableObject');
    }
  });
});

describe('a live migration that is undone', () => {
  const undone = (...pods: readonly Pod[]) =>
    make.facts({
      record: make.record({ live: make.patched() }),
      machine: make.vm(),
      instance: make.vmi(),
      migration: { deleting: true },
      pods,
    });

  test('is not forgotten before the virt-launcher tells that the VMI still is the one that is seen', () => {
    expect(told(decide(undone(), clear()))).toBe('wait: the virt-launcher of the VMI to be seen');
    expect(told(decide(undone(make.launcher('source')), clear()))).toBe('record liveEnded');
  });
});

describe('guards that no order of events in the small worlds has missed', () => {
  const live = make.patched();

  test('the end of a VMI is written down when its revert has landed and the machine is about to start again', () => {
    const again = { machine: make.vm(), instance: undefined, lastInstance: { object: make.vmi(), gap: false } };
    const facts = make.facts({ ...again, record: make.record({ live }), pods: [] });
    expect(told(decide(facts, held()))).toBe('record endSeen');
    const seen = make.record({ live: make.patched({ endedAt: make.at() }) });
    expect(told(decide(make.facts({ ...again, record: seen, pods: [] }), held()))).toMatch(
      /^wait: the machine to be off/,
    );
  });

  test('a migration that is undone is not forgotten while a virt-launcher holds the target', () => {
    const second = make.launcher('target', { name: 'second', uid: 'second' });
    const undone = { machine: make.vm(), instance: make.vmi({ nodeName: 'n1' }), migration: { deleting: true } };
    const pods = [make.launcher('source'), second];
    const facts = make.facts({ ...undone, record: make.record({ live }), pods });
    expect(told(decide(facts, clear()))).toBe('wait: pods to let go of the target claims: second');
  });

  test('no live migration is begun while the virt-launcher of the guest is not seen', () => {
    expect(told(decide(make.runningFacts({ pods: [] }), clear()))).toBe(
      'wait: the virt-launcher of the VMI to be seen',
    );
  });

  test('nobody is told of a migration onto itself before it is seen where the guest runs, nor when it ends', () => {
    const migratedVolumes = [{ volume: 'root', source: make.targetOf(), target: make.sourceOf() }];
    const next = { uid: 'vmi-2', migratedVolumes } as const;
    const reverted = { record: make.record({ live: make.patched({ endedAt: make.at() }) }), machine: make.vm() };
    const starting = make.facts({ ...reverted, instance: make.vmi({ ...next, phase: 'Scheduled' }), pods: [] });
    expect(told(decide(starting, clear()))).toBe('wait: the virt-launcher of the VMI to be seen');
    const pods = [make.launcher('source', { ownerUid: 'vmi-2' })];
    const ending = make.facts({ ...reverted, instance: make.vmi({ ...next, deleting: true }), pods });
    expect(told(decide(ending, clear()))).toBe('record liveEnded');
  });

  test('a guest that was booted on both source and target after the cut-over is left to a person', () => {
    const disks = ['root', 'data'];
    const mixed = make.launcher('target', { claims: [make.targetOf('web-1', 'root'), make.sourceOf('web-1', 'data')] });
    const facts = make.facts({
      record: make.record({ diskNames: disks, cutOver: { resourceVersion: '100', at: make.at() } }),
      machine: make.vm({ on: 'target', disks }),
      instance: make.vmi({ on: 'target', disks, nodeName: mixed.nodeName }),
      pods: [mixed],
    });
    expect(told(decide(facts, clear()))).toBe('attention BootedOnIncompleteTarget');
  });
});

describe('an offline copy', () => {
  const ended = { phase: 'Succeeded', ended: make.wholeEnd } as const;
  const broken = { phase: 'Failed', ended: make.brokenEnd } as const;
  const fallen = { phase: 'Failed', ended: { exitCode: 137, message: '' }, createdAt: make.at(-60) } as const;
  type Failures = ReturnType<typeof make.offline>['failures'];
  const copying = (pods: readonly Pod[], failures: Failures = []) =>
    make.stoppedFacts({ record: make.record({ offline: make.offline({ failures }) }), pods });
  const failuresOf = (facts: ReturnType<typeof copying>): Failures => {
    const [command] = decide(facts, clear()).commands;
    return command?.kind === 'record'
      ? (command.record.offline?.failures ?? [])
      : (facts.record?.offline?.failures ?? []);
  };

  test.each([
    ['whole', make.client('web-1', ended)],
    ['running', make.client()],
    ['being deleted', make.client('web-1', { ...ended, deleting: true })],
  ])('is not begun beside a client of a void one under the same version of the VM, which is %s', (_, client) => {
    // Somebody had a hand on the target, and nothing has written the VM since: the next copy would have the same id.
    const facts = make.stoppedFacts({ record: make.record({ copiesBegun: 1 }), pods: [client] });
    expect(told(decide(facts, clear()))).toBe(`wait: earlier copies to be gone: ${client.name}`);
    expect(told(decide(make.stoppedFacts({ record: make.record({ copiesBegun: 1 }) }), clear()))).toBe(
      'record copyBegins',
    );
  });

  test('is left to a person when another VM names its target, however far it is', () => {
    const otherUsersOf = (name: string) => (name === make.targetOf() ? ['db-1'] : []);
    const record = make.record({ offline: make.offline() });
    const facts = make.stoppedFacts({ record, otherUsersOf, pods: [make.server(), make.client()] });
    expect(told(decide(facts, clear()))).toBe('attention TargetInUse');
    const view = { migration: facts.view.migration, pods: facts.copyPods, members: [facts] };
    const { ends, begins } = decideGroups(view, { ...clear(), clearanceOf: () => ({ kind: 'clear' }) });
    expect(ends.map((end) => end.kind === 'deletePod' && end.pod.role)).toEqual(['copyClient', 'copyServer']);
    expect(begins).toEqual([]);
  });

  test('that fails because its server has ended has failed once, whichever end is seen first', () => {
    const server = make.server(['web-1'], fallen);
    const client = make.client('web-1', broken);
    const together = failuresOf(copying([server, client]));
    expect(together).toMatchObject([{ count: 1, reason: 'CopyServerFailed' }]);
    expect(failuresOf(copying([{ ...server, deleting: true }, client], together))).toEqual(together);
    const clientFirst = failuresOf(copying([make.server(), client]));
    expect(clientFirst).toMatchObject([{ count: 1, reason: 'ServerUnreachable' }]);
    expect(failuresOf(copying([server], clientFirst))).toMatchObject([{ count: 1, reason: 'CopyServerFailed' }]);
  });

  test('that fails under one server after the other has failed as often', () => {
    const before = failuresOf(copying([make.server(['web-1'], fallen)]));
    const next = make.server(['web-1'], { ...fallen, uid: 'next', createdAt: make.at(-1) });
    expect(failuresOf(copying([next], before))).toMatchObject([{ count: 2 }]);
  });

  test('that cannot heal is tried again as soon as spec has changed, while the other disks are being copied', () => {
    const two = ['root', 'data'];
    const failure = {
      volume: 'root',
      count: 3,
      at: make.at(-60),
      podUid: 'old',
      reason: 'TargetTooSmall',
      message: 'small',
    };
    const begunAt = (generation: number) => {
      const offline = make.offline({ failures: [{ ...failure, generation: 1 }] });
      const pods = [make.server(['web-1'], { disks: two }), make.client('web-1', { disk: 'data' })];
      const spec = { virtualMachines: [make.wanted('web-1', two)] };
      const record = make.record({ diskNames: two, offline });
      const machine = make.stoppedVm({ disks: two });
      const facts = make.stoppedFacts({ record, machine, pods, migration: { generation, spec } });
      const view = { migration: facts.view.migration, pods, members: [facts] };
      return decideGroups(view, { ...clear(), clearanceOf: () => ({ kind: 'clear' }) }).begins;
    };
    expect(begunAt(1)).toEqual([]);
    expect(begunAt(2)).toMatchObject([{ kind: 'createClient', disk: { volume: 'root' } }]);
  });

  test('that does not reach a server which has not begun to run has not failed before that runs', () => {
    const client = make.client('web-1', broken);
    const pulling = make.server(['web-1'], { phase: 'Pending' });
    expect(told(decide(copying([pulling, client]), clear()))).toBe('wait: the copy of root');
    expect(failuresOf(copying([make.server(), client]))).toMatchObject([{ count: 1 }]);
  });
});

describe('times that a daemon wrote whose clock was an hour ahead', () => {
  const ahead = make.at(3600);
  const failure = { volume: 'root', count: 1, at: ahead, podUid: 'old', reason: 'PeerSilent', message: 'x' };
  const groupOf = (offline: Partial<ReturnType<typeof make.offline>>) => {
    const member = make.stoppedFacts({ record: make.record({ offline: make.offline(offline) }) });
    const circumstances = { clearanceOf: () => ({ kind: 'clear' as const }), limits, now: make.startMs };
    return decideGroups({ migration: member.view.migration, pods: [], members: [member] }, circumstances);
  };

  test('hold back neither the next attempt of a copy nor the making of a server', () => {
    for (const offline of [{ failures: [failure] }, { startedAt: ahead }]) {
      expect(groupOf(offline).begins.map(({ kind }) => kind)).toStrictEqual(['createServer']);
    }
  });

  test('hold back no cut-over', () => {
    const whole = make.stoppedFacts({
      record: make.record({ offline: make.offline({ copied: ['root'], startedAt: ahead }) }),
    });
    expect(told(decide(whole, clear()))).toBe('record cutOverBegins');
  });
});
