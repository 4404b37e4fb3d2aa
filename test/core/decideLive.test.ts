// Live migrations, decided step by step: beginning, watching over, taking back, following past the switch-over.
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import type { Circumstances, Command } from '../../src/core/decision.ts';
import type { MachineFacts } from '../../src/core/facts.ts';
import type { MigrationRecord } from '../../src/core/storageMigration.ts';
import {
  at,
  claim,
  client,
  copyingFacts,
  launcher,
  live,
  offline,
  patched,
  pod,
  record,
  runningFacts,
  server,
  settings,
  sourceOf,
  startMs,
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
} from './builders.ts';
import { clear, held, told } from './circumstances.ts';

type Case = readonly [what: string, expected: string, facts: () => MachineFacts, circumstances?: Circumstances];

const table = (cases: readonly Case[]): void => {
  for (const [what, expected, make, circumstances = clear()] of cases) {
    test(`${what}: ${expected}`, () => {
      expect(told(decide(make(), circumstances))).toBe(expected);
    });
  }
};

/** The record that a decision writes. */
const written = (facts: MachineFacts): MigrationRecord => {
  const [command] = decide(facts, clear()).commands as readonly Command[];
  if (command?.kind !== 'record') throw new Error(`expected a record, found ${told(decide(facts, clear()))}`);
  return command.record;
};

const gaveUp = (generation: number) => ({ generation, reason: 'LiveMigrationFailing', message: 'failed 5 times' });
const begun = (extra: ViewExtra = {}) => runningFacts({ record: record({ live: live() }), ...extra });

