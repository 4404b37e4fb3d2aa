// The loops joined: a machine's lane asks for its record, the migration's loop writes it, and all of them end together.
import { distinctUntilChanged, filter, map, NEVER, of } from 'rxjs';
import { describe, test } from 'vitest';
import { reconcile } from '../../../src/effects/reconcile.ts';
import { KubeFailure } from '../../../src/kube/api.ts';
import { copyingFacts, live, record, runningFacts, stoppedVm } from '../../core/builders.ts';
import { vmi as rawVmi } from '../cast.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';
import { answer, effectStage, type Scene, told } from './effectStage.ts';

const begun = runningFacts({ record: record({ live: live() }) });
const scenes: Readonly<Record<string, Scene>> = {
  /** The machine runs and has not settled. */
  h: { facts: { 'web-1': begun }, settled: 'hold' },
  /** It has settled; the next step is the patch. */
  l: { facts: { 'web-1': begun }, settled: 'live' },
  /** It has settled; the next step is the record of a live migration. */
  n: { facts: { 'web-1': runningFacts() }, settled: 'live' },
  /** It is stopped in the middle of the copy. */
  s: { facts: { 'web-1': copyingFacts({ machine: stoppedVm({ on: 'target', created: true }) }) }, settled: 'hold' },
  g: { facts: { 'web-1': undefined }, settled: 'live' },
};
/** It has settled; the next step is to make its target claim, which the API server will not have. */
const unmade: Scene = {
  facts: { 'web-1': runningFacts({ claims: { 'web-1-root-fast': undefined } }) },
  settled: 'live',
};
const make = 'create web-1-root-fast';
const overQuota = new KubeFailure('status', 'exceeded quota', { code: 403, reason: 'Forbidden' });
const invalid = new KubeFailure('status', 'accessModes: Forbidden', { code: 422, reason: 'Invalid' });
const look = 'get VirtualMachineInstance web-1';
const start = 'patch web-1: web-1-root-fast, Migration';
const revert = 'patch web-1: web-1-root';
const status = 'status of move';
const words = { L: look, S: start, R: revert, P: status };
const happened = {
  P: 'status done',
  S: 'startLive done',
  R: 'revert done',
  B: 'liveBegins done',
  l: 'hold to live',
  h: 'live to hold',
};

const play = (
  helpers: MarbleHelpers,
  line: string,
  answers: Readonly<Record<string, ReturnType<typeof answer>>> = {},
) => {
  const stage = effectStage(helpers, { answers: { [look]: of(rawVmi('web-1')), ...answers } });
  const situations = stage.wakes(helpers.hot<Scene>(line, scenes));
  return { stage, out: reconcile(situations, NEVER, stage.deps).pipe(map(told)) };
};

describe('reconcile', () => {
  test('begins in the mode that has settled and in no other, and tells of every switch', () => {
    marbles((helpers) => {
      const { stage, out } = play(helpers, '--h---l---h---|', { [start]: answer(helpers, '-(a|)') });
      helpers.expectObservable(stage.sent).toBe('--P---(LS)', words);
      helpers.expectObservable(out).toBe('       --P---lS--h---|', happened);
    });
  });

  test('writes the record that a machine asks for in the same frame, and tells the machine when it is written', () => {
    marbles((helpers) => {
      const { stage, out } = play(helpers, '----n----------|', { [status]: answer(helpers, '---(a|)') });
      helpers.expectObservable(stage.sent).toBe('----P', words);
      helpers.expectObservable(out).toBe('       -------(BP)----|', happened);
    });
  });

  test('writes a record as soon as the status for people that is under way is answered', () => {
    marbles((helpers) => {
      const { stage, out } = play(helpers, '--h-n----------|', { [status]: answer(helpers, '---(a|)') });
      helpers.expectObservable(stage.sent).toBe('--P--P', words);
      helpers.expectObservable(out).toBe('       ----lP--(BP)---|', happened);
    });
  });

  test('never cuts a write off when the machine switches', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '               ----------(a|)');
      const { stage, out } = play(helpers, '--l-----s-------|', { [start]: hanging });
      helpers.expectObservable(stage.sent).toBe('  --(LSP)-R', words);
      helpers.expectObservable(out).toBe('         --P-----(hR)S---|', happened);
      helpers.expectSubscriptions(hanging.subscriptions).toBe('--^---------!');
    });
  });

  test.each([
    ['a quota', overQuota, 'refused'],
    ['a field', invalid, 'conflict'],
  ])(
    'tells people of a target claim that is refused for a while, as soon as it is refused again (%s)',
    (_, failure, outcome) => {
      marbles((helpers) => {
        const stage = effectStage(helpers, {
          answers: { [make]: answer(helpers, '#', '', failure) },
          limits: { statusMs: 0, retryMs: 20_000, retryMaxMs: 20_000 },
        });
        const situations = stage.wakes(helpers.hot<Scene>('u', { u: unmade }));
        const texts = stage.sent.pipe(
          filter((sentence) => sentence === status),
          map(() => JSON.stringify(stage.requests.at(-1)).includes('TargetClaimRefused')),
          distinctUntilChanged(),
        );
        const happenings = reconcile(situations, NEVER, stage.deps).pipe(
          map(told),
          filter((each) => each.startsWith('createClaim')),
        );
        helpers.expectObservable(happenings, '45s !').toBe('c 19999ms c 19999ms c', { c: `createClaim ${outcome}` });
        helpers.expectObservable(texts, '45s !').toBe('n 39999ms y', { n: false, y: true });
      });
    },
  );

  test('does not know a machine any more that is gone', () => {
    marbles((helpers) => {
      const { out } = play(helpers, '--l---g---h---|', { [start]: answer(helpers, '-(a|)') });
      helpers.expectObservable(out).toBe('--PS------P---|', happened);
    });
  });

  test('completes when nothing is under way any more', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '         ---------(a|)');
      const { out } = play(helpers, '--s--|', { [revert]: hanging });
      helpers.expectObservable(out).toBe('   --P--------(R|)', happened);
      helpers.expectSubscriptions(hanging.subscriptions).toBe('--^--------!');
    });
  });
});
