// What people read: conditions, summary, modes, progress and the entry of each machine.
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import type { MachineFacts } from '../../src/core/facts.ts';
import { decideMigration } from '../../src/core/migration.ts';
import type { Pod } from '../../src/core/objects.ts';
import { type MachineReport, statusOf } from '../../src/core/status.ts';
import {
  type MigrationRecord,
  type StorageMigrationStatus,
  storageMigrationSchema,
} from '../../src/core/storageMigration.ts';
import {
  at,
  client,
  copyingFacts,
  facts,
  live,
  offline,
  patched,
  record,
  runningFacts,
  server,
  startMs,
  stoppedFacts,
  stoppedVm,
  switchedOver,
  targetOf,
  type ViewExtra,
  vm,
  vmi,
  wanted,
} from './builders.ts';
import { clear, limits } from './circumstances.ts';

const completed = { by: 'Live' as const, at: at() };
const done = (name = 'web-1', extra: ViewExtra = {}): MachineFacts =>
  stoppedFacts({
    name,
    machine: stoppedVm({ name, on: 'target' }),
    record: record({ machine: name, completed }),
    ...extra,
  });

const statusFor = (
  members: readonly MachineFacts[],
  now = startMs,
  newsOn: MachineReport['newsOn'] = () => undefined,
  refused: Partial<Pick<MachineReport, 'copyRefusal' | 'writeRefusal'>> = {},
): StorageMigrationStatus => {
  const migration = members[0]?.view.migration;
  if (migration === undefined) throw new Error('expected a member');
  return statusOf({
    migration,
    reports: members.map((member) => ({
      facts: member,
      decision: decide(member, clear()),
      newsOn,
      copyRefusal: undefined,
      writeRefusal: undefined,
      ...refused,
    })),
    limits,
    decision: decideMigration({ migration, members, pods: [] }, 'transship.dev/cancel'),
    now,
  });
};

/** Conditions in short: those that are True, and for Ready also when it is False. */
const trueOnes = (status: StorageMigrationStatus): readonly string[] =>
  (status.conditions ?? []).flatMap(({ type, status: is, reason }) => (is === 'True' ? [`${type} ${reason}`] : []));
const conditionOf = (status: StorageMigrationStatus, type: string) =>
  status.conditions?.find((condition) => condition.type === type);
const entryOf = (status: StorageMigrationStatus) => status.virtualMachines?.[0];