describe('beginning', () => {
  table([
    ['a running machine: the record comes before the patch', 'record liveBegins', () => runningFacts()],
    ['recorded: the volumes are patched', 'startLive', () => begun()],
    ['without clearance nothing begins', 'wait: the machine to settle', () => runningFacts(), held()],
    ['nor is anything patched', 'wait: the machine to settle', () => begun(), held()],
    [
      'recorded for another VMI',
      'record liveEnded',
      () => begun({ instance: vmi({ uid: 'vmi-2' }), pods: [launcher('source', { ownerUid: 'vmi-2' })] }),
    ],
    [
      'recorded for another VMI, whose disk is not known yet',
      'wait: the virt-launcher of the VMI to be seen',
      () => begun({ instance: vmi({ uid: 'vmi-2' }), pods: [] }),
    ],
    ['the spec was edited after the record', 'record liveBegins', () => begun({ machine: vm({ generation: 8 }) })],
    ['not accepted', 'wait: the migration to be accepted', () => runningFacts({ record: undefined })],
    ['paused guest', 'record liveBegins', () => runningFacts({ instance: vmi({ ready: false, paused: true }) })],
    [
      'starting',
      'wait: the machine to settle (its VMI is Scheduled)',
      () => runningFacts({ instance: vmi({ phase: 'Scheduled', ready: false }) }),
    ],
    [
      'ending',
      'wait: the machine to settle (its VMI is being deleted)',
      () => runningFacts({ instance: vmi({ deleting: true }) }),
    ],
    ['spec.paused', 'wait: spec.paused to be false', () => runningFacts({ migration: { spec: { paused: true } } })],
    [
      'spec.paused after the record',
      'wait: spec.paused to be false',
      () => begun({ migration: { spec: { paused: true } } }),
    ],
    [
      'a copy is recorded: it is void first',
      'record copyVoid',
      () => runningFacts({ record: record({ offline: offline() }) }),
      held(),
    ],
    [
      'its client exists',
      'wait: the copy pods to be gone: copy-client-web-1-root',
      () => begun({ pods: [launcher('source'), client()] }),
    ],
    [
      'the server mounts its target',
      'wait: the copy pods to be gone: copy-server',
      () => begun({ pods: [launcher('source'), server(['web-2', 'web-1'])] }),
    ],
    [
      'the server has ended but exists',
      'wait: the copy pods to be gone: copy-server',
      () => begun({ pods: [server(['web-1'], { phase: 'Failed', deleting: true })] }),
    ],
    [
      'another migration’s client mounts its source',
      'wait: the copy pods to be gone: copy-client-web-1-root',
      () => begun({ pods: [client('web-1', { migrationUid: 'uid-other' })] }),
    ],
    [
      'pods of its group that mount nothing of it are ending',
      'wait: the copy pods to be gone: copy-server',
      () => begun({ endingCopyPods: [server(['web-2'], { deleting: true })] }),
    ],
    [
      'a migration of the guest is under way',
      'wait: the migration of the VMI that is under way to end',
      () => begun({ attempts: [vmim({ phase: 'Pending' })] }),
    ],
    [
      'a pod mounts its target',
      'wait: pods to let go of the target claims: importer',
      () => begun({ pods: [launcher('source'), pod({ name: 'importer', claims: [targetOf()] })] }),
    ],
    [
      'a pod that mounts its target has ended',
      'startLive',
      () => begun({ pods: [launcher('source'), pod({ claims: [targetOf()], phase: 'Succeeded' })] }),
    ],
    [
      'KubeVirt still lists migrated volumes and says that volumes change',
      'wait: KubeVirt to take the volumes back',
      () =>
        begun({
          instance: vmi({
            migratedVolumes: [{ volume: 'root', source: sourceOf(), target: targetOf() }],
            volumesChange: { status: 'True', reason: '', message: 'migrate volumes' },
          }),
        }),
    ],
    ['no target claim', `createClaim ${targetOf()}`, () => runningFacts({ claims: { [targetOf()]: undefined } })],
    [
      'no target claim and no clearance',
      'wait: the machine to settle',
      () => runningFacts({ claims: { [targetOf()]: undefined } }),
      held(),
    ],
    [
      'the target is too small',
      'attention TargetTooSmall',
      () => begun({ claims: { [targetOf()]: claim(targetOf(), { requestedBytes: 1, capacityBytes: 999 }) } }),
    ],
    [
      'the target is named by another VM',
      'attention TargetInUse',
      () => begun({ otherUsersOf: (name) => (name === targetOf() ? ['db-1'] : []) }),
    ],
    ['RestartRequired', 'attention RestartRequired', () => begun({ machine: vm({ restartRequired: 'cpu changed' }) })],
    [
      'rollout strategy Stage',
      'attention RolloutStrategyNotLiveUpdate',
      () => begun({ settings: settings({ rolloutStrategy: 'Stage' }) }),
    ],
    [
      'no LiveMigrate',
      'attention LiveMigrateNotEnabled',
      () => begun({ settings: settings({ workloadUpdateMethods: ['Evict'] }) }),
    ],
    ['a disk is left out', 'attention DiskLeftOut', () => begun({ machine: vm({ disks: ['root', 'data'] }) })],
    ['an object cannot be read', 'attention UnreadableObject', () => begun({ unreadable: ['VMI web-1: …'] })],
  ]);

  test('the record names the VMI, the generation, and every migration that is known', () => {
    const facts = runningFacts({
      machine: vm({ generation: 9 }),
      instance: vmi({ migrationState: state({ migrationUid: 'older', endTimestamp: at() }) }),
      attempts: [vmim({ uid: 'old', phase: 'Failed' })],
    });
    expect(written(facts).live).toStrictEqual({
      vmiUid: 'vmi-web-1',
      vmGeneration: 9,
      knownMigrations: ['old', 'older'],
      attempt: 1,
      startedAt: at(),
    });
  });

  test('attempts on one VMI are counted and end; another VMI counts anew', () => {
    const begunTimes = (attempt: number, vmiUid = 'vmi-web-1') =>
      runningFacts({
        record: record({ live: patched({ attempt, vmiUid }) }),
        machine: vm({ updateVolumesStrategy: 'Migration' }),
      });
    expect(written(begunTimes(2)).live?.attempt).toBe(3);
    expect(told(decide(begunTimes(3), clear()))).toBe('record gaveUp');
    expect(written(begunTimes(3)).gaveUp).toMatchObject({ generation: 1, reason: 'LiveMigrationUndone' });
    // Of the VMI before nothing is left but a watched end.
    const other = runningFacts({
      record: record({ live: patched({ attempt: 3, vmiUid: 'vmi-0' }) }),
      machine: vm({ updateVolumesStrategy: 'Migration' }),
      lastInstance: { object: vmi({ uid: 'vmi-0' }), gap: false },
    });
    expect(told(decide(other, clear()))).toBe('record liveEnded');
  });
});

