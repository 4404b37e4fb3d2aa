// Offline copies and what comes after the move, decided step by step.
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import type { Circumstances } from '../../src/core/decision.ts';
import type { MachineFacts } from '../../src/core/facts.ts';
import type { MigrationRecord } from '../../src/core/storageMigration.ts';
import {
  at,
  brokenEnd,
  claim,
  client,
  launcher,
  live,
  offline,
  patched,
  pod,
  record,
  runningFacts,
  server,
  sourceOf,
  startMs,
  stoppedFacts,
  stoppedVm,
  switchedOver,
  targetOf,
  type ViewExtra,
  vm,
  vmi,
  vmim,
  wanted,
  wholeEnd,
} from './builders.ts';
import { clear, held, limits, told } from './circumstances.ts';

type Case = readonly [what: string, expected: string, facts: () => MachineFacts, circumstances?: Circumstances];

const table = (cases: readonly Case[]): void => {
  for (const [what, expected, make, circumstances = clear()] of cases) {
    test(`${what}: ${expected}`, () => {
      expect(told(decide(make(), circumstances))).toBe(expected);
    });
  }
};

const written = (facts: MachineFacts): MigrationRecord => {
  const [command] = decide(facts, clear()).commands;
  if (command?.kind !== 'record') throw new Error(`expected a record, found ${told(decide(facts, clear()))}`);
  return command.record;
};

/** As they are recorded when a copy begins. */
const itsClaims = [sourceOf(), targetOf()].map((name) => ({ name, uid: `uid-${name}` }));
const ended = (fields: object) => ({ phase: 'Succeeded' as const, ended: wholeEnd, ...fields });
const broken = (fields: object) => ({ phase: 'Failed' as const, ended: brokenEnd, ...fields });
const failure = (count: number, podUid = 'old', reason = 'ServerUnreachable') => ({
  volume: 'root',
  count,
  at: at(-60),
  podUid,
  reason,
  message: 'refused',
});

const copying = (fields: Parameters<typeof offline>[0] = {}, extra: ViewExtra = {}) =>
  stoppedFacts({ record: record({ offline: offline(fields) }), ...extra });

describe('beginning a copy', () => {
  table([
    ['off', 'record copyBegins', () => stoppedFacts()],
    [
      'off under Manual with its final VMI',
      'record copyBegins',
      () => stoppedFacts({ machine: stoppedVm({ runStrategy: 'Manual' }), instance: vmi({ phase: 'Succeeded' }) }),
    ],
    ['without clearance', 'wait: the machine to settle', () => stoppedFacts(), held()],
    ['spec.paused', 'wait: spec.paused to be false', () => stoppedFacts({ migration: { spec: { paused: true } } })],
    [
      'a VMIM is unfinished',
      'wait: the migration of its VMI to end',
      () => stoppedFacts({ attempts: [vmim({ phase: 'Running' })] }),
    ],
    [
      'its launcher is terminating',
      'wait: pods to let go of its claims: launcher-web-1',
      () => stoppedFacts({ pods: [launcher('source', { deleting: true })] }),
    ],
    [
      'the second launcher is there',
      'wait: pods to let go of its claims: launcher-web-1-target',
      () => stoppedFacts({ pods: [launcher('target')] }),
    ],
    [
      'a hotplug pod is there',
      'wait: pods to let go of its claims: hp',
      () => stoppedFacts({ pods: [pod({ name: 'hp', role: 'hotplug', claims: [sourceOf()] })] }),
    ],
    [
      'an importer writes B',
      'wait: pods to let go of its claims: importer',
      () => stoppedFacts({ pods: [pod({ name: 'importer', claims: [targetOf()] })] }),
    ],
    [
      'a copy pod of an earlier migration of the machine is still there',
      'wait: pods to let go of its claims: old-server',
      () => stoppedFacts({ pods: [server(['web-1'], { name: 'old-server', migrationUid: 'uid-old' })] }),
    ],
    [
      'its launcher has ended',
      'record copyBegins',
      () => stoppedFacts({ pods: [launcher('source', { phase: 'Succeeded' })] }),
    ],
    ['no target claim', `createClaim ${targetOf()}`, () => stoppedFacts({ claims: { [targetOf()]: undefined } })],
    [
      'the target is too small',
      'attention TargetTooSmall',
      () => stoppedFacts({ claims: { [targetOf()]: claim(targetOf(), { requestedBytes: 9, capacityBytes: 9 }) } }),
    ],
    [
      'the target is being deleted',
      'attention TargetClaimDeleting',
      () => stoppedFacts({ claims: { [targetOf()]: claim(targetOf(), { deleting: true }) } }),
    ],
    [
      'the target is named by another VM',
      'attention TargetInUse',
      () => stoppedFacts({ otherUsersOf: (name) => (name === targetOf() ? ['db-1'] : []) }),
    ],
    ['the source is gone', 'attention SourceClaimMissing', () => stoppedFacts({ claims: { [sourceOf()]: undefined } })],
    [
      'Always with its VMI gone',
      'wait: the machine to settle (runStrategy is Always)',
      () => stoppedFacts({ machine: vm() }),
    ],
    [
      'its VMI is final and Always will restart it',
      'wait: the machine to settle (its VMI is Succeeded)',
      () => stoppedFacts({ machine: vm(), instance: vmi({ phase: 'Succeeded' }) }),
    ],
  ]);

  test('the record names the very version that was seen off, and forgets an older cut-over', () => {
    const found = written(
      stoppedFacts({
        record: record({ cutOver: { resourceVersion: '1', at: at() } }),
        machine: stoppedVm({ resourceVersion: '123', offSince: '99' }),
      }),
    );
    expect(found).toStrictEqual(
      record({
        offline: { id: '123', offSince: '99', startedAt: at(), claims: itsClaims, copied: [], failures: [] },
        copiesBegun: 1,
      }),
    );
  });
});

