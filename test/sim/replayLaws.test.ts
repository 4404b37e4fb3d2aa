// The judges of the replay: each is shown a decision that breaks its law, and one that does not, so that it is known to
// see the difference.
import { describe, expect, test } from 'vitest';
import { act, type Command, type Decision, needsAttention, wait } from '../../src/core/decision.ts';
import type { GroupCommand } from '../../src/core/groups.ts';
import { type Bounds, broken, type Decided } from '../../src/sim/replay/laws.ts';
import type { Sight } from '../../src/sim/replay/seen.ts';
import {
  client,
  launcher,
  offline,
  patched,
  pod,
  record,
  recordedDisk,
  server,
  sourceOf,
  startMs,
  state,
  stoppedVm,
  storageMigration,
  switchedOver,
  targetOf,
  vm,
  vmi,
  vmim,
} from '../core/builders.ts';

const bounds: Bounds = { settleMs: 1000, cutOverQuietMs: 5000 };

/** A VM that runs on A, about to be migrated live; everything is on record and has been still for a minute. */
const running = (differs: Partial<Sight> = {}): Sight => {
  const found = 'record' in differs ? differs.record : record({ live: patched({ vmGeneration: 7 }) });
  return {
    nowMs: startMs,
    machine: 'web-1',
    migration: storageMigration({ records: { 'web-1': found } }),
    record: found,
    vm: vm(),
    vmi: vmi(),
    attempts: [],
    pods: [launcher('source')],
    switchOvers: [],
    wasWatchedToItsEnd: () => false,
    runChangedMs: startMs - 60_000,
    startableMs: undefined,
    unseenWrite: false,
    ...differs,
  };
};

/** The same VM in the middle of its live migration. */
const copying = (differs: Partial<Sight> = {}): Sight =>
  running({
    record: record({ live: patched() }),
    vm: vm({ on: 'target' }),
    vmi: vmi({ on: 'target', migrationState: state() }),
    attempts: [vmim()],
    pods: [launcher('source'), launcher('target')],
    ...differs,
  });

/** A VM that is off, its copy on record. */
const off = (differs: Partial<Sight> = {}): Sight =>
  running({ record: record({ offline: offline() }), vm: stoppedVm(), vmi: undefined, pods: [], ...differs });

/** The same VM when everything is copied and the cut-over is on record. */
const whole = (differs: Partial<Sight> = {}): Sight =>
  off({
    record: record({
      offline: offline({ copied: ['root'] }),
      cutOver: { resourceVersion: '100', at: '2026-03-01T12:00:00Z' },
    }),
    ...differs,
  });

const switchOver = {
  switchOvers: [{ migrationUid: 'vmim-1', machine: 'web-1', targetClaims: [targetOf()] }],
} as const;

const commands = (...given: readonly Command[]): Decided => ({ decision: act('Waiting', ...given), group: [] });
const decision = (decided: Decision): Decided => ({ decision: decided, group: [] });
const group = (...given: readonly GroupCommand[]): Decided => ({ decision: undefined, group: given });

const startLive = commands({ kind: 'startLive' });
const revert = commands({ kind: 'revert', cause: 'stopped' });
const repair = commands({ kind: 'repair' });
const cutOver = commands({ kind: 'cutOver' });
const nothing = decision(wait('CopyingLive', 'KubeVirt to copy the disks'));
const createServer = group({ kind: 'createServer', machine: undefined, targets: [targetOf()] });
const createClient = group({
  kind: 'createClient',
  machine: 'web-1',
  disk: recordedDisk(),
  copyId: '100',
  server: server(),
  fresh: true,
});
const copyBegins = commands({ kind: 'record', why: 'copyBegins', record: record({ offline: offline() }) });
const recordsSwitchOver = commands({ kind: 'record', why: 'switchedOver', record: record({ switchedOver }) });
const deleteSource = commands({ kind: 'deleteSource', disk: recordedDisk() });

const done = record({ completed: { by: 'Live', at: '2026-03-01T12:00:00Z' }, switchedOver });
const isHalted = vm({ on: 'target', runStrategy: 'Halted' });
const working = { seenOnTarget: true, completed: { by: 'Live', at: '2026-03-01T12:00:00Z' } } as const;