describe('watching over a copy', () => {
  const two = {
    record: record({ live: patched(), diskNames: ['root', 'data'] }),
    migration: {
      spec: {
        virtualMachines: [
          {
            name: 'web-1',
            volumes: ['root', 'data'].map((name) => ({ name, target: { claimName: targetOf('web-1', name) } })),
          },
        ],
      },
    },
  };
  table([
    ['KubeVirt copies', 'wait: KubeVirt to copy the disks', () => copyingFacts()],
    [
      'no VMIM yet',
      'wait: KubeVirt to begin a migration',
      () => copyingFacts({ attempts: [], pods: [launcher('source')] }),
    ],
    [
      'KubeVirt says why not',
      'wait: KubeVirt: One of the destination volumes doesn’t exist',
      () =>
        copyingFacts({
          instance: vmi({
            on: 'target',
            volumesChange: { status: 'False', reason: '', message: 'One of the destination volumes doesn’t exist' },
          }),
        }),
    ],
    [
      'paused migration: what is under way goes on',
      'wait: KubeVirt to copy the disks',
      () => copyingFacts({ migration: { spec: { paused: true } } }),
    ],
    [
      'failed four times',
      'wait: KubeVirt to begin a migration',
      () => copyingFacts({ attempts: ['1', '2', '3', '4'].map((uid) => vmim({ uid, phase: 'Failed' })) }),
    ],
    [
      'failed five times',
      'record gaveUp',
      () => copyingFacts({ attempts: ['1', '2', '3', '4', '5'].map((uid) => vmim({ uid, phase: 'Failed' })) }),
    ],
    [
      'RestartRequired appeared',
      'record gaveUp',
      () => copyingFacts({ machine: vm({ on: 'target', restartRequired: 'cpu changed' }) }),
    ],
    ['given up', 'revert failing', () => copyingFacts({ record: record({ live: patched(), gaveUp: gaveUp(1) }) })],
    [
      'one disk was put back by somebody',
      'revert edited',
      () =>
        copyingFacts({
          ...two,
          machine: vm({
            volumes: [
              { name: 'root', persistentVolumeClaim: { claimName: targetOf() } },
              { name: 'data', persistentVolumeClaim: { claimName: sourceOf('web-1', 'data') } },
            ],
          }),
        }),
    ],
    [
      'a third claim was named by somebody',
      'attention ForeignVolumes',
      () =>
        copyingFacts({ machine: vm({ volumes: [{ name: 'root', persistentVolumeClaim: { claimName: 'third' } }] }) }),
    ],
  ]);
});

