// What comes and what goes of the copy pods, for groups of one to three stopped machines.
import { describe, expect, test } from 'vitest';
import type { Clearance } from '../../src/core/decision.ts';
import type { MachineFacts } from '../../src/core/facts.ts';
import { decideGroups, type GroupDecision } from '../../src/core/groups.ts';
import type { Pod } from '../../src/core/objects.ts';
import type { MigrationRecord, StorageMigrationSpec } from '../../src/core/storageMigration.ts';
import {
  at,
  brokenEnd,
  client,
  facts,
  launcher,
  offline,
  patched,
  pod,
  record,
  server,
  startMs,
  stoppedVm,
  storageMigration,
  targetOf,
  type ViewExtra,
  vm,
  vmi,
  vmim,
  wanted,
  wholeEnd,
} from './builders.ts';
import { limits } from './circumstances.ts';

/** What differs of one machine from one that is off and being copied. */
type Member = Omit<ViewExtra, 'name' | 'migration' | 'pods'>;

interface Situation {
  readonly members: Readonly<Record<string, Member>>;
  readonly pods?: readonly Pod[];
  readonly spec?: Partial<StorageMigrationSpec>;
  readonly held?: readonly string[];
  readonly now?: number;
  readonly deleting?: boolean;
}

const copying = (machine: string, fields: Parameters<typeof offline>[0] = {}): MigrationRecord =>
  record({ machine, offline: offline(fields) });

const decided = ({
  members,
  pods = [],
  spec = {},
  held = [],
  now = startMs,
  deleting = false,
}: Situation): GroupDecision => {
  const names = Object.keys(members);
  const records = Object.fromEntries(names.map((name) => [name, members[name]?.record ?? copying(name)]));
  const migration = {
    records,
    deleting,
    spec: {
      virtualMachines: names.map((name) =>
        wanted(
          name,
          records[name]?.disks.map((disk) => disk.volume),
        ),
      ),
      ...spec,
    },
  };
  const factsFor = (name: string): MachineFacts => {
    const claims = new Set(records[name]?.disks.flatMap((disk) => [disk.source, disk.target]));
    return facts({
      machine: stoppedVm({ name }),
      ...members[name],
      name,
      migration,
      pods: pods.filter((each) => each.claims.some((claim) => claims.has(claim))),
    });
  };
  return decideGroups(
    {
      migration: storageMigration(migration),
      pods: pods.filter((each) => each.migrationUid === 'uid-move'),
      members: names.map(factsFor),
    },
    {
      clearanceOf: (name): Clearance => (held.includes(name) ? { kind: 'wait', for: 'x' } : { kind: 'clear' }),
      limits: { ...limits, maxCopyFailures: 100 },
      now,
    },
  );
};

/** A decision in words: what goes and why, what comes, when to look again. */
const told = (situation: Situation): readonly string[] => {
  const decision = decided(situation);
  return [
    ...[...decision.ends, ...decision.begins].map((command) => {
      if (command.kind === 'deletePod') return `- ${command.pod.name} ${command.cause}`;
      if (command.kind === 'createServer') {
        return `+ server${command.machine === undefined ? '' : ` of ${command.machine}`}: ${command.targets.join(' ')}`;
      }
      return `+ client ${command.machine} ${command.disk.volume} ${command.copyId} at ${command.server.name}`;
    }),
    ...(decision.checkAgainMs === undefined ? [] : [`again in ${decision.checkAgainMs}`]),
  ];
};

const rows = (cases: readonly (readonly [string, Situation, readonly string[]])[]): void => {
  for (const [what, situation, expected] of cases) {
    test(what, () => {
      expect(told(situation)).toStrictEqual(expected);
    });
  }
};

const one = { 'web-1': {} };
const two = { 'web-1': {}, 'web-2': {} };
const running = (name: string, found?: MigrationRecord): Member => ({
  machine: vm({ name }),
  instance: vmi({ name }),
  record: found ?? record({ machine: name }),
});
const bothClients = [client('web-1'), client('web-2')];
const clientOf = (name: string) => `+ client ${name} root 100 at copy-server`;

