// What is decided about a StorageMigration as a whole: what is accepted, what is undone, when its finalizer goes.
import { describe, expect, test } from 'vitest';
import type { MachineFacts } from '../../src/core/facts.ts';
import { decideMigration, isUndone } from '../../src/core/migration.ts';
import type { Pod } from '../../src/core/objects.ts';
import {
  at,
  client,
  copyingFacts,
  facts,
  patched,
  record,
  runningFacts,
  server,
  stoppedFacts,
  stoppedVm,
  switchedOver,
  targetOf,
  type ViewExtra,
  vm,
  vmi,
} from './builders.ts';

const finalizer = 'transship.dev/cancel';
const deleting = { migration: { deleting: true } };
const decided = (members: readonly MachineFacts[], pods: readonly Pod[] = []) => {
  const migration = members[0]?.view.migration;
  if (migration === undefined) throw new Error('expected a member');
  return decideMigration({ migration, members, pods }, finalizer);
};
const unheld = { migration: { finalizers: ['other/one'] } };
const completed = { by: 'Live' as const, at: at() };
const cutOver = { resourceVersion: '100', at: at() };
const edited = { migration: { spec: { virtualMachines: [] } } };

describe('isUndone', () => {
  const cases: readonly (readonly [boolean, string, () => MachineFacts])[] = [
    [true, 'not accepted', () => facts()],
    [true, 'accepted, nothing begun', () => runningFacts()],
    [
      false,
      'a live migration is recorded',
      () => runningFacts({ record: record({ live: patched() }), instance: vmi() }),
    ],
    [false, 'it copies', () => copyingFacts()],
    [false, 'switched over', () => copyingFacts({ record: record({ switchedOver }) })],
    [false, 'our copy pods are there', () => stoppedFacts({ pods: [client()] })],
    [
      false,
      'our server that serves others too mounts its target',
      () => stoppedFacts({ pods: [server(['web-2', 'web-1'], { deleting: true })] }),
    ],
    [
      true,
      'copy pods of another migration are there',
      () => stoppedFacts({ pods: [server(['web-1'], { migrationUid: 'uid-other' })] }),
    ],
    [true, 'a cut-over was meant and has not landed', () => stoppedFacts({ record: record({ cutOver }) })],
    [
      false,
      'a cut-over has landed and is not confirmed',
      () => stoppedFacts({ record: record({ cutOver }), machine: stoppedVm({ on: 'target' }) }),
    ],
    [true, 'others named the target', () => stoppedFacts({ machine: stoppedVm({ on: 'target' }) })],
    [true, 'others named a third claim', () => stoppedFacts({ machine: stoppedVm({ volumes: [] }) })],
    [false, 'others named a third claim in the middle of a copy', () => copyingFacts({ machine: vm({ volumes: [] }) })],
    [true, 'done', () => runningFacts({ record: record({ completed }) })],
    [true, 'the VM is gone', () => copyingFacts({ machine: undefined })],
    [true, 'the VM is another one', () => copyingFacts({ machine: vm({ uid: 'uid-2' }) })],
    [false, 'the VM is gone and our pods are not', () => stoppedFacts({ machine: undefined, pods: [client()] })],
  ];
  test.each(cases)('%s: %s', (expected, _, make) => {
    expect(isUndone(make())).toBe(expected);
  });
});

describe('the finalizer', () => {
  const cases: readonly (readonly [string, string, () => MachineFacts, (readonly Pod[])?])[] = [
    ['add', 'before anything accepted is recorded', () => facts({ ...unheld, instance: vmi() })],
    ['keep', 'nothing is accepted', () => facts({ ...unheld, machine: undefined })],
    ['keep', 'it is there', () => facts({ instance: vmi() })],
    ['add', 'it was taken away while something is under way', () => copyingFacts(unheld)],
    ['remove', 'deleted, nothing to undo', () => runningFacts(deleting)],
    ['remove', 'deleted, never accepted', () => facts(deleting)],
    ['keep', 'deleted, a copy is under way', () => copyingFacts(deleting)],
    [
      'keep',
      'deleted, a pod of ours is left that mounts nothing of it',
      () => runningFacts(deleting),
      [server(['web-2'])],
    ],
    ['keep', 'deleted and not held', () => runningFacts({ migration: { deleting: true, finalizers: [] } })],
    ['remove', 'deleted, done', () => runningFacts({ ...deleting, record: record({ completed }) })],
    ['remove', 'deleted, the VM is gone', () => stoppedFacts({ ...deleting, machine: undefined })],
  ];
  for (const [expected, what, make, pods = []] of cases) {
    test(`${expected}: ${what}`, () => {
      expect(decided([make()], pods).finalizer).toBe(expected);
    });
  }

  test('one machine that is not undone holds it for all', () => {
    expect(decided([runningFacts(deleting), copyingFacts(deleting)]).finalizer).toBe('keep');
  });
});

describe('acceptance', () => {
  test('machines with a record are not judged again', () => {
    expect(decided([runningFacts({ rivals: ['x'] })]).acceptance).toBeUndefined();
    expect(decided([facts({ instance: vmi() })]).acceptance?.kind).toBe('accepted');
    expect(decided([facts({ machine: undefined })]).acceptance?.kind).toBe('refused');
  });

  test('nothing is accepted once the migration is being deleted', () => {
    expect(decided([facts(deleting)]).acceptance).toBeUndefined();
  });

  test('a machine that is added later may not use a claim of one that is there', () => {
    const spec = {
      virtualMachines: ['web-1', 'web-2'].map((name) => ({
        name,
        volumes: [{ name: 'root', target: { claimName: targetOf() } }],
      })),
    };
    const first = stoppedFacts({ migration: { spec, records: { 'web-1': record() } } });
    const second = facts({ name: 'web-2', machine: stoppedVm({ name: 'web-2' }), migration: { spec } });
    expect(decided([first, second]).acceptance).toMatchObject({
      kind: 'refused',
      refusals: [{ machine: 'web-2', reason: 'ClaimNamedTwice' }],
    });
  });
});

describe('dropped', () => {
  const dropped = (make: (extra: ViewExtra) => MachineFacts, extra: ViewExtra) => [...decided([make(extra)]).dropped];
  test('an entry goes when it is not asked for any more and undone', () => {
    expect(dropped(runningFacts, edited)).toStrictEqual(['web-1']);
    expect(dropped(copyingFacts, edited)).toStrictEqual([]);
    expect(dropped(stoppedFacts, { ...edited, pods: [client()] })).toStrictEqual([]);
    expect(dropped(runningFacts, {})).toStrictEqual([]);
    expect(dropped(stoppedFacts, { ...edited, machine: undefined })).toStrictEqual(['web-1']);
  });

  test('what is done stays written down', () => {
    expect(dropped(runningFacts, { ...edited, record: record({ completed }) })).toStrictEqual([]);
  });
});
