// Events tell people; nothing waits for them, and what becomes of them changes nothing.
import { map, merge } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { RecordReason } from '../../../src/core/decision.ts';
import { announce } from '../../../src/effects/events.ts';
import type { CommandKind, Happening } from '../../../src/effects/happening.ts';
import type { Outcome } from '../../../src/effects/outcome.ts';
import { runningFacts } from '../../core/builders.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';
import { answer, conflict, effectStage, keyOf, told, unanswered } from './effectStage.ts';

const happening = (
  command: CommandKind,
  { outcome = 'done', record }: { outcome?: Outcome['kind']; record?: RecordReason } = {},
): Happening => ({ kind: 'command', key: keyOf('web-1'), command, outcome, detail: '', cause: undefined, record });

const happenings: Readonly<Record<string, Happening>> = {
  r: happening('revert'),
  s: happening('startLive'),
  f: happening('startLive', { outcome: 'conflict' }),
  p: happening('status'),
  m: happening('record', { record: 'completed' }),
  q: happening('record', { record: 'copyVoid' }),
  w: { kind: 'switched', key: keyOf('web-1'), from: 'live', to: 'hold' },
};

const onMigration = (reason: string): string => `event ${reason} on StorageMigration move`;
const onMachine = (reason: string): string => `event ${reason} on VirtualMachine web-1`;
const words = {
  r: onMigration('LiveMigrationReverted'),
  R: onMachine('LiveMigrationReverted'),
  s: onMigration('LiveMigrationStarted'),
  S: onMachine('LiveMigrationStarted'),
  m: onMigration('Moved'),
  M: onMachine('Moved'),
};

const tell = (helpers: MarbleHelpers, line: string, options: Parameters<typeof effectStage>[1] = {}, known = true) => {
  const stage = effectStage(helpers, options);
  if (known) stage.set({ facts: { 'web-1': runningFacts() } });
  const source = helpers.hot<Happening>(line, happenings);
  return { stage, source, out: announce(source, stage.deps, 'transship-0').pipe(map(told)) };
};

describe('announce', () => {
  test('writes one Event on the migration and one on the VM for every turn, and none for what people need not hear', () => {
    marbles((helpers) => {
      const { stage, out } = tell(helpers, '--s--f--p--w--q--r-----m---|');
      helpers.expectObservable(stage.sent).toBe('--(sS)-----------(rR)--(mM)', words);
      helpers.expectObservable(out).toBe('       --(ee)-----------(ee)--(ee)|', { e: 'event done' });
    });
  });

  test('says who it is about, who says it and when', () => {
    marbles((helpers) => {
      const { stage, out } = tell(helpers, '-----m----|');
      helpers.expectObservable(out).toBe('  -----(ee)-|', { e: 'event done' });
      helpers.flush();
      const [first, second] = stage.requests.flatMap((request) => (request.verb === 'create' ? [request.object] : []));
      const said = {
        type: 'Normal',
        reason: 'Moved',
        eventTime: '1970-01-01T00:00:00.005000Z',
        reportingController: 'transship.dev/transship',
        reportingInstance: 'transship-0',
      };
      expect(first).toMatchObject({ ...said, regarding: { kind: 'StorageMigration', name: 'move', uid: 'uid-move' } });
      expect(first?.['note']).toMatch(/^web-1: /);
      expect(second).toMatchObject({ ...said, regarding: { kind: 'VirtualMachine', name: 'web-1', uid: 'uid-web-1' } });
    });
  });

  test('nothing waits for an Event: what happens is told while it hangs, and the daemon goes on', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '---------(a|)');
      const { source, out } = tell(helpers, '--s-----p--|', { answers: { [words.s]: hanging } });
      const both = merge(source.pipe(map(told)), out);
      helpers
        .expectObservable(both)
        .toBe('  --(ue)--p--(e|)', { u: 'startLive done', p: 'status done', e: 'event done' });
      helpers.expectSubscriptions(hanging.subscriptions).toBe('--^--------!');
    });
  });

  test('an Event that cannot be written is counted and not tried again', () => {
    marbles((helpers) => {
      const answers = {
        [words.s]: answer(helpers, '-#', '', conflict),
        [words.S]: answer(helpers, '--#', '', unanswered),
      };
      const { stage, out } = tell(helpers, '--s---------|', { answers });
      helpers.expectObservable(stage.sent).toBe('--(sS)', words);
      helpers.expectObservable(out).toBe('       ---cu-------|', { c: 'event conflict', u: 'event unknown' });
    });
  });

  test('writes four at a time, and the others wait', () => {
    marbles((helpers) => {
      const slow = Object.fromEntries(
        [words.s, words.S, words.r, words.R, words.m, words.M].map((word) => [word, answer(helpers, '-------(a|)')]),
      );
      const { stage, out } = tell(helpers, '(srm)----|', { answers: slow });
      helpers.expectObservable(stage.sent).toBe('(sSrR)-(mM)', words);
      helpers.expectObservable(out).toBe('       -------(eeee)-(ee|)', { e: 'event done' });
    });
  });

  test('writes nothing about a machine that is not known any more', () => {
    marbles((helpers) => {
      const { stage, out } = tell(helpers, '--s---|', {}, false);
      helpers.expectObservable(stage.sent).toBe('-');
      helpers.expectObservable(out).toBe('------|');
    });
  });
});
