// Mistakes that were made once, one test each.
import { expect, test } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import { launcher, runningFacts, vm, vmi } from './builders.ts';
import { clear } from './circumstances.ts';

test('nobody is told to put back the volumes of a guest that runs on its targets', () => {
  const facts = runningFacts({
    machine: vm({ on: 'target' }),
    instance: vmi({ on: 'target' }),
    pods: [launcher('target', { nodeName: 'n1' })],
  });
  const { attention, commands } = decide(facts, clear());
  expect(commands).toEqual([]);
  expect(attention?.message).toMatch(/If the guest has never run on them, put the volumes back on the source claims/);
  expect(attention?.message).toMatch(/if it has, remove the machine from this migration$/);
});