describe('conditions', () => {
  const gaveUp = { generation: 1, reason: 'LiveMigrationFailing', message: 'KubeVirt failed 5 times' };
  const cases: readonly (readonly [string, readonly string[], () => readonly MachineFacts[]])[] = [
    ['copying live', ['Ready Accepted', 'Progressing Migrating'], () => [copyingFacts()]],
    [
      'waiting for nothing in particular',
      ['Ready Accepted', 'Progressing Migrating'],
      () => [stoppedFacts({ machine: vm() })],
    ],
    ['done', ['Ready Accepted', 'Succeeded AllMoved'], () => [done()]],
    ['one of two done', ['Ready Accepted', 'Progressing Migrating'], () => [done(), copyingFacts()]],
    ['refused', ['NeedsAttention UnknownVirtualMachine'], () => [facts({ machine: undefined })]],
    [
      'one refused that was added while another is copied',
      ['Progressing Migrating', 'NeedsAttention UnknownVirtualMachine'],
      () => {
        const migration = { spec: { virtualMachines: [wanted('web-1'), wanted('web-2')] } };
        return [copyingFacts({ migration }), facts({ name: 'web-2', machine: undefined, migration })];
      },
    ],
    [
      'one refused that was added when the other was given up',
      ['Failed LiveMigrationFailing', 'NeedsAttention LiveMigrationFailing'],
      () => {
        const migration = { spec: { virtualMachines: [wanted('web-1'), wanted('web-2')] } };
        return [
          runningFacts({ record: record({ gaveUp }), migration }),
          facts({ name: 'web-2', machine: undefined, migration }),
        ];
      },
    ],
    ['paused', ['Ready Accepted'], () => [runningFacts({ migration: { spec: { paused: true } } })]],
    [
      'being deleted',
      ['Ready Accepted', 'Progressing Cancelling'],
      () => [copyingFacts({ migration: { deleting: true } })],
    ],
    [
      'given up',
      ['Ready Accepted', 'Failed LiveMigrationFailing', 'NeedsAttention LiveMigrationFailing'],
      () => [runningFacts({ record: record({ gaveUp }) })],
    ],
    [
      'given up, spec changed since',
      ['Ready Accepted', 'Progressing Migrating'],
      () => [stoppedFacts({ machine: vm(), record: record({ gaveUp }), migration: { generation: 2 } })],
    ],
    [
      'given up, the other goes on',
      ['Ready Accepted', 'Progressing Migrating', 'Failed LiveMigrationFailing', 'NeedsAttention LiveMigrationFailing'],
      () => [runningFacts({ record: record({ gaveUp }) }), copyingFacts()],
    ],
    [
      'a person has to decide',
      ['Ready Accepted', 'NeedsAttention SwitchOverUnknown'],
      () => [copyingFacts({ instance: undefined, attempts: [], pods: [] })],
    ],
    [
      'a person has to decide for one of two',
      ['Ready Accepted', 'Progressing Migrating', 'NeedsAttention ForeignVolumes'],
      () => [runningFacts({ machine: vm({ volumes: [] }) }), copyingFacts()],
    ],
    [
      'the VM is gone after it was done',
      ['Ready Accepted', 'Succeeded AllMoved'],
      () => [done('web-1', { machine: undefined })],
    ],
  ];
  for (const [what, expected, make] of cases) {
    test(what, () => {
      expect(trueOnes(statusFor(make()))).toStrictEqual(expected);
    });
  }

  test('all five are always there, each with reason, sentence and generation', () => {
    for (const members of [[copyingFacts()], [done()], [facts({ machine: undefined })]]) {
      const { conditions = [] } = statusFor(members);
      expect(conditions.map(({ type }) => type)).toStrictEqual([
        'Ready',
        'Progressing',
        'Succeeded',
        'Failed',
        'NeedsAttention',
      ]);
      for (const condition of conditions) {
        expect(condition.reason).toMatch(/^[A-Z][A-Za-z]+$/);
        expect(condition.message).not.toBe('');
        expect(condition.observedGeneration).toBe(1);
      }
    }
  });

  test('a refusal names field and sentence, in the condition and at the machine', () => {
    const status = statusFor([facts({ machine: undefined })]);
    const sentence = 'spec.virtualMachines[web-1].name: there is no VM web-1 in namespace shop; mend the name';
    expect(conditionOf(status, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'UnknownVirtualMachine',
      message: `${sentence}.`,
    });
    expect(entryOf(status)).toMatchObject({
      phase: 'Refused',
      reason: 'UnknownVirtualMachine',
      message: sentence,
      volumes: [],
    });
    expect(conditionOf(status, 'Progressing')).toMatchObject({ status: 'False', reason: 'Refused' });
    expect(conditionOf(status, 'NeedsAttention')).toMatchObject({ status: 'True', message: `${sentence}.` });
  });

  test('lastTransitionTime changes with the status alone', () => {
    const first = statusFor([copyingFacts()]);
    const second = statusFor(
      [copyingFacts({ migration: { status: first, records: {} } })].map((member) => ({
        ...member,
        record: record({ live: patched() }),
      })),
      startMs + 60_000,
    );
    expect(second.conditions).toStrictEqual(first.conditions);
    const third = statusFor(
      [done('web-1', { migration: { status: first } })].map((member) => ({ ...member, record: record({ completed }) })),
      startMs + 60_000,
    );
    const times = Object.fromEntries(
      (third.conditions ?? []).map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    );
    expect(times).toStrictEqual({
      Ready: at(),
      Progressing: at(60),
      Succeeded: at(60),
      Failed: at(),
      NeedsAttention: at(),
    });
  });
});