describe('law 5: a copy is void as soon as the machine may have run', () => {
  table([
    [
      'another run of off versions',
      'record copyVoid',
      () => copying({}, { machine: stoppedVm({ offSince: '95' }) }),
      held(),
    ],
    [
      'listed anew at a later version',
      'record copyVoid',
      () => copying({}, { machine: stoppedVm({ resourceVersion: '120', offSince: '120' }) }),
    ],
    [
      'listed anew at the same version',
      'wait: the copy of root',
      () => copying({}, { machine: stoppedVm({ offSince: '100' }) }),
    ],
    [
      'a start is queued',
      'record copyVoid',
      () => copying({}, { machine: stoppedVm({ runStrategy: 'Manual', requests: ['Start'], offSince: undefined }) }),
    ],
    ['it was started', 'record copyVoid', () => copying({}, { machine: vm() }), held()],
    [
      'a VMI exists although nothing started it',
      'record copyVoid',
      () =>
        copying(
          {},
          { instance: vmi({ phase: 'Scheduling', ready: false }), machine: stoppedVm({ runStrategy: 'Manual' }) },
        ),
    ],
    ['it runs', 'record copyVoid', () => runningFacts({ record: record({ offline: offline() }) }), held()],
    [
      'a launcher mounts its disk',
      'record copyVoid',
      () => copying({ copied: ['root'] }, { pods: [launcher('source')] }),
      held(),
    ],
    [
      'somebody else’s pod mounts its disk after it was copied',
      'record copyVoid',
      () => copying({ copied: ['root'] }, { pods: [pod({ name: 'guestfs', claims: [sourceOf()] })] }),
    ],
    [
      'somebody else’s pod mounts the copy',
      'record copyVoid',
      () => copying({ copied: ['root'] }, { pods: [pod({ claims: [targetOf()] })] }),
    ],
    [
      'another migration’s server mounts the copy',
      'record copyVoid',
      () => copying({ copied: ['root'] }, { pods: [server(['web-1'], { migrationUid: 'uid-other' })] }),
    ],
    [
      'the copy itself is gone',
      'record copyVoid',
      () => copying({ claims: itsClaims, copied: ['root'] }, { claims: { [targetOf()]: undefined } }),
    ],
    [
      'the copy is another claim under the same name',
      'record copyVoid',
      () =>
        copying(
          { claims: itsClaims, copied: ['root'] },
          { claims: { [targetOf()]: claim(targetOf(), { uid: 'new' }) } },
        ),
    ],
    [
      'the source is another claim under the same name',
      'record copyVoid',
      () =>
        copying(
          { claims: itsClaims, copied: ['root'] },
          { claims: { [sourceOf()]: claim(sourceOf(), { uid: 'new' }) } },
        ),
    ],
    [
      'it is ending again',
      'record copyVoid',
      () => copying({}, { machine: stoppedVm({ offSince: '101' }), instance: vmi({ deleting: true }) }),
    ],
    [
      'its VM object is late: nothing is known yet',
      'wait: the machine to settle (the VM says that its VMI exists, and it is not seen)',
      () => copying({}, { machine: stoppedVm({ created: true }) }),
    ],
  ]);

  test('what is void takes the cut-over with it', () => {
    const found = written(
      copying(
        { copied: ['root'] },
        { machine: vm(), record: record({ offline: offline(), cutOver: { resourceVersion: '100', at: at() } }) },
      ),
    );
    expect(found).toStrictEqual(record());
  });
});

