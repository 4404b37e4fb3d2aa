// A revert that meets KubeVirt between the two runs in which it begins a volume migration: the pairs stay named in the
// VMI's status for ever, and neither a cancellation nor the next attempt may wait for them for ever.
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import { isStillMovable } from '../../src/core/stillMovable.ts';
import * as make from './builders.ts';
import { clear, told } from './circumstances.ts';

const pair = { volume: 'root', source: make.sourceOf(), target: make.targetOf() };
const named = make.vmi({ migratedVolumes: [pair] });
const changing = { status: 'True', reason: '', message: 'migrate volumes' };
/** The attempt was recorded at the epoch, and the VM has been patched and reverted since. */
const record = make.record({ live: make.live({ startedAt: new Date(0).toISOString(), vmGeneration: 1 }) });
const facts = (further: Parameters<typeof make.runningFacts>[0] = {}) =>
  make.runningFacts({ record, machine: make.vm({ generation: 3 }), instance: named, ...further });
const at = (now: number) => ({ ...clear(), now });
const waits = 'wait: KubeVirt to take the volumes back';

describe('pairs that the VMI names after a revert', () => {
  test('are waited for as long as KubeVirt may yet act on them, and then no more', () => {
    expect(told(decide(facts(), at(1000)))).toBe(waits);
    expect(decide(facts(), at(1000)).checkAgainMs).toBe(29_000);
    expect(told(decide(facts(), at(30_000)))).toBe('record liveBegins');
  });

  test('let a cancelled migration go', () => {
    const cancelled = facts({ migration: { deleting: true } });
    expect(told(decide(cancelled, at(1000)))).toBe(waits);
    expect(told(decide(cancelled, at(30_000)))).toBe('record liveEnded');
  });

  test('are no obstacle to the attempt that was recorded after them', () => {
    const again = facts({ machine: make.vm({ generation: 1 }) });
    expect(told(decide(again, at(1000)))).toBe('startLive');
    expect(isStillMovable(named, again)).toBe(true);
  });

  test.each([
    ['KubeVirt says that volumes change', make.vmi({ migratedVolumes: [pair], volumesChange: changing })],
    ['the VMI names the targets', make.vmi({ migratedVolumes: [pair], on: 'target' })],
    ['they are other volumes', make.vmi({ migratedVolumes: [{ ...pair, source: 'other' }] })],
  ])('are waited for without an end where %s', (_, instance) => {
    const late = facts({ instance });
    expect([told(decide(late, at(1e9))), decide(late, at(1e9)).checkAgainMs]).toEqual([waits, undefined]);
    expect(isStillMovable(instance, late)).toBe(false);
  });
});