describe('summary, mode and progress', () => {
  const two = ['root', 'data'];
  const cases: readonly (readonly [string, readonly [string, string, string], () => readonly MachineFacts[]])[] = [
    ['nothing done', ['0/1', 'Live', '0/1'], () => [copyingFacts()]],
    ['all done', ['1/1', 'Done', '1/1'], () => [done()]],
    [
      'one of three, each mode once and in order',
      ['1/3', 'Live,Offline', '1/3'],
      () => [
        done(),
        stoppedFacts({
          name: 'web-2',
          machine: stoppedVm({ name: 'web-2' }),
          record: record({ machine: 'web-2' }),
          migration: { spec: { virtualMachines: [wanted('web-2')] } },
        }),
        copyingFacts(),
      ],
    ],
    ['waiting', ['0/1', 'Hold', '0/1'], () => [stoppedFacts({ machine: vm() })]],
    [
      'disks count once they are moved, not when they are copied',
      ['0/1', 'Offline', '0/2'],
      () => [
        stoppedFacts({
          record: record({ diskNames: two, offline: offline({ copied: ['root'] }) }),
          machine: stoppedVm({ disks: two }),
          migration: { spec: { virtualMachines: [wanted('web-1', two)] } },
        }),
      ],
    ],
    [
      'switched over: moved, though not done',
      ['0/1', 'Live', '1/1'],
      () => [copyingFacts({ record: record({ live: patched(), switchedOver }) })],
    ],
  ];
  for (const [what, expected, make] of cases) {
    test(what, () => {
      const { summary, mode, progress } = statusFor(make());
      expect([summary, mode, progress]).toStrictEqual(expected);
    });
  }
});

describe('entries', () => {
  test('phases of the disks', () => {
    const phases = (found: MachineFacts) => entryOf(statusFor([found]))?.volumes.map(({ phase }) => phase);
    const two = ['root', 'data'];
    const half = {
      record: record({ diskNames: two, offline: offline({ copied: ['root'] }) }),
      machine: stoppedVm({ disks: two }),
      migration: { spec: { virtualMachines: [wanted('web-1', two)] } },
    };
    expect(phases(runningFacts())).toStrictEqual(['Waiting']);
    expect(phases(copyingFacts())).toStrictEqual(['Copying']);
    expect(phases(stoppedFacts(half))).toStrictEqual(['Copied', 'Copying']);
    expect(phases(done())).toStrictEqual(['Moved']);
  });

  test('what is waited for is told', () => {
    expect(entryOf(statusFor([copyingFacts()]))).toMatchObject({
      phase: 'CopyingLive',
      waitingFor: 'KubeVirt to copy the disks',
    });
    expect(entryOf(statusFor([facts({ machine: undefined })]))?.waitingFor).toBe('the field to be mended');
  });

  test('the record is carried on as it is', () => {
    const found = record({ live: patched() });
    expect(entryOf(statusFor([copyingFacts({ record: found })]))?.record).toStrictEqual(found);
  });

  test('an entry that is undone and not asked for leaves, one that is asked for otherwise loses its record', () => {
    expect(statusFor([runningFacts({ migration: { spec: { virtualMachines: [] } } })]).virtualMachines).toStrictEqual(
      [],
    );
    const otherwise = {
      spec: { virtualMachines: [{ name: 'web-1', volumes: [{ name: 'root', target: { claimName: 'else' } }] }] },
    };
    const entry = entryOf(statusFor([runningFacts({ migration: otherwise })]));
    expect(entry).toMatchObject({ name: 'web-1' });
    expect(entry?.record).toBeUndefined();
  });

  test('given up but stopped by its owner meanwhile is still told as given up', () => {
    const gaveUp = { generation: 1, reason: 'X', message: 'why' };
    const status = statusFor([
      stoppedFacts({
        machine: vm({ runStrategy: 'Halted' }),
        instance: vmi({ deleting: true }),
        record: record({ gaveUp }),
      }),
    ]);
    expect(conditionOf(status, 'Failed')).toMatchObject({ status: 'True', reason: 'X' });
  });
});