describe('one machine', () => {
  rows([
    ['no pod: the server comes first, alone', { members: one }, [`+ server: ${targetOf()}`]],
    [
      'the server is there, Pending or Running: its client comes',
      { members: one, pods: [server(['web-1'], { phase: 'Pending' })] },
      [clientOf('web-1')],
    ],
    ['both are there', { members: one, pods: [server(), client()] }, []],
    ['without clearance nothing comes', { members: one, held: ['web-1'] }, []],
    ['without clearance no client comes', { members: one, held: ['web-1'], pods: [server()] }, []],
    ['without clearance what is there stays', { members: one, held: ['web-1'], pods: [server(), client()] }, []],
    ['paused: nothing comes', { members: one, spec: { paused: true } }, []],
    ['paused: what is there stays', { members: one, spec: { paused: true }, pods: [server(), client()] }, []],
    ['no copy is recorded: nothing comes', { members: { 'web-1': { record: record() } } }, []],
    [
      'a client that ended stays until it is written down',
      { members: one, pods: [server(), client('web-1', { phase: 'Succeeded', ended: wholeEnd })] },
      [],
    ],
    [
      'copied: both go',
      {
        members: { 'web-1': { record: copying('web-1', { copied: ['root'] }) } },
        pods: [server(), client('web-1', { phase: 'Succeeded', ended: wholeEnd })],
      },
      ['- copy-client-web-1-root finished', '- copy-server finished'],
    ],
    [
      'what is going already is not deleted again',
      {
        members: { 'web-1': running('web-1') },
        pods: [server(['web-1'], { deleting: true }), client('web-1', { deleting: true })],
      },
      [],
    ],
    [
      'a server on its way out: nothing new beside it',
      { members: one, pods: [server(['web-1'], { deleting: true })] },
      [],
    ],
    [
      'a client of an earlier copy goes, and only then the next comes',
      { members: one, pods: [server(), client('web-1', { copyId: '50' })] },
      ['- copy-client-web-1-root finished'],
    ],
    [
      'a client of an earlier copy that is going: the next waits for it',
      { members: one, pods: [server(), client('web-1', { copyId: '50', deleting: true })] },
      [],
    ],
    [
      'its server is gone: the client would only fail, it goes',
      { members: one, pods: [client()] },
      ['- copy-client-web-1-root failing'],
    ],
    [
      'its server is going: so does the client',
      { members: one, pods: [server(['web-1'], { deleting: true }), client()] },
      ['- copy-client-web-1-root failing'],
    ],
    [
      'its server is gone, but the client has ended: its result is kept',
      { members: one, pods: [client('web-1', { phase: 'Succeeded', ended: wholeEnd })] },
      [],
    ],
    [
      'a pod of somebody else mounts its disk: both go',
      { members: one, pods: [server(), client(), pod({ claims: [targetOf()] })] },
      ['- copy-client-web-1-root failing', '- copy-server finished'],
    ],
    [
      'a server of another migration mounts its target: both go',
      {
        members: one,
        pods: [server(), client(), server(['web-1'], { uid: 'x', name: 'other', migrationUid: 'uid-other' })],
      },
      ['- copy-client-web-1-root failing', '- copy-server finished'],
    ],
    ['a VMIM is unfinished: nothing comes', { members: { 'web-1': { attempts: [vmim()] } } }, []],
    [
      'the migration is being deleted: both go',
      { members: one, deleting: true, pods: [server(), client()] },
      ['- copy-client-web-1-root deleted', '- copy-server deleted'],
    ],
    [
      'a label of ours on a pod of no machine we know: it goes',
      { members: one, pods: [server(), client(), client('gone')] },
      ['- copy-client-gone-root edited'],
    ],
  ]);

  for (const phase of ['Pending', 'Running'] as const) {
    test(`row 1: started while server and client are ${phase}: both go at once`, () => {
      const pods = [server(['web-1'], { phase }), client('web-1', { phase })];
      const expected = ['- copy-client-web-1-root started', '- copy-server started'];
      const starts: readonly Member[] = [
        { machine: vm({ name: 'web-1' }) },
        { machine: stoppedVm({ runStrategy: 'Manual', requests: ['Start'], offSince: undefined }) },
        { machine: stoppedVm({ runStrategy: 'RerunOnFailure', actedRunStrategy: 'Halted', offSince: undefined }) },
        { instance: vmi({ phase: 'Scheduling', ready: false }), machine: vm() },
        running('web-1', copying('web-1')),
      ];
      for (const start of starts) {
        expect(told({ members: { 'web-1': start }, pods, held: ['web-1'] })).toStrictEqual(expected);
      }
    });
  }

  test('a stop of the wrong kind of run: the copy of a machine that has run since is not served', () => {
    const ranSince = { machine: stoppedVm({ offSince: '95' }) };
    expect(told({ members: { 'web-1': ranSince } })).toStrictEqual([]);
    expect(told({ members: { 'web-1': ranSince }, pods: [server(), client()] })).toHaveLength(2);
  });
});