describe('law 3: on any sign of an end the first write is the revert, whatever the clearance', () => {
  const signs: readonly (readonly [string, ViewExtra])[] = [
    ['runStrategy Halted', { machine: vm({ on: 'target', runStrategy: 'Halted' }) }],
    ['a stop is queued', { machine: vm({ on: 'target', runStrategy: 'Manual', requests: ['Stop'] }) }],
    ['a restart is queued', { machine: vm({ on: 'target', requests: ['Stop', 'Start'] }) }],
    ['the VM is being deleted', { machine: vm({ on: 'target', deleting: true }) }],
    ['the VMI is being deleted', { instance: vmi({ on: 'target', deleting: true, migrationState: state() }) }],
    ['the guest has shut down', { instance: vmi({ on: 'target', phase: 'Succeeded', migrationState: state() }) }],
    ['the guest has crashed', { instance: vmi({ on: 'target', phase: 'Failed', migrationState: state() }) }],
    [
      'the guest has shut down under Manual',
      { machine: vm({ on: 'target', runStrategy: 'Manual' }), instance: vmi({ on: 'target', phase: 'Succeeded' }) },
    ],
    ['its launcher is terminating', { instance: vmi({ on: 'target', ready: false, readyReason: 'PodTerminating' }) }],
    ['the guest is not running', { instance: vmi({ on: 'target', ready: false, readyReason: 'GuestNotRunning' }) }],
    ['its node is lost', { instance: vmi({ on: 'target', phase: 'Unknown', ready: false }) }],
    [
      'the VMI is gone, watched',
      {
        instance: undefined,
        attempts: [],
        pods: [],
        lastInstance: { object: vmi({ on: 'target', migrationState: state() }), gap: false },
      },
    ],
    [
      'the VMI is gone from a stopped VM',
      {
        machine: stoppedVm({ on: 'target' }),
        instance: undefined,
        attempts: [],
        pods: [],
        lastInstance: { object: vmi({ on: 'target' }), gap: false },
      },
    ],
    ['the migration is being deleted', { migration: { deleting: true } }],
    ['the machine is not asked for any more', { migration: { spec: { virtualMachines: [] } } }],
    [
      'it ends while the migration is paused',
      { migration: { spec: { paused: true } }, instance: vmi({ on: 'target', deleting: true }) },
    ],
    [
      'it ends and a restart is required',
      { machine: vm({ on: 'target', restartRequired: 'x' }), instance: vmi({ on: 'target', deleting: true }) },
    ],
    [
      'it ends after five failures',
      {
        instance: vmi({ on: 'target', deleting: true }),
        attempts: ['1', '2', '3', '4', '5'].map((uid) => vmim({ uid, phase: 'Failed' })),
      },
    ],
  ];
  test.each(signs)('%s', (_, extra) => {
    for (const circumstances of [clear(), held()]) {
      expect(told(decide(copyingFacts(extra), circumstances))).toMatch(/^revert /);
    }
  });
});

describe('another VMI than the one it was begun on', () => {
  const other = (extra: ViewExtra) =>
    copyingFacts({
      instance: vmi({ uid: 'vmi-2', on: 'target', phase: 'Scheduling', ready: false }),
      lastInstance: { object: vmi({ on: 'target', migrationState: state() }), gap: false },
      attempts: [],
      pods: [],
      ...extra,
    });
  const of2 = (side: 'source' | 'target', fields = {}) =>
    launcher(side, { nodeName: 'n1', ownerUid: 'vmi-2', ...fields });
  table([
    ['restarted, no launcher yet: the revert may come in time', 'revert restarted', () => other({})],
    [
      'restarted on the incomplete B: that the sources are whole is written down',
      'record endSeen',
      () => other({ pods: [of2('target')] }),
    ],
    [
      'written down: left to a person, whatever is remembered of the VMI before',
      'attention BootedOnIncompleteTarget',
      () =>
        other({
          record: record({ live: patched({ endedAt: at(5) }) }),
          lastInstance: undefined,
          pods: [of2('target')],
        }),
    ],
    [
      'it runs, and its launcher is not seen: a revert might make KubeVirt copy B over A',
      'wait: the virt-launcher of the VMI to be seen',
      () => other({ instance: vmi({ uid: 'vmi-2', on: 'target' }) }),
    ],
    [
      'it ran and is being deleted, all launchers gone',
      'revert restarted',
      () => other({ instance: vmi({ uid: 'vmi-2', on: 'target', deleting: true }) }),
    ],
    [
      'it ran on B and has ended',
      'revert restarted',
      () =>
        other({
          instance: vmi({ uid: 'vmi-2', on: 'target', phase: 'Succeeded' }),
          pods: [of2('target', { phase: 'Succeeded' })],
        }),
    ],
    [
      'it runs on A: KubeVirt copies by itself',
      'record liveFollowed',
      () => other({ instance: vmi({ uid: 'vmi-2', on: 'target' }), pods: [of2('source')] }),
    ],
    ['the end of the first was not watched', 'attention SwitchOverUnknown', () => other({ lastInstance: undefined })],
  ]);

  test('what is followed is no longer a copy, a cut-over, or done', () => {
    const followed = written(
      other({
        record: record({ live: patched(), completed: undefined, cutOver: { resourceVersion: '1', at: at() } }),
        instance: vmi({ uid: 'vmi-2', on: 'target' }),
        pods: [of2('source')],
      }),
    );
    expect(followed).toStrictEqual(
      record({ live: { vmiUid: 'vmi-2', vmGeneration: 0, knownMigrations: [], attempt: 1, startedAt: at() } }),
    );
  });
});

