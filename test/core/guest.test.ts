// Whether a guest runs, ends, starts or is off, for every sign that VM, VMI and virt-launchers give (contract §1, §4).
import { describe, expect, test } from 'vitest';
import { type Guest, guestOf, startCause } from '../../src/core/guest.ts';
import type { RunStrategy, VirtualMachine, VirtualMachineInstance, VmiPhase } from '../../src/core/objects.ts';
import { vm, vmi } from './builders.ts';

const strategies: readonly RunStrategy[] = [
  'Always',
  'Halted',
  'Manual',
  'RerunOnFailure',
  'Once',
  'WaitAsReceiver',
  'Unknown',
];
const mayRest: readonly RunStrategy[] = ['Halted', 'Manual', 'RerunOnFailure'];

const kindOf = (machine: VirtualMachine | undefined, instance?: VirtualMachineInstance): Guest['kind'] =>
  guestOf(machine, instance).kind;

describe('guestOf without a VMI', () => {
  test.each(strategies)('%s: off only where KubeVirt cannot start it without a write to the VM', (runStrategy) => {
    const expected = mayRest.includes(runStrategy) ? 'off' : 'starting';
    expect(kindOf(vm({ runStrategy, created: false }))).toBe(expected);
  });

  test.each(strategies)('%s: a queued start makes it starting', (runStrategy) => {
    expect(kindOf(vm({ runStrategy, created: false, requests: ['Start'] }))).toBe('starting');
    expect(kindOf(vm({ runStrategy, created: false, requests: ['Stop', 'Start'] }))).toBe('starting');
  });

  test('RerunOnFailure that KubeVirt has not acted on yet is starting', () => {
    const changed = vm({ runStrategy: 'RerunOnFailure', actedRunStrategy: 'Halted', created: false });
    expect(guestOf(changed, undefined)).toStrictEqual({
      kind: 'starting',
      sign: 'runStrategy was changed to RerunOnFailure',
    });
    expect(startCause(vm({ runStrategy: 'RerunOnFailure', actedRunStrategy: '' }))).not.toBe('');
  });

  test('a VM that says that its VMI exists is unclear, never off', () => {
    expect(kindOf(vm({ runStrategy: 'Halted', created: true }))).toBe('unclear');
    expect(kindOf(vm({ runStrategy: 'Manual', created: true }))).toBe('unclear');
  });

  test('a VM that is being deleted is ending; none at all is absent', () => {
    expect(kindOf(vm({ runStrategy: 'Halted', created: false, deleting: true }))).toBe('ending');
    expect(kindOf(undefined)).toBe('absent');
  });
});

describe('guestOf with a VMI', () => {
  test('a VMI without a VM is unclear', () => {
    expect(kindOf(undefined, vmi())).toBe('unclear');
  });

  test.each<VmiPhase>(['Unset', 'Pending', 'Scheduling', 'Scheduled', 'Unknown', 'WaitingForSync'])(
    'phase %s is starting under every strategy that does not stop it',
    (phase) => {
      for (const runStrategy of strategies.filter((strategy) => strategy !== 'Halted')) {
        expect(kindOf(vm({ runStrategy }), vmi({ phase, ready: false }))).toBe('starting');
      }
      expect(kindOf(vm({ runStrategy: 'Halted' }), vmi({ phase }))).toBe('ending');
    },
  );

  test.each(strategies)('%s: Running and ready is running, unless the strategy is Halted', (runStrategy) => {
    expect(kindOf(vm({ runStrategy }), vmi())).toBe(runStrategy === 'Halted' ? 'ending' : 'running');
  });

  test.each<VmiPhase>(['Succeeded', 'Failed'])('phase %s is off under Manual alone, and ending otherwise', (phase) => {
    for (const runStrategy of strategies) {
      const expected = runStrategy === 'Manual' ? 'off' : 'ending';
      expect(kindOf(vm({ runStrategy }), vmi({ phase, ready: false }))).toBe(expected);
    }
  });

  test.each<[string, Partial<VirtualMachine>, Partial<VirtualMachineInstance>]>([
    ['it is being deleted', {}, { deleting: true }],
    ['a start is queued', { requests: ['Start'] }, {}],
    ['stop and start are queued', { requests: ['Stop', 'Start'] }, {}],
    ['the VM is being deleted', { deleting: true }, {}],
  ])('a final VMI under Manual is ending when %s', (_, machine, instance) => {
    expect(kindOf(vm({ runStrategy: 'Manual', ...machine }), vmi({ phase: 'Succeeded', ...instance }))).toBe('ending');
  });

  test.each<[string, Guest['kind'], Partial<VirtualMachine>, Partial<VirtualMachineInstance>]>([
    ['paused', 'running', {}, { ready: false, paused: true, readyReason: 'GuestNotRunning' }],
    ['not ready by its own probe', 'running', {}, { ready: false, readyReason: 'ContainersNotReady' }],
    ['its launcher is terminating', 'ending', {}, { ready: false, readyReason: 'PodTerminating' }],
    ['the guest is not there', 'starting', {}, { ready: false, readyReason: 'GuestNotRunning' }],
    ['being deleted while it is ready', 'ending', {}, { deleting: true }],
    ['a stop is queued first', 'ending', { runStrategy: 'Manual', requests: ['Stop'] }, {}],
    ['a restart is queued', 'ending', { requests: ['Stop', 'Start'] }, {}],
    ['the VM is being deleted', 'ending', { deleting: true }, {}],
    ['a start is still listed', 'running', { runStrategy: 'Manual', requests: ['Start'] }, {}],
  ])('Running, and %s: %s', (_, expected, machine, instance) => {
    expect(kindOf(vm(machine), vmi(instance))).toBe(expected);
  });

  test('whatever it says, it says by which sign', () => {
    for (const runStrategy of strategies) {
      for (const instance of [undefined, vmi(), vmi({ phase: 'Failed' }), vmi({ deleting: true })]) {
        expect(guestOf(vm({ runStrategy }), instance).sign).not.toBe('');
      }
    }
  });
});