describe('several disks', () => {
  const member = {
    record: {
      ...copying('web-1', { copied: ['data'] }),
      ...record({ diskNames: ['root', 'data', 'logs'] }),
      offline: offline({ copied: ['data'] }),
    },
    machine: stoppedVm({ disks: ['root', 'data', 'logs'] }),
  };
  const disks = ['root', 'logs'];
  rows([
    [
      'the server mounts what is not copied yet',
      { members: { 'web-1': member } },
      [`+ server: ${targetOf()} ${targetOf('web-1', 'logs')}`],
    ],
    [
      'each disk gets a client',
      { members: { 'web-1': member }, pods: [server(['web-1'], { disks })] },
      [clientOf('web-1'), '+ client web-1 logs 100 at copy-server'],
    ],
    [
      'a disk that the server does not mount waits',
      { members: { 'web-1': member }, pods: [server(['web-1'], { disks: ['root'] })] },
      [clientOf('web-1')],
    ],
    [
      'what is copied goes, the rest stays',
      {
        members: { 'web-1': member },
        pods: [
          server(['web-1'], { disks: ['root', 'data', 'logs'] }),
          client(),
          client('web-1', { disk: 'data', phase: 'Succeeded', ended: wholeEnd }),
          client('web-1', { disk: 'logs' }),
        ],
      },
      ['- copy-client-web-1-data finished'],
    ],
  ]);
});

describe('failures', () => {
  const failed = (count: number, secondsAgo: number, podUid = 'uid-copy-client-web-1-root', reason = 'PeerSilent') => ({
    'web-1': {
      record: copying('web-1', {
        failures: [{ volume: 'root', count, at: at(-secondsAgo), podUid, reason, message: 'x' }],
      }),
    },
  });
  const broken = client('web-1', { phase: 'Failed', ended: brokenEnd });
  rows([
    ['not written down yet: the client stays', { members: one, pods: [server(), broken] }, []],
    [
      'written down: the client goes, the server stays',
      { members: failed(1, 0), pods: [server(), broken] },
      ['- copy-client-web-1-root finished'],
    ],
    ['the next client waits for the back-off', { members: failed(1, 0), pods: [server()] }, ['again in 1000']],
    ['and comes after it', { members: failed(1, 1), pods: [server()] }, [clientOf('web-1')]],
    ['the back-off doubles', { members: failed(3, 1), pods: [server()] }, ['again in 3000']],
    ['and is bounded', { members: failed(50, 60), pods: [server()] }, ['again in 4000']],
    ['the server waits for it too', { members: failed(2, 0) }, ['again in 2000']],
    [
      'the second client after a failure stays',
      { members: failed(1, 1), pods: [server(), client('web-1', { uid: 'second' })] },
      [],
    ],
    [
      'the server ended: it stays until that is written down, its client goes',
      { members: one, pods: [server(['web-1'], { phase: 'Failed' }), client()] },
      ['- copy-client-web-1-root failing'],
    ],
    [
      'written down: the server goes',
      { members: failed(1, 0, 'uid-copy-server'), pods: [server(['web-1'], { phase: 'Failed' })] },
      ['- copy-server finished'],
    ],
    [
      'written down: what its client left goes first, lest it count by itself when the server is gone',
      { members: failed(1, 0, 'uid-copy-server'), pods: [server(['web-1'], { phase: 'Failed' }), broken] },
      ['- copy-client-web-1-root finished'],
    ],
    [
      'and where its client is wanted no more, both go',
      {
        members: { 'web-1': { machine: vm() } },
        pods: [server(['web-1'], { phase: 'Failed' }), broken],
      },
      ['- copy-client-web-1-root finished', '- copy-server finished'],
    ],
    ['then the next server waits for the back-off', { members: failed(1, 0, 'uid-copy-server') }, ['again in 1000']],
    [
      'given up: both go',
      {
        members: {
          'web-1': { record: { ...copying('web-1'), gaveUp: { generation: 1, reason: 'CopyFailing', message: 'x' } } },
        },
        pods: [server(), client()],
      },
      ['- copy-client-web-1-root failing', '- copy-server finished'],
    ],
  ]);

  test('a disk that another attempt cannot help is not copied again, and keeps no other from being copied', () => {
    const hopeless = failed(1, 60, 'old', 'TargetTooSmall');
    expect(told({ members: hopeless })).toStrictEqual([]);
    expect(told({ members: hopeless, pods: [server()] })).toStrictEqual(['- copy-server finished']);
    const members = { ...hopeless, 'web-2': {} };
    expect(told({ members })).toStrictEqual([`+ server: ${targetOf('web-2')}`]);
    expect(told({ members, pods: [server(['web-1', 'web-2'])] })).toStrictEqual([clientOf('web-2')]);
  });

  test('what was failed too often is as good as hopeless', () => {
    expect(told({ members: failed(100, 60_000) })).toStrictEqual([]);
  });

  test('one machine that backs off does not keep the server from another', () => {
    const members = { ...failed(3, 0), 'web-2': {} };
    expect(told({ members })).toStrictEqual([`+ server: ${targetOf('web-1')} ${targetOf('web-2')}`]);
    expect(told({ members, pods: [server(['web-1', 'web-2'])] })).toStrictEqual([clientOf('web-2'), 'again in 4000']);
  });
});