describe('after a revert', () => {
  const reverted = (extra: ViewExtra = {}) =>
    copyingFacts({
      machine: vm({ updateVolumesStrategy: 'Migration', generation: 8 }),
      instance: vmi({ migrationState: state() }),
      ...extra,
    });
  const ended = state({ endTimestamp: at(9), completed: true, failed: true });
  const manual = vm({
    runStrategy: 'Manual',
    updateVolumesStrategy: 'Migration',
    generation: 8,
    offSince: '90',
    offSinceMs: startMs - 9000,
  });
  const final = vmi({ phase: 'Succeeded', ready: false, migrationState: state() });
  const failed = [vmim({ phase: 'Failed' })];
  table([
    ['the VMIM is not finished', 'wait: KubeVirt to abort the migration', () => reverted()],
    [
      'the VMIM is gone and the migration has not ended',
      'wait: the migration to end',
      () => reverted({ attempts: [], pods: [launcher('source')] }),
    ],
    [
      'all is over and the guest runs: it is begun anew',
      'record liveBegins',
      () => reverted({ instance: vmi({ migrationState: ended }), attempts: failed, pods: [launcher('source')] }),
    ],
    [
      'the old target launcher still holds B',
      'wait: pods to let go of the target claims: launcher-web-1-target',
      () => reverted({ instance: vmi({ migrationState: ended }), attempts: failed }),
    ],
    [
      'the VMI is gone',
      'record liveEnded',
      () =>
        reverted({
          machine: stoppedVm({ generation: 8 }),
          instance: undefined,
          attempts: [],
          pods: [],
          lastInstance: { object: vmi({ migrationState: state() }), gap: false },
        }),
    ],
    [
      'the VMI is gone, a launcher is not',
      'record liveEnded',
      () =>
        reverted({
          machine: stoppedVm({ generation: 8 }),
          instance: undefined,
          attempts: [],
          pods: [launcher('source')],
          lastInstance: { object: vmi({ migrationState: state() }), gap: false },
        }),
    ],
    [
      'the guest shut down under Manual: its final VMI lingers, and its migration never gets an end',
      'record liveEnded',
      () => reverted({ machine: manual, instance: final, attempts: failed, pods: [] }),
    ],
    [
      'the same before the VMIM is finished',
      'wait: KubeVirt to abort the migration',
      () => reverted({ machine: manual, instance: final, pods: [] }),
    ],
    [
      'the guest shut down under Manual before anything was patched',
      'record liveEnded',
      () =>
        reverted({
          record: record({ live: live() }),
          machine: { ...manual, generation: 7 },
          instance: vmi({ phase: 'Succeeded' }),
          attempts: [],
          pods: [],
        }),
    ],
    [
      'lost against the switch-over: recorded',
      'record switchedOver',
      () => reverted({ instance: vmi({ migrationState: switched() }) }),
    ],
    [
      'lost, recorded: the spec is repaired',
      'repair',
      () =>
        reverted({ record: record({ live: patched(), switchedOver }), instance: vmi({ migrationState: switched() }) }),
    ],
    [
      'given up and all is over',
      'attention LiveMigrationFailing',
      () =>
        reverted({
          record: record({ live: patched(), gaveUp: gaveUp(1) }),
          instance: vmi({ migrationState: ended }),
          attempts: failed,
          pods: [launcher('source')],
        }),
    ],
    [
      'the guest was booted on B in between',
      'repair',
      () =>
        reverted({
          instance: vmi({ uid: 'vmi-2' }),
          lastInstance: { object: vmi(), gap: false },
          pods: [launcher('target', { nodeName: 'n1', ownerUid: 'vmi-2' })],
          attempts: [],
        }),
    ],
    [
      'to be cancelled, all is over',
      'record liveEnded',
      () =>
        reverted({
          migration: { deleting: true },
          instance: vmi({ migrationState: ended }),
          attempts: failed,
          pods: [launcher('source')],
        }),
    ],
    ['to be cancelled, nothing left', 'wait: Cancelled', () => runningFacts({ migration: { deleting: true } })],
  ]);

  test('a live migration that was recorded and never patched is forgotten only when no patch can be on its way', () => {
    const unpatched = runningFacts({ record: record({ live: live() }), migration: { deleting: true } });
    expect(told(decide(unpatched, held()))).toBe('wait: the machine to settle');
    expect(told(decide(unpatched, clear()))).toBe('record liveEnded');
  });

  test('a copy of a machine whose final VMI lingers begins with no live migration in its record', () => {
    const off = reverted({ record: record(), machine: manual, instance: final, attempts: failed, pods: [] });
    expect(told(decide(off, clear()))).toBe('record copyBegins');
    expect(written(off).live).toBeUndefined();
  });
});