describe('results', () => {
  table([
    ['nothing ended', 'wait: the copy of root', () => copying({}, { pods: [server(), client()] })],
    ['whole', 'record copyEnded', () => copying({}, { pods: [server(), client('web-1', ended({}))] }), held()],
    ['failed', 'record copyFailed', () => copying({}, { pods: [server(), client('web-1', broken({}))] }), held()],
    [
      'of another copy',
      'wait: the copy of root',
      () => copying({}, { pods: [client('web-1', ended({ copyId: '99' }))] }),
    ],
    [
      'code 0 and nothing copied',
      'record copyFailed',
      () => copying({}, { pods: [client('web-1', { phase: 'Succeeded', ended: { exitCode: 0, message: '' } })] }),
    ],
    [
      'failed because it was deleted',
      'wait: the copy of root',
      () => copying({}, { pods: [client('web-1', broken({ deleting: true }))] }),
    ],
    [
      'a failure that is written down',
      'wait: the copy of root',
      () => copying({ failures: [failure(1, 'uid-copy-client-web-1-root')] }, { pods: [client('web-1', broken({}))] }),
    ],
    [
      'the server ended',
      'record copyFailed',
      () => copying({}, { pods: [server(['web-1'], { phase: 'Failed' }), client()] }),
    ],
    [
      'the server ended because it was deleted',
      'wait: the copy of root',
      () => copying({}, { pods: [server(['web-1'], { phase: 'Failed', deleting: true }), client()] }),
    ],
    [
      'a server that ended and did not mount its target',
      'wait: the copy of root',
      () => copying({}, { pods: [server(['web-2'], { phase: 'Failed' })] }),
    ],
    ['too many failures', 'record gaveUp', () => copying({ failures: [failure(limits.maxCopyFailures)] })],
    [
      'too many failures, and spec has changed since',
      'record triedAgain',
      () =>
        stoppedFacts({
          record: record({
            offline: offline({ failures: [failure(3)] }),
            gaveUp: { generation: 1, reason: 'CopyFailing', message: 'x' },
          }),
          migration: { generation: 2 },
        }),
    ],
    [
      'given up',
      'attention CopyFailing',
      () =>
        stoppedFacts({
          record: record({ offline: offline(), gaveUp: { generation: 1, reason: 'CopyFailing', message: 'x' } }),
        }),
    ],
  ]);

  test('a disk that another attempt cannot help is given up at once, in words a person can act on', () => {
    const found = written(copying({ failures: [failure(1, 'old', 'TargetTooSmall')] }));
    expect(found.gaveUp?.reason).toBe('TargetTooSmall');
    expect(found.gaveUp?.message).toBe(
      'The copy of disk root (web-1-root to web-1-root-fast) failed: refused. Make the target claim larger, or name another one. ' +
        'When that is done, any change of spec, such as pausing and resuming, tries again.',
    );
  });

  test('one bad disk does not stop the others: the machine is given up when all of them have been copied', () => {
    const withTwo = (copied: string[]) =>
      stoppedFacts({
        record: record({
          diskNames: ['root', 'data'],
          offline: offline({ copied, failures: [failure(1, 'old', 'SourceFormat')] }),
        }),
        machine: stoppedVm({ disks: ['root', 'data'] }),
        migration: { spec: { virtualMachines: [wanted('web-1', ['root', 'data'])] } },
      });
    expect(decide(withTwo([]), clear()).waitingFor).toBe('the copy of data');
    expect(written(withTwo(['data'])).gaveUp?.reason).toBe('SourceFormat');
  });

  test('failures are counted by disk, each pod once, and the last one is told', () => {
    const pods = [client('web-1', broken({ uid: 'p2' })), client('web-1', { disk: 'data', ...ended({ uid: 'p3' }) })];
    const found = written(
      stoppedFacts({
        record: record({ diskNames: ['root', 'data'], offline: offline({ failures: [failure(1, 'p1')] }) }),
        machine: stoppedVm({ disks: ['root', 'data'] }),
        migration: { spec: { virtualMachines: [wanted('web-1', ['root', 'data'])] } },
        pods,
      }),
    );
    expect(found.offline?.copied).toStrictEqual(['data']);
    expect(found.offline?.failures).toStrictEqual([
      {
        volume: 'root',
        count: 2,
        at: at(),
        podUid: 'p2',
        reason: 'ServerUnreachable',
        message: 'refused',
        generation: 1,
      },
    ]);
  });

  test('after a change of spec failures are forgotten, what was copied is not', () => {
    const found = written(
      stoppedFacts({
        record: record({
          offline: offline({ copied: ['root'], failures: [failure(3)] }),
          gaveUp: { generation: 1, reason: 'CopyFailing', message: 'x' },
        }),
        migration: { generation: 2 },
      }),
    );
    expect(found).toStrictEqual(record({ offline: offline({ copied: ['root'] }) }));
  });
});