describe('two machines, a shared server', () => {
  rows([
    [
      'both off: one server with both targets',
      { members: two },
      [`+ server: ${targetOf('web-1')} ${targetOf('web-2')}`],
    ],
    ['then both clients', { members: two, pods: [server(['web-1', 'web-2'])] }, [clientOf('web-1'), clientOf('web-2')]],
    [
      'row 4: one is started: its client goes at once, the rest stays',
      {
        members: { 'web-1': running('web-1', copying('web-1')), 'web-2': {} },
        pods: [server(['web-1', 'web-2']), ...bothClients],
      },
      ['- copy-client-web-1-root started'],
    ],
    [
      'row 4: the other is copied: then the server goes',
      {
        members: { 'web-1': running('web-1'), 'web-2': { record: copying('web-2', { copied: ['root'] }) } },
        pods: [server(['web-1', 'web-2']), client('web-2', { phase: 'Succeeded', ended: wholeEnd })],
      },
      ['- copy-client-web-2-root finished', '- copy-server started'],
    ],
    [
      'row 5: both are started: everything goes',
      {
        members: { 'web-1': running('web-1', copying('web-1')), 'web-2': running('web-2', copying('web-2')) },
        pods: [server(['web-1', 'web-2']), ...bothClients],
      },
      ['- copy-client-web-1-root started', '- copy-client-web-2-root started', '- copy-server started'],
    ],
    [
      'row 7: the second is still stopping: the server waits for it',
      {
        members: {
          'web-1': { record: copying('web-1', { startedAt: at(-1) }) },
          'web-2': {
            machine: vm({ name: 'web-2', on: 'target', runStrategy: 'Halted' }),
            instance: vmi({ name: 'web-2', deleting: true }),
            record: record({ machine: 'web-2', live: patched({ vmiUid: 'vmi-web-2' }) }),
          },
        },
      },
      ['again in 4000'],
    ],
    [
      'row 7: but not for ever',
      {
        members: {
          'web-1': { record: copying('web-1', { startedAt: at(-5) }) },
          'web-2': {
            machine: vm({ name: 'web-2', runStrategy: 'Halted' }),
            instance: vmi({ name: 'web-2', deleting: true }),
            record: record({ machine: 'web-2' }),
          },
        },
      },
      [`+ server: ${targetOf('web-1')}`],
    ],
    [
      'row 7: the server was there first: the second is not mounted by it and waits',
      { members: two, pods: [server(['web-1']), client('web-1')] },
      [],
    ],
    [
      'row 7, 9: the first is copied: the server goes',
      {
        members: { 'web-1': { record: copying('web-1', { copied: ['root'] }) }, 'web-2': {} },
        pods: [server(['web-1'])],
      },
      ['- copy-server finished'],
    ],
    [
      'row 7, 9: it is going: the second server waits',
      {
        members: { 'web-1': { record: copying('web-1', { copied: ['root'] }) }, 'web-2': {} },
        pods: [server(['web-1'], { deleting: true })],
      },
      [],
    ],
    [
      'row 7, 9: it is gone: the second server comes',
      { members: { 'web-1': { record: copying('web-1', { copied: ['root'] }) }, 'web-2': {} } },
      [`+ server: ${targetOf('web-2')}`],
    ],
    [
      'row 8: the one off is started, the other runs: client and server go',
      {
        members: {
          'web-1': running('web-1', record({ live: patched() })),
          'web-2': running('web-2', copying('web-2')),
        },
        pods: [server(['web-2']), client('web-2')],
      },
      ['- copy-client-web-2-root started', '- copy-server started'],
    ],
    [
      'row 9: the running one is stopping: what runs goes on',
      {
        members: {
          'web-1': {
            machine: vm({ runStrategy: 'Halted' }),
            instance: vmi({ deleting: true }),
            record: record({ live: patched() }),
          },
          'web-2': {},
        },
        pods: [server(['web-2']), client('web-2'), launcher('source')],
      },
      [],
    ],
    [
      'started, stopped again: the server that still mounts its target serves the new copy',
      {
        members: {
          'web-1': {
            record: copying('web-1', { id: '300', offSince: '290' }),
            machine: stoppedVm({ offSince: '290' }),
          },
          'web-2': {},
        },
        pods: [server(['web-1', 'web-2']), client('web-2')],
      },
      ['+ client web-1 root 300 at copy-server'],
    ],
    [
      'one is not settled: the other is served alone',
      { members: two, held: ['web-1'] },
      [`+ server: ${targetOf('web-2')}`],
    ],
    [
      'one is done: it plays no part',
      {
        members: {
          'web-1': {
            record: record({ completed: { by: 'Live', at: at() } }),
            machine: vm({ on: 'target' }),
            instance: vmi(),
          },
          'web-2': {},
        },
      },
      [`+ server: ${targetOf('web-2')}`],
    ],
  ]);
});