test('while it is being taken back, why it was given up is told already', () => {
  const gaveUp = { generation: 1, reason: 'RestartRequired', message: 'cpu changed' };
  const status = statusFor([copyingFacts({ record: record({ live: patched(), gaveUp }) })]);
  expect(entryOf(status)?.phase).toBe('Reverting');
  expect(conditionOf(status, 'Failed')).toMatchObject({ reason: 'RestartRequired', message: 'web-1: cpu changed' });
});

test('every status passes the schema', () => {
  const all = [
    [copyingFacts()],
    [done()],
    [facts({ machine: undefined })],
    [copyingFacts({ instance: undefined, attempts: [], pods: [] })],
    [stoppedFacts({ record: record({ offline: offline() }) })],
  ];
  for (const members of all) {
    const { spec } = (members[0] as MachineFacts).view.migration;
    expect(storageMigrationSchema.safeParse({ spec, status: statusFor(members) }).error).toBeUndefined();
  }
});

describe('copies', () => {
  const copying = (failures: NonNullable<MigrationRecord['offline']>['failures'] = [], pods: readonly Pod[] = []) =>
    stoppedFacts({ record: record({ offline: offline({ failures }) }), pods: [server(), ...pods] });
  const failure = {
    volume: 'root',
    count: 2,
    at: at(-5),
    podUid: 'old',
    reason: 'PeerSilent',
    message: 'rsync: timeout in data send/receive',
  };
  const progress = { bytes: 300, total: 1000, percent: 30, bytesPerSecond: 50, secondsLeft: 14 };
  const heard = (uid: string) => (uid === 'uid-copy-client-web-1-root' ? { progress, words: '' } : undefined);

  test('how far a running copy is stands at its disk, with the number of the attempt', () => {
    const [disk] = entryOf(statusFor([copying([failure], [client()])], startMs, heard))?.volumes ?? [];
    expect(disk).toStrictEqual({
      name: 'root',
      source: 'web-1-root',
      target: 'web-1-root-fast',
      phase: 'Copying',
      copy: { attempt: 3, ...progress },
      message: failure.message,
    });
  });

  test('a copy that failed and is tried again is told with its disk, what was found and what is done', () => {
    expect(entryOf(statusFor([copying([failure])]))?.message).toBe(
      'The copy of disk root (web-1-root to web-1-root-fast) failed 2 times in a row: rsync: timeout in data send/receive. It is tried again.',
    );
  });

  test('a copy pod that does not get to run needs attention, and what the decision is does not change by it', () => {
    const waiting = copying(
      [],
      [client('web-1', { phase: 'Pending', createdAt: at(-40), trouble: 'ErrImagePull: gone' })],
    );
    const status = statusFor([waiting]);
    expect(trueOnes(status)).toContain('NeedsAttention CopyPodPending');
    expect(entryOf(status)).toMatchObject({ mode: 'Offline', phase: 'NeedsAttention', reason: 'CopyPodPending' });
    expect(decide(waiting, clear()).attention).toBeUndefined();
  });

  test('a copy pod that is refused for a while needs attention', () => {
    const copyRefusal = { message: 'exceeded quota', sinceMs: startMs - 60_000 };
    expect(trueOnes(statusFor([copying()], startMs, () => undefined, { copyRefusal }))).toContain(
      'NeedsAttention CopyPodRefused',
    );
    expect(trueOnes(statusFor([done()], startMs, () => undefined, { copyRefusal }))).not.toContain(
      'NeedsAttention CopyPodRefused',
    );
  });

  test.each([
    ['running', runningFacts],
    ['stopped', stoppedFacts],
  ])('a target claim that is refused for a while needs attention until it is there (a %s machine)', (_, factsWith) => {
    const writeRefusal = {
      write: 'createClaim' as const,
      message: 'exceeded quota: storage',
      sinceMs: startMs - 60_000,
      lastMs: startMs,
    };
    const found = (claims: ViewExtra['claims'], now = startMs) =>
      statusFor([factsWith({ claims: claims ?? {} })], now, () => undefined, { writeRefusal });
    const status = found({ [targetOf()]: undefined });
    expect(trueOnes(status)).toContain('NeedsAttention TargetClaimRefused');
    expect(entryOf(status)?.message).toBe(
      `The API server has refused to make a target claim since ${at(-60)}: exceeded quota: storage. Mend that, or make the claim yourself.`,
    );
    expect(trueOnes(found({ [targetOf()]: undefined }, startMs - 31_000)).join()).not.toContain('TargetClaimRefused');
    expect(trueOnes(found({})).join()).not.toContain('TargetClaimRefused');
  });

  test.each([
    ['startLive', () => runningFacts({ record: record({ live: live() }) }), false],
    ['revert', () => copyingFacts({ machine: stoppedVm({ on: 'target', created: true }) }), true],
  ] as const)('a patch of the VM that is refused for a while needs attention (%s)', (write, factsOf, isDangerous) => {
    const writeRefusal = { write, message: 'admission webhook denied it', sinceMs: startMs - 60_000, lastMs: startMs };
    const status = statusFor([factsOf()], startMs, () => undefined, { writeRefusal });
    expect(trueOnes(status)).toContain('NeedsAttention PatchRefused');
    expect(entryOf(status)?.message).toContain(`since ${at(-60)}: admission webhook denied it. Mend that;`);
    expect(entryOf(status)?.message.includes('do not start it')).toBe(isDangerous);
    const others = statusFor([done()], startMs, () => undefined, { writeRefusal });
    expect(trueOnes(others).join()).not.toContain('PatchRefused');
  });

  test('a disk that is not tried again is told as failed while the others are copied, and nobody is told that it is', () => {
    const two = ['root', 'data'];
    const half = stoppedFacts({
      record: record({ diskNames: two, offline: offline({ failures: [{ ...failure, count: 3 }] }) }),
      machine: stoppedVm({ disks: two }),
      migration: { spec: { virtualMachines: [wanted('web-1', two)] } },
      pods: [server(['web-1'], { disks: two }), client('web-1', { disk: 'data' })],
    });
    const entry = entryOf(statusFor([half]));
    expect(entry?.volumes.map(({ phase }) => phase)).toStrictEqual(['Failed', 'Copying']);
    expect(entry?.message).toMatch(/failed 3 times in a row: .* Mend the cause\.$/);
  });

  test('however many disks fail, what is told of them fits into an object of the cluster', () => {
    const disks = Array.from({ length: 64 }, (_, index) => `disk-${index}`);
    const members = Array.from({ length: 12 }, (_, index) => {
      const machine = `web-${index}`;
      const failures = disks.map((volume) => ({ ...failure, volume, count: 3, message: 'x'.repeat(600) }));
      const name = { name: machine, machine: stoppedVm({ name: machine, disks }) };
      const begun = record({ machine, diskNames: disks, offline: offline({ failures }) });
      const [command] = decide(
        stoppedFacts({ ...name, record: begun, migration: { spec: { virtualMachines: [wanted(machine, disks)] } } }),
        clear(),
      ).commands;
      if (command?.kind !== 'record') throw new Error('expected it to be given up');
      return stoppedFacts({
        ...name,
        record: command.record,
        migration: { spec: { virtualMachines: [wanted(machine, disks)] } },
      });
    });
    const status = statusFor(members);
    for (const { message } of status.conditions ?? []) expect(message.length).toBeLessThanOrEqual(8000);
    for (const { message, waitingFor, record: kept } of status.virtualMachines ?? []) {
      expect(message.length).toBeLessThanOrEqual(1000);
      expect(waitingFor.length).toBeLessThanOrEqual(1000);
      expect(kept?.gaveUp?.message.length).toBeLessThan(1200);
      expect(kept?.gaveUp?.message).toMatch(/any change of spec, such as pausing and resuming, tries again\.$/);
    }
  });
});