describe('the cut-over', () => {
  const whole = (extra: ViewExtra = {}, fields: Partial<MigrationRecord> = {}) =>
    stoppedFacts({ record: record({ offline: offline({ copied: ['root'] }), ...fields }), ...extra });
  const intent = (resourceVersion: string) => ({ cutOver: { resourceVersion, at: at() } });
  table([
    ['whole: the intent is recorded first', 'record cutOverBegins', () => whole()],
    ['recorded: the volumes are patched', 'cutOver', () => whole({}, intent('100'))],
    ['without clearance', 'wait: the machine to settle', () => whole(), held()],
    ['without clearance nothing is patched', 'wait: the machine to settle', () => whole({}, intent('100')), held()],
    [
      'the VM was written since: the intent is recorded anew',
      'record cutOverBegins',
      () => whole({ machine: stoppedVm({ resourceVersion: '101' }) }, intent('100')),
    ],
    [
      'copy pods are there',
      'wait: the copy pods to be gone: copy-server',
      () => whole({ pods: [server()] }, intent('100')),
    ],
    [
      'a VMIM is unfinished',
      'wait: the migration of its VMI to end',
      () => whole({ attempts: [vmim()] }, intent('100')),
    ],
    [
      'spec.paused',
      'wait: spec.paused to be false',
      () => whole({ migration: { spec: { paused: true } } }, intent('100')),
    ],
    ['to be cancelled', 'wait: Cancelled', () => whole({ migration: { deleting: true } }, intent('100'))],
    [
      'one of two disks is missing',
      'wait: the copy of data',
      () =>
        whole(
          {
            machine: stoppedVm({ disks: ['root', 'data'] }),
            migration: { spec: { virtualMachines: [wanted('web-1', ['root', 'data'])] } },
          },
          { ...intent('100'), ...record({ diskNames: ['root', 'data'] }), offline: offline({ copied: ['root'] }) },
        ),
    ],
    [
      'another VM names the copy by now',
      'attention TargetInUse',
      () => whole({ otherUsersOf: (name) => (name === targetOf() ? ['db-1'] : []) }, intent('100')),
    ],
    ['it was started', 'record copyVoid', () => whole({ machine: vm() }, intent('100'))],
  ]);

  test('some time must have gone by since a start or stop was seen, and since the copy began', () => {
    const stoppedLately = whole({ machine: stoppedVm({ offSinceMs: startMs - 1000 }) }, intent('100'));
    expect(decide(stoppedLately, clear())).toMatchObject({ commands: [], checkAgainMs: limits.cutOverQuietMs - 1000 });
    const begunLately = stoppedFacts({
      record: record({ offline: offline({ copied: ['root'], startedAt: at(-2) }), ...intent('100') }),
    });
    expect(decide(begunLately, clear())).toMatchObject({ commands: [], checkAgainMs: limits.cutOverQuietMs - 2000 });
    const unknown = whole({ machine: stoppedVm({ offSinceMs: undefined }) }, intent('100'));
    expect(decide(unknown, clear())).toMatchObject({ commands: [], checkAgainMs: limits.cutOverQuietMs });
  });
});