describe('given up', () => {
  const over = (fields: Partial<MigrationRecord>, generation: number) =>
    runningFacts({
      record: record({ live: patched({ attempt: 3 }), gaveUp: gaveUp(1), ...fields }),
      machine: vm({ updateVolumesStrategy: 'Migration' }),
      migration: { generation },
    });

  test('as long as spec stands, a person is asked', () => {
    expect(told(decide(over({}, 1), clear()))).toBe('attention LiveMigrationFailing');
  });

  test('any change of spec tries again, with all its attempts', () => {
    const again = over({}, 2);
    expect(told(decide(again, held()))).toBe('record triedAgain');
    const next = written(again);
    expect(next.gaveUp).toBeUndefined();
    expect(
      told(
        decide(
          runningFacts({
            record: next,
            machine: vm({ updateVolumesStrategy: 'Migration' }),
            migration: { generation: 2 },
          }),
          clear(),
        ),
      ),
    ).toBe('record liveBegins');
    expect(
      written(
        runningFacts({
          record: next,
          machine: vm({ updateVolumesStrategy: 'Migration' }),
          migration: { generation: 2 },
        }),
      ).live?.attempt,
    ).toBe(1);
  });
});

describe('law 4: after the switch-over only forward', () => {
  const over = (extra: ViewExtra = {}) =>
    copyingFacts({
      record: record({ live: patched(), switchedOver }),
      instance: vmi({ on: 'target', migrationState: switched() }),
      ...extra,
    });
  const ended = switched({ endTimestamp: at(9), completed: true });
  const done = {
    instance: vmi({ on: 'target', nodeName: 'n2', migrationState: ended }),
    attempts: [vmim({ phase: 'Succeeded' })],
    pods: [launcher('target')],
  };
  const gone = { instance: undefined, attempts: [], pods: [] };
  const staleBoot = {
    machine: vm({ on: 'target', updateVolumesStrategy: 'Replacement' }),
    attempts: [],
    instance: vmi({ uid: 'vmi-2' }),
  };
  table([
    [
      'it is recorded at once, whatever the clearance',
      'record switchedOver',
      () => over({ record: record({ live: patched() }) }),
      held(),
    ],
    [
      'recorded before anything else when the guest ends',
      'record switchedOver',
      () => over({ record: record({ live: patched() }), machine: vm({ on: 'target', runStrategy: 'Halted' }) }),
    ],
    [
      'recorded when the migration is being deleted',
      'record switchedOver',
      () => over({ record: record({ live: patched() }), migration: { deleting: true } }),
    ],
    ['KubeVirt has not finished', 'wait: KubeVirt to finish the migration', () => over()],
    [
      'the VMIM is finished and the VMI not yet',
      'wait: KubeVirt to finish the migration',
      () => over({ attempts: [] }),
    ],
    ['finished', 'record completed', () => over(done)],
    ['finished, and a write of ours not seen yet', 'wait: the machine to settle', () => over(done), held()],
    [
      'finished while the migration is being deleted',
      'record completed',
      () => over({ ...done, migration: { deleting: true } }),
    ],
    [
      'failed after the switch-over: B all the same',
      'record completed',
      () => over({ ...done, instance: vmi({ on: 'target', migrationState: { ...ended, failed: true } }) }),
    ],
    [
      'failed in post-copy: neither is whole',
      'attention PostCopyFailed',
      () =>
        over({
          ...done,
          instance: vmi({ on: 'target', migrationState: { ...ended, failed: true, mode: 'PostCopy' } }),
        }),
    ],
    [
      'the guest shut down under Manual before KubeVirt had finished',
      'record completed',
      () =>
        over({
          machine: vm({ on: 'target', runStrategy: 'Manual' }),
          instance: vmi({ on: 'target', phase: 'Succeeded', migrationState: switched() }),
          attempts: [vmim({ phase: 'Failed' })],
          pods: [],
        }),
    ],
    [
      'failed in post-copy, and the VMI is gone',
      'attention PostCopyFailed',
      () =>
        over({
          ...gone,
          lastInstance: { object: vmi({ migrationState: { ...ended, failed: true, mode: 'PostCopy' } }), gap: false },
        }),
    ],
    ['the guest ends at once', 'record completed', () => over({ ...gone, machine: stoppedVm({ on: 'target' }) })],
    ['the spec was put back by a revert that came too late', 'repair', () => over({ machine: vm() }), held()],
    ['the same, and the guest has ended', 'repair', () => over({ ...gone, machine: stoppedVm() }), held()],
    [
      'the spec was half put back',
      'repair',
      () =>
        over({
          record: record({ live: patched(), switchedOver, diskNames: ['root', 'data'] }),
          machine: vm({
            volumes: [
              { name: 'root', persistentVolumeClaim: { claimName: targetOf() } },
              { name: 'data', persistentVolumeClaim: { claimName: sourceOf('web-1', 'data') } },
            ],
          }),
        }),
    ],
    ['the spec names a third claim', 'attention ForeignVolumes', () => over({ machine: vm({ volumes: [] }) })],
    [
      'it was booted on the stale A before the repair',
      'attention BootedOnStaleSource',
      () => over({ ...staleBoot, pods: [launcher('source', { ownerUid: 'vmi-2' })] }),
    ],
    [
      'it was booted again and its launcher is not seen',
      'wait: the virt-launcher of the VMI to be seen',
      () => over({ ...staleBoot, pods: [] }),
    ],
    [
      'it was booted again on B',
      'record completed',
      () =>
        over({
          ...staleBoot,
          instance: vmi({ uid: 'vmi-2', on: 'target' }),
          pods: [launcher('target', { nodeName: 'n1', ownerUid: 'vmi-2' })],
        }),
    ],
    [
      'what was booted on the stale A has ended',
      'record completed',
      () => over({ ...staleBoot, instance: vmi({ uid: 'vmi-2', phase: 'Failed' }), pods: [] }),
    ],
  ]);

  test('what is written down at the switch-over is who, by which migration, and when', () => {
    const found = written(over({ record: record({ live: patched() }) }));
    expect(found).toStrictEqual(record({ live: patched(), switchedOver }));
  });

  test('what is done forgets the attempt and keeps the switch-over', () => {
    expect(written(over(done))).toStrictEqual(
      record({ switchedOver, completed: { by: 'Live', at: at() }, seenOnTarget: true }),
    );
  });
});

