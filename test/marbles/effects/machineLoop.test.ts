// The two lanes of a machine: what is sent when, what waits, and what is never cut off. Machine web-1 moves its disk
// from web-1-root to web-1-root-fast; `copying` is a live migration in its course.
import { defer, EMPTY, map, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { MachineFacts } from '../../../src/core/facts.ts';
import { keyText } from '../../../src/core/reading.ts';
import { machineLoop } from '../../../src/effects/machineLoop.ts';
import { copyingFacts, facts, live, record, runningFacts, stoppedVm, vm, vmi } from '../../core/builders.ts';
import { vmi as rawVmi } from '../cast.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';
import { answer, conflict, effectStage, keyOf, type Scene, told, unanswered } from './effectStage.ts';

const scene = (found: MachineFacts | undefined, further: Scene = {}): Scene => ({
  facts: { 'web-1': found },
  ...further,
});

/** A live migration whose record is written and whose patch is not: the next step is the patch. */
const ready = runningFacts({ record: record({ live: live() }) });
/** KubeVirt copies. */
const copying = copyingFacts();
/** The machine is stopped in the middle of that: the next step is the revert. */
const stopped = copyingFacts({ machine: stoppedVm({ on: 'target', created: true }) });
/** Reverted: the next step is KubeVirt's. */
const reverted = copyingFacts({ machine: stoppedVm({ created: true }) });
/** Another live migration of the same VMI, after somebody has undone the first: the next step is the patch again. */
const readyAgain = runningFacts({
  record: record({ live: live({ attempt: 2 }) }),
  machine: vm({ restartRequired: undefined }),
});

const scenes = {
  r: scene(ready),
  c: scene(copying),
  s: scene(stopped),
  v: scene(reverted),
  a: scene(readyAgain),
  g: scene(undefined),
  /** The store has caught up. */
  n: scene(ready, { seen: { virtualMachines: '150' } }),
};

const revert = 'patch web-1: web-1-root';
const start = 'patch web-1: web-1-root-fast, Migration';
const look = 'get VirtualMachineInstance web-1';
const words = { R: revert, S: start, L: look };

/** What the server answers: the VMI that runs, and a VM of a version that the stores have not seen. */
const running = () => of(rawVmi('web-1'));

const loop = (
  helpers: MarbleHelpers,
  line: string,
  options: Parameters<typeof effectStage>[1] = {},
  before: (stage: ReturnType<typeof effectStage>) => void = () => undefined,
) => {
  const stage = effectStage(helpers, { ...options, answers: { [look]: running(), ...options.answers } });
  before(stage);
  const wakes = helpers.hot<Scene>(line, scenes);
  const out = machineLoop(stage.wakes(wakes), stage.deps, () => of({ kind: 'done', value: undefined })).pipe(map(told));
  return { stage, out };
};

describe('machineLoop', () => {
  test('sends what ends in the frame of its cause, and reads the VMI from the server before what begins', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--r-------s--|', { answers: { [start]: answer(helpers, '-(a|)') } });
      helpers.expectObservable(stage.sent).toBe('--(LS)----R', words);
      helpers.expectObservable(out).toBe('       ---s------r--|', { s: 'startLive done', r: 'revert done' });
    });
  });

  test('never cuts a write off when the machine changes', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '                    ------(a|)');
      const { stage, out } = loop(helpers, '--s-v--c----|', { answers: { [revert]: hanging } });
      helpers.expectObservable(stage.sent).toBe('    --R', words);
      helpers.expectObservable(out).toBe('           --------r---|', { r: 'revert done' });
      helpers.expectSubscriptions(hanging.subscriptions).toBe('--^-----!');
    });
  });

  test('decides from the newest facts when a run is over, and from none between', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '                    ----(a|)', '100');
      // The revert was undone and is due again at `s`, but by the end of the run it is not.
      const { stage, out } = loop(helpers, '--s-s-v-----|', { answers: { [revert]: hanging } });
      helpers.expectObservable(stage.sent).toBe('    --R', words);
      helpers.expectObservable(out).toBe('           ------r-----|', { r: 'revert done' });
    });
  });

  test('does not let what ends queue behind a start that hangs', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '                    ----------(a|)');
      const { stage, out } = loop(helpers, '--r---s-----v--|', { answers: { [start]: hanging } });
      helpers.expectObservable(stage.sent).toBe('    --(LS)R', words);
      helpers.expectObservable(out).toBe('           ------r-----s--|', { r: 'revert done', s: 'startLive done' });
      helpers.expectSubscriptions(hanging.subscriptions).toBe('--^---------!');
    });
  });

  test('starts nothing before the machine has settled', () => {
    marbles((helpers) => {
      const stage = effectStage(helpers, { answers: { [look]: running() } });
      const wakes = helpers.hot<Scene>('--r----s----|', {
        r: scene(ready, { settled: 'hold' }),
        s: scene(ready, { settled: 'live' }),
      });
      const out = machineLoop(stage.wakes(wakes), stage.deps, () => of({ kind: 'done', value: undefined }));
      helpers.expectObservable(stage.sent).toBe('       -------(LS)', words);
      helpers.expectObservable(out.pipe(map(told))).toBe('-------s----|', { s: 'startLive done' });
    });
  });

  test('starts nothing during the start-up hold, and needs no event to begin after it', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--r---------------|', { holdUntilMs: 10 });
      helpers.expectObservable(stage.sent).toBe('    ----------(LS)', words);
      helpers.expectObservable(out).toBe('           ----------s-------|', { s: 'startLive done' });
    });
  });

  test('starts nothing while its own write is unseen', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--r----r----n---|', {}, ({ deps }) =>
        deps.ownWrites.wrote(keyText(keyOf('web-1')), 'virtualMachines', 'shop', '150'),
      );
      helpers.expectObservable(stage.sent).toBe('    ------------(LS)', words);
      helpers.expectObservable(out).toBe('           ------------s---|', { s: 'startLive done' });
    });
  });

  test('starts nothing while a write without an answer may still land, and needs no event to begin after it', () => {
    marbles((helpers) => {
      const answers = { [start]: answer(helpers, '-#', '', unanswered) };
      const { stage, out } = loop(helpers, '--r-------r-----------------|', { answers, lateWriteMs: 20 });
      helpers.expectObservable(stage.sent).toBe('    --(LS)-----------------(LS)', words);
      helpers.expectObservable(out).toBe('           ---u--------------------u---|', { u: 'startLive unknown' });
    });
  });

  test('does not repeat a revert that the store has not seen yet', () => {
    marbles((helpers) => {
      const answers = { [revert]: answer(helpers, '-(a|)', '150') };
      const { stage, out } = loop(helpers, '--s---s---------|', { answers });
      helpers.expectObservable(stage.sent).toBe('    --R', words);
      helpers.expectObservable(out).toBe('           ---r------------|', { r: 'revert done' });
    });
  });

  test('sends again what met a conflict, after waits that double', () => {
    marbles((helpers) => {
      const answers = { [revert]: answer(helpers, '-#', '', conflict) };
      const { stage, out } = loop(helpers, '--s--------------------|', { answers });
      helpers.expectObservable(stage.sent).toBe('    --R----R--------R', words);
      helpers.expectObservable(out).toBe('           ---c----c--------c-----|', { c: 'revert conflict' });
    });
  });

  test('begins its waits anew after a write that was done', () => {
    marbles((helpers) => {
      const no = answer(helpers, '-#', '', conflict);
      const answers = [no, no, answer(helpers, '-(a|)'), no, no];
      const { stage, out } = loop(helpers, '--s--------------s------|', {
        answers: { [revert]: defer(() => answers.shift() ?? EMPTY) },
      });
      helpers.expectObservable(stage.sent).toBe('    --R----R--------RR----R', words);
      helpers.expectObservable(out).toBe('           ---c----c--------rc----c|', {
        c: 'revert conflict',
        r: 'revert done',
      });
    });
  });

  test('lets some time pass between two patches that begin a move', () => {
    marbles((helpers) => {
      const limits = { moveGapMs: 12 };
      const { stage, out } = loop(helpers, '--r---a---a-------|', { limits });
      helpers.expectObservable(stage.sent).toBe('    --(LS)--------(LS)', words);
      helpers.expectObservable(out).toBe('           --s-----------s---|', { s: 'startLive done' });
    });
  });

  test('decides nothing before every kind is listed', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--s---s----|', { synced: () => helpers.now() >= 5 });
      helpers.expectObservable(stage.sent).toBe('    ------R', words);
      helpers.expectObservable(out).toBe('           ------r----|', { r: 'revert done' });
    });
  });

  test('lets a machine that is gone end what is under way, and begins a new one of its name afresh', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '                    -----(a|)');
      const { stage, out } = loop(helpers, '--s-g-s-------|', { answers: { [revert]: hanging } });
      helpers.expectObservable(stage.sent).toBe('    --R---R', words);
      helpers.expectObservable(out).toBe('           -------r---r--|', { r: 'revert done' });
      helpers.expectSubscriptions(hanging.subscriptions).toBe(['--^----!', '------^----!']);
    });
  });

  test('forgets what it wrote about a machine that is gone', () => {
    marbles((helpers) => {
      const topic = keyText(keyOf('web-1'));
      const { stage, out } = loop(helpers, '--r--g---|', { holdUntilMs: 99 }, ({ deps }) =>
        deps.ownWrites.wrote(topic, 'virtualMachines', 'shop', '150'),
      );
      helpers.expectObservable(out).toBe('           ---------|');
      helpers.flush();
      expect(stage.deps.ownWrites.clearanceOf([topic], stage.deps.reading)).toStrictEqual({ kind: 'clear' });
    });
  });

  test('completes with its wake-ups when the last write has ended', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '                    --------(a|)');
      const { out } = loop(helpers, '       --s--|', { answers: { [revert]: hanging } });
      helpers.expectObservable(out).toBe('           ----------(r|)', { r: 'revert done' });
      helpers.expectSubscriptions(hanging.subscriptions).toBe('--^-------!');
    });
  });

  test('machines do not wait for each other', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '---------(a|)');
      const other = facts({
        name: 'db-1',
        record: record({ machine: 'db-1', live: live({ vmiUid: 'vmi-db-1', vmGeneration: 6 }) }),
        machine: stoppedVm({ name: 'db-1', on: 'target', created: true }),
        instance: vmi({ name: 'db-1', on: 'target' }),
      });
      const stage = effectStage(helpers, { answers: { [revert]: hanging } });
      const wakes = helpers.hot<Scene>('--s--d-------|', { s: scene(stopped), d: { facts: { 'db-1': other } } });
      const out = machineLoop(stage.wakes(wakes), stage.deps, () => of({ kind: 'done', value: undefined }));
      helpers.expectObservable(stage.sent).toBe('       --R--D', { ...words, D: 'patch db-1: db-1-root' });
      helpers.expectObservable(out.pipe(map(told))).toBe('-----r-----r-|', { r: 'revert done' });
    });
  });
});
