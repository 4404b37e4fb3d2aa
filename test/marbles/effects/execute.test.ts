// Each command as requests: the guards that are read first, the one write, and what becomes of it.
import { map, type Observable, of, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../../src/core/decision.ts';
import type { MachineFacts } from '../../../src/core/facts.ts';
import { execute } from '../../../src/effects/execute.ts';
import { KubeFailure } from '../../../src/kube/api.ts';
import { claim, facts, live, record, recordedDisk, runningFacts, stoppedFacts, vm } from '../../core/builders.ts';
import { vmi as rawVmi, type VmiLetter } from '../cast.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';
import { answer, conflict, effectStage, keyOf, unanswered } from './effectStage.ts';

const notFound = new KubeFailure('status', 'not found', { code: 404, reason: 'NotFound' });
const look = 'get VirtualMachineInstance web-1';
const toTarget = 'patch web-1: web-1-root-fast, Migration';
const disk = recordedDisk();

const run = (
  helpers: MarbleHelpers,
  command: Command,
  from: MachineFacts,
  answers: Readonly<Record<string, Observable<unknown>>> = {},
) => {
  const stage = effectStage(helpers, { answers });
  const out = execute(command, keyOf('web-1'), from, stage.deps, () =>
    of({ kind: 'refused', message: 'by the writer' }),
  );
  return { stage, out: out.pipe(map(({ outcome, kind }) => `${outcome.kind} ${kind ?? 'nothing'}`)) };
};

const running = runningFacts({ record: record({ live: live() }) });
const off = stoppedFacts();

describe('startLive', () => {
  test('reads the VMI from the server, then patches the VM', () => {
    marbles((helpers) => {
      const answers = {
        [look]: helpers.cold('--(a|)', { a: rawVmi('web-1') }),
        [toTarget]: answer(helpers, '---(a|)'),
      };
      const { stage, out } = run(helpers, { kind: 'startLive' }, running, answers);
      helpers.expectObservable(stage.sent).toBe('L-S', { L: look, S: toTarget });
      helpers.expectObservable(out).toBe('-----(d|)', { d: 'done virtualMachines' });
    });
  });

  test.each<[string, VmiLetter]>([
    ['has ended', { phase: 'Succeeded' }],
    ['does not run yet', { phase: 'Scheduled' }],
    ['is being deleted', { deleting: true }],
    ['is another one', { uid: 'vmi-other' }],
  ])('patches nothing when the VMI %s', (_what, letter) => {
    marbles((helpers) => {
      const { stage, out } = run(helpers, { kind: 'startLive' }, running, { [look]: of(rawVmi('web-1', letter)) });
      helpers.expectObservable(stage.sent).toBe('L', { L: look });
      helpers.expectObservable(out).toBe('(c|)', { c: 'conflict virtualMachines' });
    });
  });

  test.each([
    ['is gone', notFound, 'conflict'],
    ['is not told', unanswered, 'refused'],
  ])('patches nothing when the VMI %s', (_what, failure, outcome) => {
    marbles((helpers) => {
      const answers = { [look]: throwError(() => failure) };
      const { stage, out } = run(helpers, { kind: 'startLive' }, running, answers);
      helpers.expectObservable(stage.sent).toBe('L', { L: look });
      helpers.expectObservable(out).toBe('(c|)', { c: `${outcome} virtualMachines` });
    });
  });
});

describe('cutOver', () => {
  test.each<[string, Observable<unknown>]>([
    ['there is no VMI', throwError(() => notFound)],
    ['the VMI has ended and stays', of(rawVmi('web-1', { phase: 'Succeeded' }))],
  ])('patches the VM when %s', (_what, answered) => {
    marbles((helpers) => {
      const { stage, out } = run(helpers, { kind: 'cutOver' }, off, { [look]: answered });
      helpers.expectObservable(stage.sent).toBe('(LS)', { L: look, S: toTarget });
      helpers.expectObservable(out).toBe('(d|)', { d: 'done virtualMachines' });
    });
  });

  test.each<[string, VmiLetter]>([
    ['runs', {}],
    ['is on its way', { phase: 'Pending' }],
    ['has ended and is about to be replaced', { phase: 'Failed', deleting: true }],
  ])('patches nothing when a VMI %s', (_what, letter) => {
    marbles((helpers) => {
      const { stage, out } = run(helpers, { kind: 'cutOver' }, off, { [look]: of(rawVmi('web-1', letter)) });
      helpers.expectObservable(stage.sent).toBe('L', { L: look });
      helpers.expectObservable(out).toBe('(c|)', { c: 'conflict virtualMachines' });
    });
  });
});

describe('revert and repair', () => {
  test.each<[string, Command, string]>([
    ['revert', { kind: 'revert', cause: 'stopped' }, 'patch web-1: web-1-root'],
    ['repair', { kind: 'repair' }, 'patch web-1: web-1-root-fast, Replacement'],
  ])('%s reads nothing first: it is one guarded patch, whatever becomes of it', (_name, command, sentence) => {
    marbles((helpers) => {
      const from = runningFacts({ machine: vm({ on: command.kind === 'revert' ? 'target' : 'source' }) });
      const { stage, out } = run(helpers, command, from, { [sentence]: answer(helpers, '--#', '', conflict) });
      helpers.expectObservable(stage.sent).toBe('P', { P: sentence });
      helpers.expectObservable(out).toBe('--(c|)', { c: 'conflict virtualMachines' });
    });
  });
});

describe('claims', () => {
  test('createClaim makes the target, and one whose source is gone is not made', () => {
    marbles((helpers) => {
      const command: Command = { kind: 'createClaim', disk, target: { claimName: disk.target } };
      const { stage, out } = run(helpers, command, running);
      helpers.expectObservable(stage.sent).toBe('C', { C: 'create web-1-root-fast' });
      helpers.expectObservable(out).toBe('(d|)', { d: 'done claims' });
      const gone = run(helpers, command, runningFacts({ claims: { [disk.source]: undefined } }));
      helpers.expectObservable(gone.stage.sent).toBe('-');
      helpers.expectObservable(gone.out).toBe('(c|)', { c: 'conflict nothing' });
    });
  });

  test('deleteSource takes exactly the claim that it was decided for', () => {
    marbles((helpers) => {
      const { stage, out } = run(helpers, { kind: 'deleteSource', disk }, running);
      helpers.expectObservable(stage.sent).toBe('D', { D: 'delete web-1-root' });
      helpers.expectObservable(out).toBe('(d|)', { d: 'done claims' });
      helpers.flush();
      expect(stage.requests).toMatchObject([{ resource: { kind: 'PersistentVolumeClaim' }, uid: 'uid-web-1-root' }]);
    });
  });

  test('deleteSource deletes the DataVolume that would make the claim again', () => {
    marbles((helpers) => {
      const owned = claim(disk.source, { dataVolume: { name: 'web-1-root', uid: 'uid-dv' } });
      const from = runningFacts({ claims: { [disk.source]: owned } });
      const { stage, out } = run(helpers, { kind: 'deleteSource', disk }, from);
      helpers.expectObservable(out).toBe('(d|)', { d: 'done claims' });
      helpers.flush();
      expect(stage.requests).toMatchObject([{ resource: { kind: 'DataVolume' }, uid: 'uid-dv' }]);
    });
  });

  test('deleteSource has nothing to do when the claim is gone', () => {
    marbles((helpers) => {
      const from = runningFacts({ claims: { [disk.source]: undefined } });
      const { stage, out } = run(helpers, { kind: 'deleteSource', disk }, from);
      helpers.expectObservable(stage.sent).toBe('-');
      helpers.expectObservable(out).toBe('(d|)', { d: 'done claims' });
    });
  });
});

describe('any command', () => {
  test('a record is the writer of the migration to write, and nobody else remembers it', () => {
    marbles((helpers) => {
      const { stage, out } = run(helpers, { kind: 'record', why: 'liveBegins', record: record() }, running);
      helpers.expectObservable(stage.sent).toBe('-');
      helpers.expectObservable(out).toBe('(r|)', { r: 'refused nothing' });
    });
  });

  test('sends nothing for a VM that is gone', () => {
    marbles((helpers) => {
      const { stage, out } = run(
        helpers,
        { kind: 'revert', cause: 'stopped' },
        facts({ machine: undefined, record: record() }),
      );
      helpers.expectObservable(stage.sent).toBe('-');
      helpers.expectObservable(out).toBe('(c|)', { c: 'conflict nothing' });
    });
  });
});
