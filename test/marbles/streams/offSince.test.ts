// Since when a machine has been off without a break: the least sign of a guest begins it anew.
import { from } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { VirtualMachine } from '../../../src/core/objects.ts';
import { offSince } from '../../../src/streams/offSince.ts';
import { storeOf } from '../../../src/streams/storeOf.ts';
import type { WatchSignal } from '../../../src/streams/watchSignal.ts';

type Signal = WatchSignal<VirtualMachine>;

const scope = '';
const vm = (resourceVersion: string, fields: Partial<VirtualMachine> = {}): VirtualMachine => ({
  namespace: 'shop',
  name: 'web-1',
  uid: 'uid-web-1',
  resourceVersion,
  deleting: false,
  generation: 1,
  runStrategy: 'Halted',
  actedRunStrategy: 'Halted',
  requests: [],
  created: false,
  updateVolumesStrategy: '',
  volumes: [],
  dataVolumeTemplates: [],
  immovable: [],
  restartRequired: undefined,
  manualRecoveryRequired: false,
  offSince: undefined,
  offSinceMs: undefined,
  ...fields,
});
const list = (...objects: readonly VirtualMachine[]): Signal[] => [
  { scope, kind: 'init' },
  ...objects.map((object): Signal => ({ scope, kind: 'listed', object })),
  { scope, kind: 'ready', resourceVersion: '100' },
];
const change = (object: VirtualMachine): Signal => ({ scope, kind: 'applied', object });

/** The run that the VM is in after these signals, with the number of the signal that it began with. */
const runAfter = (...signals: readonly Signal[]): readonly [string | undefined, number | undefined] => {
  let clock = 0;
  let found: VirtualMachine | undefined;
  from(signals)
    .pipe(storeOf<VirtualMachine>({ fold: offSince, now: () => ++clock }))
    .subscribe((store) => {
      found = store.get('shop', 'web-1');
    });
  return [found?.offSince, found?.offSinceMs];
};

describe('offSince', () => {
  test('is the first version that is known of a VM that is off, and stays it while nothing starts the VM', () => {
    expect(runAfter(...list(vm('7')))).toStrictEqual(['7', 3]);
    expect(runAfter(...list(vm('7')), change(vm('101')), change(vm('102', { generation: 2 })))).toStrictEqual(['7', 3]);
  });

  test('is absent while KubeVirt could start the VM, and begins anew after that', () => {
    const started = [...list(vm('7')), change(vm('101', { runStrategy: 'Always' }))];
    expect(runAfter(...started)).toStrictEqual([undefined, undefined]);
    expect(runAfter(...started, change(vm('102')))).toStrictEqual(['102', 5]);
  });

  test.each<[string, Partial<VirtualMachine>, boolean]>([
    ['Halted', { runStrategy: 'Halted' }, true],
    ['Manual with no request', { runStrategy: 'Manual' }, true],
    ['Manual with a queued start', { runStrategy: 'Manual', requests: ['Stop', 'Start'] }, false],
    [
      'RerunOnFailure that KubeVirt has acted on',
      { runStrategy: 'RerunOnFailure', actedRunStrategy: 'RerunOnFailure' },
      true,
    ],
    ['RerunOnFailure that KubeVirt has not acted on', { runStrategy: 'RerunOnFailure' }, false],
    ['Always', { runStrategy: 'Always' }, false],
    ['Once', { runStrategy: 'Once', actedRunStrategy: 'Once' }, false],
    ['WaitAsReceiver', { runStrategy: 'WaitAsReceiver' }, false],
    ['a strategy that is not known', { runStrategy: 'Unknown' }, false],
  ])('%s', (_name, fields, counts) => {
    expect(runAfter(...list(vm('7', fields)))[0]).toBe(counts ? '7' : undefined);
  });

  test('goes on while the VMI ends, and begins anew when one was made all the same', () => {
    const ending = [...list(vm('7', { created: true })), change(vm('101', { created: false }))];
    expect(runAfter(...ending)).toStrictEqual(['7', 3]);
    expect(runAfter(...ending, change(vm('102', { created: true })))).toStrictEqual(['102', 5]);
  });

  test('goes on over a new list only if that has the very same version', () => {
    expect(runAfter(...list(vm('7')), ...list(vm('7')))).toStrictEqual(['7', 3]);
    expect(runAfter(...list(vm('7')), ...list(vm('8')))).toStrictEqual(['8', 6]);
  });

  test('goes on over duplicates, and begins anew when a start is heard of late', () => {
    const off = [...list(vm('7')), change(vm('103'))];
    expect(runAfter(...off, change(vm('103')), change(vm('102')))).toStrictEqual(['7', 3]);
    expect(runAfter(...off, change(vm('102', { runStrategy: 'Always' })))).toStrictEqual(['103', 5]);
    // One that was before the run says nothing about it.
    expect(runAfter(...off, change(vm('6', { runStrategy: 'Always' })))).toStrictEqual(['7', 3]);
  });

  test('does not pass from a VM to another of its name', () => {
    expect(runAfter(...list(vm('7')), change(vm('101', { uid: 'uid-2' })))).toStrictEqual(['101', 4]);
  });
});