describe('PerVirtualMachine: none waits for another', () => {
  const spec = { transfer: { server: 'PerVirtualMachine' as const, verify: false } };
  const own = (name: string, fields: Partial<Pod> = {}) =>
    server([name], { name: `server-${name}`, vmName: name, ...fields });
  rows([
    [
      'each has its own server',
      { spec, members: two },
      [`+ server of web-1: ${targetOf('web-1')}`, `+ server of web-2: ${targetOf('web-2')}`],
    ],
    [
      'the own server serves',
      { spec, members: two, pods: [own('web-1')] },
      ['+ client web-1 root 100 at server-web-1', `+ server of web-2: ${targetOf('web-2')}`],
    ],
    [
      'one is started: the other’s pods stay',
      {
        spec,
        members: { 'web-1': running('web-1', copying('web-1')), 'web-2': {} },
        pods: [own('web-1'), own('web-2'), ...bothClients],
      },
      ['- copy-client-web-1-root started', '- server-web-1 started'],
    ],
    [
      'nobody is waited for',
      {
        spec,
        members: {
          'web-1': { record: copying('web-1', { startedAt: at() }) },
          'web-2': {
            machine: vm({ name: 'web-2', runStrategy: 'Halted' }),
            instance: vmi({ name: 'web-2', deleting: true }),
            record: record({ machine: 'web-2' }),
          },
        },
      },
      [`+ server of web-1: ${targetOf('web-1')}`],
    ],
    [
      'changed from Shared: the shared server goes, and nothing comes beside it',
      { spec, members: two, pods: [server(['web-1', 'web-2'])] },
      ['- copy-server edited'],
    ],
    [
      'changed from Shared: nothing comes while it is going',
      { spec, members: two, pods: [server(['web-1', 'web-2'], { deleting: true })] },
      [],
    ],
    [
      'changed to Shared: nothing comes while an own server is going',
      { members: one, pods: [own('web-1', { deleting: true })] },
      [],
    ],
  ]);
});