describe('after the cut-over patch', () => {
  const cut = (extra: ViewExtra = {}) =>
    stoppedFacts({
      record: record({ offline: offline({ copied: ['root'] }), cutOver: { resourceVersion: '100', at: at() } }),
      machine: stoppedVm({ on: 'target' }),
      ...extra,
    });
  const slip = (side: 'source' | 'target' | undefined) => ({
    machine: vm({ on: 'target' }),
    instance: vmi({ on: 'target' }),
    pods: side === undefined ? [] : [launcher(side, { nodeName: 'n1' })],
  });
  table([
    ['off', 'record completed', () => cut(), held()],
    ['off, to be cancelled', 'record completed', () => cut({ migration: { deleting: true } })],
    [
      'it was started: its launcher is waited for',
      'wait: the virt-launcher of the VMI to be seen',
      () => cut(slip(undefined)),
    ],
    ['it runs on B', 'record completed', () => cut(slip('target'))],
    [
      'it slipped in on A: KubeVirt copies by itself, and that is followed',
      'record liveFollowed',
      () => cut(slip('source')),
    ],
  ]);

  test('seen on B is recorded with it', () => {
    expect(written(cut()).seenOnTarget).toBe(false);
    expect(written(cut(slip('target')))).toMatchObject({ seenOnTarget: true, completed: { by: 'Offline' } });
    expect(written(cut()).offline).toBeUndefined();
  });
});

