// The memory of own writes, and the question that is asked before anything is started: both by the clock of a diagram.
import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Clearance } from '../../../src/core/decision.ts';
import { keyText } from '../../../src/core/reading.ts';
import { clearanceFor } from '../../../src/effects/clearance.ts';
import { type OwnWrites, ownWrites } from '../../../src/effects/ownWrites.ts';
import { runningFacts } from '../../core/builders.ts';
import { marbles } from '../marbles.ts';
import { effectStage, keyOf, type Scene } from './effectStage.ts';

const topic = keyText(keyOf('web-1'));
const group = keyText({ namespace: 'shop', migration: 'move' });

/** What may happen to the memory, in letters. */
type Act = (memory: OwnWrites) => Scene | undefined;
const acts: Readonly<Record<string, Act>> = {
  /** A write makes version 150. */
  w: (memory) => void memory.wrote(topic, 'virtualMachines', 'shop', '150'),
  /** A write of another kind makes version 160. */
  v: (memory) => void memory.wrote(topic, 'pods', 'shop', '160'),
  /** A write for the whole group. */
  g: (memory) => void memory.wrote(group, 'pods', 'shop', '160'),
  /** A write is not answered. */
  u: (memory) => void memory.uncertain(topic),
  /** The store of VMs has seen so much. */
  1: () => ({ seen: { virtualMachines: '149' } }),
  2: () => ({ seen: { virtualMachines: '150' } }),
  3: () => ({ seen: { pods: '160' } }),
  /** The machine is gone. */
  f: (memory) => void memory.forget(topic),
  /** Nothing. */
  n: () => undefined,
};

const said = { c: 'clear', u: 'our last write to be seen', l: 'a write that was not answered to be certain' };
const spoken = (clearance: Clearance): string => (clearance.kind === 'clear' ? 'clear' : clearance.for);

describe('ownWrites', () => {
  test.each<[string, string, string]>([
    ['holds until the store has seen the very version', '       -n-w-1-2-', '-c-u-u-c-'],
    ['holds until every kind of store has caught up', '          -w-v-2-3-', '-u-u-u-c-'],
    ['holds a machine for what was written for its group', '      -g-2-3---', '-u-u-c---'],
    ['holds while a write that was not answered may land', '      -u--n---n-----n-', '-l--l---l-----c-'],
    ['counts the time of a late write from the last of them', '    -u----u----n----n', '-l----l----l----c'],
    ['counts a write as seen after a while, whatever the versions', '-w-----n------------n', '-u-----u------------c'],
    ['forgets a machine that is gone', '                          -w-u-f-', '-u-l-c-'],
  ])('%s', (_rule, line, expected) => {
    marbles((helpers) => {
      const { deps, set } = effectStage(helpers);
      const memory = ownWrites({ now: helpers.now, lateWriteMs: 10, unseenMs: 18 });
      const out = helpers.hot<Act>(line, acts).pipe(
        map((act) => {
          const scene = act(memory);
          if (scene !== undefined) set(scene);
          return spoken(memory.clearanceOf([topic, group], deps.reading));
        }),
      );
      helpers.expectObservable(out).toBe(expected, said);
    });
  });

  test('says when the last late write cannot land any more', () => {
    const memory = ownWrites({ now: () => 5, lateWriteMs: 10, unseenMs: 18 });
    marbles((helpers) => {
      const { deps } = effectStage(helpers);
      memory.uncertain(topic);
      helpers.expectObservable(helpers.cold('a|')).toBe('a|');
      expect(memory.clearanceOf([topic], deps.reading)).toMatchObject({ checkAgainMs: 10 });
    });
  });

  test('tells an echo: a write of that kind that the store does not know yet', () => {
    marbles((helpers) => {
      const { deps, set } = effectStage(helpers);
      const memory = ownWrites({ now: helpers.now, lateWriteMs: 10, unseenMs: 18 });
      const out = helpers.hot<Act>('-n-w-v-2-3-', acts).pipe(
        map((act) => {
          const scene = act(memory);
          if (scene !== undefined) set(scene);
          return String(memory.isUnseen(topic, 'virtualMachines', deps.reading));
        }),
      );
      helpers.expectObservable(out).toBe('           -f-t-t-f-f-', { t: 'true', f: 'false' });
    });
  });
});

describe('clearanceFor', () => {
  test('asks, in this order: is all listed, is the hold over, is the machine seen, is it settled, is all seen', () => {
    marbles((helpers) => {
      const stage = effectStage(helpers, { synced: () => helpers.now() >= 2, holdUntilMs: 6 });
      const running = { 'web-1': runningFacts() };
      const out = helpers
        .hot<Scene>('a---b---c---d---e---f', {
          a: {},
          b: {},
          c: {},
          d: { facts: running, settled: 'hold' },
          e: { facts: running, settled: 'live' },
          f: { seen: { virtualMachines: '150' } },
        })
        .pipe(
          map((scene) => {
            stage.set(scene);
            if (helpers.now() === 16) stage.deps.ownWrites.wrote(topic, 'virtualMachines', 'shop', '150');
            const key = keyOf('web-1');
            return spoken(clearanceFor(stage.deps, key, stage.deps.settledMode(key)));
          }),
        );
      helpers.expectObservable(out).toBe('a---b---c---d---e---f', {
        a: 'every kind of object to be listed',
        b: 'the start-up hold to be over',
        c: 'the machine to be seen',
        d: 'the machine to settle',
        e: 'our last write to be seen',
        f: 'clear',
      });
    });
  });
});