describe('nothing is wrong with', () => {
  const good: readonly (readonly [string, Sight, Decided])[] = [
    ['a live migration that is begun of a running VM', running(), startLive],
    ['a wait while KubeVirt copies', copying(), nothing],
    ['a revert when the VM is stopped', copying({ vm: isHalted }), revert],
    [
      'a revert when the VMI is gone, watched to its end',
      copying({ vmi: undefined, wasWatchedToItsEnd: () => true }),
      revert,
    ],
    [
      'a revert when the virt-launcher is terminating',
      copying({ vmi: vmi({ ready: false, readyReason: 'PodTerminating' }) }),
      revert,
    ],
    [
      'the same although nobody saw how the VMI before had ended',
      running({ record: record({ live: patched({ vmiUid: 'before' }) }), pods: [launcher('target')] }),
      repair,
    ],
    [
      'a repair when a guest was booted on B and the VM names A',
      running({
        record: record({ live: patched({ vmiUid: 'before' }) }),
        pods: [launcher('target')],
        wasWatchedToItsEnd: () => true,
      }),
      repair,
    ],
    ['a switch-over that is recorded', copying(switchOver), recordsSwitchOver],
    ['a repair after the switch-over', copying({ ...switchOver, record: record({ switchedOver }) }), repair],
    ['copy pods for a VM that is off', off(), createServer],
    ['a copy client for a VM that is off', off({ pods: [server()] }), createClient],
    [
      'a copy for a Manual VM whose VMI has ended',
      off({ vm: stoppedVm({ runStrategy: 'Manual' }), vmi: vmi({ phase: 'Succeeded' }) }),
      createServer,
    ],
    ['a cut-over of what is whole', whole(), cutOver],
    [
      'a person who is asked when nobody saw how the VMI ended',
      copying({ vmi: undefined }),
      decision(needsAttention('SwitchOverUnknown', 'compare the disks')),
    ],
    ['a VMI that ended unwatched before the patch had landed', running({ vmi: undefined, pods: [] }), nothing],
    ['a machine that is done', copying({ record: done, vm: isHalted }), nothing],
    [
      'a source that is deleted as asked for',
      running({ migration: storageMigration({ spec: { retention: 'DeleteSource' } }), record: record(working) }),
      deleteSource,
    ],
    [
      'a migration on A before the attempt, which switched nothing over',
      copying({
        vm: isHalted,
        switchOvers: [{ migrationUid: 'vmim-0', machine: 'web-1', targetClaims: [sourceOf()] }],
      }),
      revert,
    ],
  ];

  test.for(good)('%s', ([, sight, decided]) => {
    expect(broken(sight, decided, bounds)).toEqual([]);
  });
});