describe('done', () => {
  const completed = { by: 'Offline' as const, at: at() };
  const doneOff = (fields: Partial<MigrationRecord> = {}, extra: ViewExtra = {}) =>
    stoppedFacts({ record: record({ completed, ...fields }), machine: stoppedVm({ on: 'target' }), ...extra });
  const doneOn = (fields: Partial<MigrationRecord> = {}, extra: ViewExtra = {}) =>
    runningFacts({
      record: record({ completed, ...fields }),
      machine: vm({ on: 'target' }),
      instance: vmi({ on: 'target' }),
      pods: [launcher('target', { nodeName: 'n1' })],
      ...extra,
    });
  const asked = { migration: { spec: { retention: 'DeleteSource' as const } } };
  const seen = { seenOnTarget: true };
  table([
    ['off', 'wait: Moved', () => doneOff()],
    ['running on B for the first time', 'record seenOnTarget', () => doneOn(), held()],
    ['running on B', 'wait: Moved', () => doneOn(seen)],
    ['it slipped in on A after all', 'record liveFollowed', () => doneOn({}, { pods: [launcher('source')] })],
    [
      'edited back to A later and run there',
      'wait: Moved',
      () => doneOn({}, { machine: vm(), instance: vmi(), pods: [launcher('source')] }),
    ],
    [
      'edited back to A after it was seen on B',
      'wait: Moved',
      () => doneOn(seen, { machine: vm(), instance: vmi(), pods: [launcher('source')] }),
    ],
    ['foreign volumes later', 'wait: Moved', () => doneOn(seen, { machine: vm({ volumes: [] }) })],
    [
      'stopped in the middle of something',
      'wait: Moved',
      () => doneOn(seen, { machine: vm({ on: 'target', runStrategy: 'Halted' }) }),
    ],
    ['the migration is being deleted', 'wait: Moved', () => doneOff({}, { migration: { deleting: true } })],
    [
      'DeleteSource, not seen on B',
      'wait: the machine to be seen running on the target before the sources are deleted',
      () => doneOff({}, asked),
    ],
    [
      'DeleteSource, seen on B and off now',
      'wait: the machine to run on the target undisturbed before the sources are deleted',
      () => doneOff(seen, asked),
    ],
    ['DeleteSource, running on B', `deleteSource ${sourceOf()}`, () => doneOn(seen, asked)],
    ['DeleteSource without clearance', 'wait: the machine to settle', () => doneOn(seen, asked), held()],
    [
      'DeleteSource while the VM names A again',
      'wait: the machine to run on the target undisturbed before the sources are deleted',
      () => doneOn(seen, { ...asked, machine: vm() }),
    ],
    [
      'DeleteSource while the VM names A in another volume',
      'wait: others to let go of the source claims: VM web-1',
      () =>
        doneOn(seen, {
          ...asked,
          machine: vm({
            volumes: [
              ...vm({ on: 'target' }).volumes,
              { name: 'old', persistentVolumeClaim: { claimName: sourceOf() } },
            ],
          }),
        }),
    ],
    [
      'DeleteSource while a migration of the guest runs',
      'wait: the machine to run on the target undisturbed before the sources are deleted',
      () => doneOn(seen, { ...asked, attempts: [vmim()] }),
    ],
    [
      'DeleteSource while a pod mounts A',
      'wait: others to let go of the source claims: pod debug',
      () => doneOn(seen, { ...asked, pods: [launcher('target', { nodeName: 'n1' }), pod({ claims: [sourceOf()] })] }),
    ],
    [
      'DeleteSource while a VM names A',
      'wait: others to let go of the source claims: VM db-1',
      () => doneOn(seen, { ...asked, otherUsersOf: () => ['db-1'] }),
    ],
    [
      'DeleteSource, paused',
      'wait: Moved',
      () => doneOn(seen, { migration: { spec: { retention: 'DeleteSource', paused: true } } }),
    ],
    [
      'DeleteSource, being deleted',
      'wait: Moved',
      () => doneOn(seen, { migration: { deleting: true, spec: { retention: 'DeleteSource' } } }),
    ],
    [
      'DeleteSource, under way',
      'wait: the source claims to be gone',
      () => doneOn(seen, { ...asked, claims: { [sourceOf()]: claim(sourceOf(), { deleting: true }) } }),
    ],
    [
      'DeleteSource, gone',
      'record sourcesDeleted',
      () => doneOn(seen, { ...asked, claims: { [sourceOf()]: undefined } }),
    ],
    [
      'DeleteSource, another claim of the name',
      'record sourcesDeleted',
      () => doneOn(seen, { ...asked, claims: { [sourceOf()]: claim(sourceOf(), { uid: 'new' }) } }),
    ],
    ['DeleteSource, written down', 'wait: Moved', () => doneOn({ ...seen, sourcesDeleted: true }, asked)],
    [
      'DeleteSource after a live migration',
      `deleteSource ${sourceOf()}`,
      () => doneOn({ ...seen, switchedOver, completed: { by: 'Live', at: at() } }, asked),
    ],
  ]);

  test('a slip that is followed is not done any more', () => {
    expect(written(doneOn({}, { pods: [launcher('source')] }))).toStrictEqual(
      record({ live: { vmiUid: 'vmi-web-1', vmGeneration: 0, knownMigrations: [], attempt: 1, startedAt: at() } }),
    );
  });
});

test('a record with an attempt and a copy at once is never cut over', () => {
  for (const attempt of [live(), patched()]) {
    const both = stoppedFacts({
      record: record({
        live: attempt,
        offline: offline({ copied: ['root'] }),
        cutOver: { resourceVersion: '100', at: at() },
      }),
      lastInstance: { object: vmi(), gap: false },
    });
    expect(told(decide(both, clear()))).toBe('record liveEnded');
  }
});
