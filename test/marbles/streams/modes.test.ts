// The mode of each machine: left at once, entered when it has been quiet, looked at again now and then.
// Facts and modes have the same letters: l live, o offline, h hold, d done; g is gone. Settling takes 3 frames, at most 9.
import { distinctUntilChanged, filter, map, share } from 'rxjs';
import { describe, test } from 'vitest';
import type { MachineFacts } from '../../../src/core/facts.ts';
import { modeOf } from '../../../src/core/mode.ts';
import type { MachineChange } from '../../../src/streams/machines.ts';
import { type ModesOptions, modesOf } from '../../../src/streams/modes.ts';
import { facts, record, runningFacts, stoppedFacts, vm, vmi } from '../../core/builders.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';

const about = (machine: string, found: MachineFacts | undefined): MachineChange => ({
  key: { namespace: 'shop', migration: 'move', machine },
  facts: found,
});
const starting = facts({ record: record(), machine: vm(), instance: vmi({ phase: 'Scheduling' }) });
const done = runningFacts({ record: record({ completed: { by: 'Live', at: '' } }) });

/** Facts: l wants live, o offline, h hold, d done, g gone; capital letters are another machine's. */
const letters: Readonly<Record<string, MachineChange>> = Object.fromEntries(
  Object.entries({ l: runningFacts(), o: stoppedFacts(), h: starting, d: done, g: undefined }).flatMap(
    ([letter, found]) => [
      [letter, about('web', found)],
      [letter.toUpperCase(), about('db', found)],
    ],
  ),
);

const modeLetters = { l: 'live', o: 'offline', h: 'hold', d: 'done' };
const quick: ModesOptions = { settleMs: 3, settleMaxMs: 9, resyncMs: 100 };

const play = (helpers: MarbleHelpers, line: string, options: Partial<ModesOptions> = {}) => {
  const source = helpers.hot<MachineChange>(line, letters, 'error');
  const out = source.pipe(modesOf({ ...quick, ...options }), share());
  return {
    source,
    /** Every situation: the wake-ups of the effects. */
    situations: out.pipe(
      map(
        ({ key, facts: found, settled }) =>
          `${key.machine} ${found === undefined ? 'gone' : modeOf(found)} in ${settled}`,
      ),
    ),
    /** The mode in force, when it changes. */
    modesOf: (machine: string) =>
      out.pipe(
        filter(({ key }) => key.machine === machine),
        map(({ settled }) => settled),
        distinctUntilChanged(),
      ),
  };
};

const words = {
  l: 'web live in hold',
  L: 'web live in live',
  o: 'web offline in hold',
  O: 'web offline in offline',
  h: 'web hold in hold',
  x: 'web hold in live',
  g: 'web gone in live',
  j: 'web gone in hold',
};

describe('modesOf', () => {
  test('enters live or offline when the machine has been quiet, and leaves it at once', () => {
    marbles((helpers) => {
      const { modesOf: modes } = play(helpers, '--l--------h----o-----');
      helpers.expectObservable(modes('web'), '  ^---------------------!').toBe('--h--l-----h-------o--', modeLetters);
    });
  });

  test('leaves live for offline by way of hold', () => {
    marbles((helpers) => {
      const { modesOf: modes } = play(helpers, '--l-------o------l----');
      helpers.expectObservable(modes('web'), '  ^---------------------!').toBe('--h--l----h--o---h--l-', modeLetters);
    });
  });

  test('is done at once', () => {
    marbles((helpers) => {
      const { modesOf: modes } = play(helpers, '--l----d---');
      helpers.expectObservable(modes('web'), '  ^----------!').toBe('--h--l-d---', modeLetters);
    });
  });

  test('enters nothing while the machine is restless, and what it has come to when that lasts too long', () => {
    marbles((helpers) => {
      const flapping = play(helpers, '          --l-h-l-h-l-h-l-h-----');
      helpers.expectObservable(flapping.modesOf('web'), '^---------------------!').toBe('--h', modeLetters);
      const wavering = play(helpers, '          --l-o-l-o-l-o-l-o-l-o-');
      helpers
        .expectObservable(wavering.modesOf('web'), '^--------------------!')
        .toBe('--h--------lh--------', modeLetters);
    });
  });

  test('tells every change at once, with the mode in force, and the mode when it has settled', () => {
    marbles((helpers) => {
      const { situations } = play(helpers, '     --l-l------h------');
      // What is left is left in the same frame; what is new has not settled.
      helpers.expectObservable(situations, '^----------------------!').toBe('--l-lL-----(xh)', words);
    });
  });

  test('looks again with no event at all, and begins to count anew with every mode', () => {
    marbles((helpers) => {
      const { situations } = play(helpers, '     --l--------------------', { resyncMs: 8 });
      helpers.expectObservable(situations, '^-----------------------!').toBe('--l--L-------L-------L--', words);
    });
    marbles((helpers) => {
      const { situations } = play(helpers, '     --h--------------------', { resyncMs: 8 });
      helpers.expectObservable(situations, '^-----------------------!').toBe('--(hh)----h-------h-----', words);
    });
  });

  test('a machine that is gone ends its group, ticks and all, and a new one of the name starts afresh', () => {
    marbles((helpers) => {
      const { situations } = play(helpers, '     --l------g------------l------', { resyncMs: 6 });
      helpers.expectObservable(situations, '^-----------------------------!').toBe('--l--L---g------------l--L----', {
        ...words,
        g: 'web gone in live',
      });
    });
  });

  test('a machine that is gone while it settles is never said to have settled', () => {
    marbles((helpers) => {
      const { modesOf: modes } = play(helpers, '--l-g--------');
      helpers.expectObservable(modes('web'), '  ^------------!').toBe('--h----------', modeLetters);
    });
  });

  test('a restless machine keeps no other waiting', () => {
    marbles((helpers) => {
      const { modesOf: modes } = play(helpers, '--lL-H-L-H-L-H------');
      helpers.expectObservable(modes('web'), '  ^-------------------!').toBe('--h--l', modeLetters);
      helpers.expectObservable(modes('db'), '   ^-------------------!').toBe('---h', modeLetters);
    });
  });

  test('completes with its source, and the ticks with it', () => {
    marbles((helpers) => {
      const { situations, source } = play(helpers, '--l------|', { resyncMs: 6 });
      helpers.expectObservable(situations).toBe('   --l--L---|', words);
      helpers.expectSubscriptions(source.subscriptions).toBe('^--------!');
    });
  });

  test('ends with the error of its source', () => {
    marbles((helpers) => {
      const { situations } = play(helpers, '--l------#', { resyncMs: 6 });
      helpers.expectObservable(situations).toBe('   --l--L---#', words);
    });
  });

  test('lets everything go when nobody listens any more', () => {
    marbles((helpers) => {
      const { situations, source } = play(helpers, '     --l---------', { resyncMs: 4 });
      helpers.expectObservable(situations, '^---------!').toBe('  --l--L---L-', words);
      helpers.expectSubscriptions(source.subscriptions).toBe('   ^---------!');
    });
  });
});