describe('the judge finds', () => {
  const bad: readonly (readonly [string, string, Sight, Decided])[] = [
    ['law 1', 'a live migration beside a copy server', running({ pods: [server()] }), startLive],
    [
      'law 1',
      'a live migration beside a copy client that is ending',
      running({ pods: [client('web-1', { deleting: true })] }),
      startLive,
    ],
    ['law 1', 'a copy while the VMI exists', off({ vmi: vmi({ deleting: true }) }), createServer],
    ['law 1', 'a copy while a migration is unfinished', off({ attempts: [vmim()] }), createServer],
    ['law 1', 'a copy while a virt-launcher mounts A', off({ pods: [launcher('source')] }), createClient],
    [
      'law 1',
      'a copy while a hotplug pod mounts B',
      off({ pods: [pod({ role: 'hotplug', claims: [targetOf()] })] }),
      createServer,
    ],
    [
      'law 1',
      'a copy beside the copy of another migration',
      off({ pods: [client('web-1', { migrationUid: 'another' })] }),
      createServer,
    ],
    ['law 2', 'a live migration without a VMI', running({ vmi: undefined }), startLive],
    ['law 2', 'a live migration of a VMI that is scheduled', running({ vmi: vmi({ phase: 'Scheduled' }) }), startLive],
    ['law 2', 'a live migration of a VMI that is being deleted', running({ vmi: vmi({ deleting: true }) }), startLive],
    ['law 2', 'a live migration of a VM that is halted', running({ vm: vm({ runStrategy: 'Halted' }) }), startLive],
    [
      'law 2',
      'a live migration of a VM with a stop queued',
      running({ vm: vm({ runStrategy: 'Manual', requests: ['Stop'] }) }),
      startLive,
    ],
    [
      'law 2',
      'a live migration while a restart is required',
      running({ vm: vm({ restartRequired: 'memory changed' }) }),
      startLive,
    ],
    ['law 2', 'a repair without a switch-over', copying(), repair],
    ['law 3', 'no revert of a VM that is halted', copying({ vm: isHalted }), nothing],
    [
      'law 3',
      'no revert with a stop queued',
      copying({ vm: vm({ on: 'target', runStrategy: 'Manual', requests: ['Stop'] }) }),
      nothing,
    ],
    [
      'law 3',
      'no revert while the VMI is being deleted',
      copying({ vmi: vmi({ on: 'target', deleting: true }) }),
      nothing,
    ],
    ['law 3', 'no revert when the VMI has ended', copying({ vmi: vmi({ on: 'target', phase: 'Failed' }) }), nothing],
    ['law 3', 'no revert when the VMI is gone', copying({ vmi: undefined, wasWatchedToItsEnd: () => true }), nothing],
    [
      'law 3',
      'no revert when another VMI is pending',
      copying({ vmi: vmi({ uid: 'another', phase: 'Pending' }), wasWatchedToItsEnd: () => true }),
      nothing,
    ],
    [
      'law 3',
      'a record that is written before the revert',
      copying({ vm: isHalted }),
      commands({ kind: 'record', why: 'liveEnded', record: record() }, { kind: 'revert', cause: 'stopped' }),
    ],
    ['law 3', 'a revert of what nothing is wrong with', copying(), revert],
    ['law 4', 'a revert after the switch-over', copying({ ...switchOver, vm: isHalted }), revert],
    [
      'law 4',
      'a revert after a switch-over whose launcher was never seen',
      copying({ vm: isHalted, switchOvers: [{ migrationUid: 'vmim-1', machine: 'web-1', targetClaims: undefined }] }),
      revert,
    ],
    ['law 4', 'a switch-over that is not recorded', copying(switchOver), nothing],
    [
      'law 4',
      'a copy after the switch-over',
      off({ record: record({ offline: offline(), switchedOver }) }),
      createServer,
    ],
    ['law 4', 'a revert of a machine that is done', copying({ record: done, vm: isHalted }), revert],
    ['law 4', 'a copy of a machine that is done', off({ record: { ...done, offline: offline() } }), createClient],
    [
      'law 5',
      'a cut-over without a copy',
      whole({ record: record({ offline: offline(), cutOver: { resourceVersion: '100', at: '' } }) }),
      cutOver,
    ],
    ['law 5', 'a cut-over at another version', whole({ vm: stoppedVm({ resourceVersion: '101' }) }), cutOver],
    ['law 5', 'a cut-over while the VMI exists', whole({ vmi: vmi({ phase: 'Pending' }) }), cutOver],
    ['law 5', 'a cut-over while a pod mounts B', whole({ pods: [pod({ claims: [targetOf()] })] }), cutOver],
    ['law 5', 'a cut-over just after a start', whole({ startableMs: startMs - 4000 }), cutOver],
    ['law 6', 'a copy of a VM that is Always', off({ vm: stoppedVm({ runStrategy: 'Always' }) }), createServer],
    [
      'law 6',
      'a copy that begins with a start queued',
      off({ vm: stoppedVm({ runStrategy: 'Manual', requests: ['Start'] }) }),
      copyBegins,
    ],
    ['law 6', 'a cut-over of a VM that is Once', whole({ vm: stoppedVm({ runStrategy: 'Once' }) }), cutOver],
    ['law 7', 'a revert although nobody saw how the VMI ended', copying({ vmi: undefined }), revert],
    [
      'law 7',
      'a copy although nobody saw how the VMI ended',
      off({
        record: record({ live: patched(), offline: offline() }),
        vm: stoppedVm({ updateVolumesStrategy: 'Migration' }),
      }),
      createServer,
    ],
    [
      'law 7',
      'something that is done while a person is asked',
      running(),
      decision({ ...needsAttention('Odd', 'look at it'), commands: [{ kind: 'startLive' }] }),
    ],
    ['law 8', 'a live migration that is not on record', running({ record: record() }), startLive],
    ['law 8', 'a live migration recorded for another VMI', running({ vmi: vmi({ uid: 'another' }) }), startLive],
    ['law 8', 'a live migration recorded for another generation', running({ vm: vm({ generation: 8 }) }), startLive],
    [
      'law 8',
      'a cut-over that is not on record',
      whole({ record: record({ offline: offline({ copied: ['root'] }) }) }),
      cutOver,
    ],
    ['law 8', 'a copy that is not on record', off({ record: record() }), createServer],
    ['law 9', 'a start just after a change', running({ runChangedMs: startMs - 999 }), startLive],
    ['law 9', 'a copy just after a change', off({ runChangedMs: startMs - 10 }), createServer],
    ['law 9', 'a start before the last record has come back', running({ unseenWrite: true }), startLive],
    [
      'law 10',
      'a pod that is not ours',
      off(),
      group({ kind: 'deletePod', pod: client('web-1', { migrationUid: 'another' }), cause: 'started' }),
    ],
    ['law 10', 'a source that nobody asked to delete', running({ record: record(working) }), deleteSource],
    [
      'law 10',
      'a source deleted before the VM was seen on B',
      running({ migration: storageMigration({ spec: { retention: 'DeleteSource' } }), record: record() }),
      deleteSource,
    ],
  ];

  test.for(bad)('against %s: %s', ([law, , sight, decided]) => {
    expect(broken(sight, decided, bounds).filter((wrong) => wrong.startsWith(`${law},`))).toHaveLength(1);
  });
});