describe('law 7: when it cannot be told which claim is good', () => {
  const unknown = (extra: ViewExtra = {}) => copyingFacts({ instance: undefined, attempts: [], pods: [], ...extra });
  table([
    ['a person is asked', 'attention SwitchOverUnknown', () => unknown({ machine: stoppedVm({ on: 'target' }) })],
    ['whatever the goal', 'attention SwitchOverUnknown', () => unknown({ migration: { deleting: true } })],
    [
      'their word for B: strategy Replacement',
      'record completed',
      () => unknown({ machine: stoppedVm({ on: 'target', updateVolumesStrategy: 'Replacement' }) }),
    ],
    [
      'their word for A',
      'record liveEnded',
      () => unknown({ machine: stoppedVm({ updateVolumesStrategy: 'Replacement', generation: 9 }) }),
    ],
    [
      'half of each is no word',
      'attention SwitchOverUnknown',
      () =>
        unknown({
          record: record({ live: patched(), diskNames: ['root', 'data'] }),
          machine: stoppedVm({
            updateVolumesStrategy: 'Replacement',
            volumes: [
              { name: 'root', persistentVolumeClaim: { claimName: targetOf() } },
              { name: 'data', persistentVolumeClaim: { claimName: sourceOf('web-1', 'data') } },
            ],
          }),
        }),
    ],
    [
      'B was named by somebody else',
      'attention TargetNamedByOthers',
      () => stoppedFacts({ machine: stoppedVm({ on: 'target' }) }),
    ],
    [
      'B was named by somebody else under a running guest',
      'attention TargetNamedByOthers',
      () => runningFacts({ machine: vm({ on: 'target' }) }),
    ],
    ['the VM is gone', 'attention VirtualMachineGone', () => unknown({ machine: undefined })],
    [
      'the VM is another one',
      'attention VirtualMachineGone',
      () => unknown({ machine: vm({ uid: 'uid-2', on: 'target' }) }),
    ],
    [
      'the VM is gone after it was done',
      'wait: Moved',
      () => unknown({ machine: undefined, record: record({ completed: { by: 'Live', at: at() } }) }),
    ],
    [
      'foreign volumes at rest',
      'attention ForeignVolumes',
      () => stoppedFacts({ machine: stoppedVm({ volumes: [] }) }),
    ],
    [
      'foreign volumes, to be cancelled, nothing begun',
      'wait: Cancelled',
      () => stoppedFacts({ machine: stoppedVm({ volumes: [] }), migration: { deleting: true } }),
    ],
    [
      'foreign volumes, to be cancelled, KubeVirt still copies',
      'attention ForeignVolumes',
      () => copyingFacts({ machine: vm({ volumes: [] }), migration: { deleting: true } }),
    ],
    [
      'foreign volumes, to be cancelled, the VMI is gone',
      'record liveEnded',
      () =>
        copyingFacts({
          machine: vm({ volumes: [] }),
          migration: { deleting: true },
          instance: undefined,
          attempts: [],
          lastInstance: { object: vmi(), gap: false },
        }),
    ],
  ]);

  test('every sentence names the disks or the object, and what to do', () => {
    const { attention } = decide(unknown(), clear());
    expect(attention?.message).toContain('root: web-1-root to web-1-root-fast');
    expect(attention?.message).toContain('Replacement');
  });
});
