// The one writer of a StorageMigration: records at once, status for people now and then, conflicts read again. The
// server here is one object that really takes the patches, with their tests.
import { defer, EMPTY, map, Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { keyText } from '../../../src/core/reading.ts';
import type { MigrationRecord } from '../../../src/core/storageMigration.ts';
import { migrationLoop, type RecordRequest } from '../../../src/effects/migrationLoop.ts';
import type { KubeObject } from '../../../src/kube/api.ts';
import { projectStorageMigration } from '../../../src/kube/project.ts';
import { jsonPatch } from '../../../src/sim/apiServer/jsonPatch.ts';
import { facts, record, runningFacts, settings, stoppedFacts, vm, vmi } from '../../core/builders.ts';
import { kept, migration } from '../cast.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';
import { answer, conflict, effectStage, keyOf, type Scene, told, unanswered } from './effectStage.ts';

const accepted = record();
const moved = record({ seenOnTarget: true });
const tidied = record({ seenOnTarget: true, sourcesDeleted: true });

const scenes: Readonly<Record<string, Scene>> = {
  /** The machine runs: people read that it is moved live. */
  r: { facts: { 'web-1': runningFacts() } },
  /** The machine is off: people read that it is moved offline. */
  o: { facts: { 'web-1': stoppedFacts() } },
  /** The migration is new: not held by our finalizer, the machine not accepted. */
  n: {
    facts: { 'web-1': facts({ machine: vm(), instance: vmi(), settings: settings(), migration: { finalizers: [] } }) },
  },
  /** The migration is gone. */
  g: { facts: { 'web-1': undefined } },
};

/** Letters of requests: what is to be written over what. */
const letters: Readonly<Record<string, readonly [before: MigrationRecord | undefined, after: MigrationRecord]>> = {
  a: [accepted, moved],
  b: [moved, tidied],
  x: [tidied, moved],
};

const words = { P: 'status of move', F: 'finalizers of move', G: 'get StorageMigration move' };
const outcomes = { d: 'done', c: 'conflict', u: 'unknown' };
const writes = { s: 'status done', c: 'status conflict', u: 'status unknown', f: 'addFinalizer done' };

interface Lines {
  readonly wakes: string;
  readonly requests?: string;
  /** How answers to patches come. */
  readonly patch?: string;
  readonly object?: KubeObject;
}

const loop = (helpers: MarbleHelpers, lines: Lines, options: Parameters<typeof effectStage>[1] = {}) => {
  let object = lines.object ?? migration(['web-1'], { records: { 'web-1': accepted } });
  const timing = helpers.cold(lines.patch ?? '-(a|)', { a: '' });
  const patched = defer(() => timing).pipe(
    map(() => {
      const request = stage.requests.findLast(({ verb }) => verb === 'patch');
      if (request?.verb !== 'patch') throw new Error('Nothing was sent.');
      const { metadata, ...rest } = jsonPatch(object, request.operations) as KubeObject;
      object = {
        ...rest,
        metadata: { ...metadata, resourceVersion: String(Number(metadata.resourceVersion) + 1) },
      } as KubeObject;
      return object;
    }),
  );
  const stage = effectStage(helpers, {
    ...options,
    answers: { [words.P]: patched, [words.F]: patched, [words.G]: defer(() => [object]), ...options.answers },
  });
  const answers = new Subject<string>();
  const requests = helpers.hot<(typeof letters)[string]>(lines.requests ?? '|', letters).pipe(
    map(([before, after]): RecordRequest => {
      const answered = ({ kind }: { kind: string }): void => answers.next(kind);
      return { key: keyOf('web-1'), before, after, answer: answered };
    }),
  );
  const wakes = stage.migrationWakes(helpers.hot<Scene>(lines.wakes, scenes));
  return {
    stage,
    timing,
    answers: answers.asObservable(),
    out: migrationLoop(wakes, requests, stage.deps).pipe(map(told)),
    object: () => kept(projectStorageMigration, object),
  };
};

/** Whether something may be started for the machine now. */
const clearance = ({ deps }: ReturnType<typeof effectStage>) =>
  deps.ownWrites.clearanceOf([keyText(keyOf('web-1'))], deps.reading);

describe('migrationLoop', () => {
  test('writes what people read once, and nothing when nothing has changed', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, { wakes: '--r-----r---r---|' });
      helpers.expectObservable(stage.sent).toBe('    --P', words);
      helpers.expectObservable(out).toBe('           ---s------------|', writes);
    });
  });

  test('writes for people a while after the first change, and then the newest', () => {
    marbles((helpers) => {
      const { stage, out, object } = loop(helpers, { wakes: '--r--o--r--o---------------|' });
      helpers.expectObservable(stage.sent).toBe('    --P----------------------P', words);
      helpers.expectObservable(out).toBe('           ---s----------------------s|', writes);
      helpers.flush();
      expect(object().status?.mode).toBe('Offline');
    });
  });

  test('writes a record at once, however soon after the last write, and answers when the server has it', () => {
    marbles((helpers) => {
      const { stage, out, answers, object } = loop(helpers, {
        wakes: '   --r-------------|',
        requests: '----a-----------|',
        patch: '   -(a|)',
      });
      helpers.expectObservable(stage.sent).toBe('--P-P', words);
      helpers.expectObservable(answers).toBe('   -----d', outcomes);
      helpers.expectObservable(out).toBe('       ---s-s----------|', writes);
      helpers.flush();
      expect(object().status?.virtualMachines?.[0]?.record).toStrictEqual(moved);
    });
  });

  test('does not cut off the write under way, and takes the records that wait into the next if they fit', () => {
    marbles((helpers) => {
      const { stage, timing, answers, out } = loop(helpers, {
        wakes: '   --r-----------------|',
        requests: '---a-x--------------|',
        patch: '   ------(a|)',
      });
      helpers.expectObservable(stage.sent).toBe('--P-----P', words);
      helpers.expectObservable(answers).toBe('   --------c-----d', outcomes);
      helpers.expectObservable(out).toBe('       --------s-----s-----|', writes);
      helpers.expectSubscriptions(timing.subscriptions).toBe(['--^-----!', '--------^-----!']);
    });
  });

  test('writes one record over the other as they follow each other', () => {
    marbles((helpers) => {
      const { answers, out, object } = loop(helpers, {
        wakes: '   --r---------|',
        requests: '---a---b----|',
      });
      helpers.expectObservable(answers).toBe('   ----d---d', outcomes);
      helpers.expectObservable(out).toBe('       ---ss---s---|', writes);
      helpers.flush();
      expect(object().status?.virtualMachines?.[0]?.record).toStrictEqual(tidied);
    });
  });

  test('does not write a record that was decided from another than there is', () => {
    marbles((helpers) => {
      const { stage, answers, out, object } = loop(helpers, {
        wakes: '   --r-----------|',
        requests: '-----x--------|',
      });
      helpers.expectObservable(stage.sent).toBe('--P', words);
      helpers.expectObservable(answers).toBe('   -----c', outcomes);
      helpers.expectObservable(out).toBe('       ---s----------|', writes);
      helpers.flush();
      expect(object().status?.virtualMachines?.[0]?.record).toStrictEqual(accepted);
    });
  });

  test('reads the object again after a conflict, answers so, and goes on from what it read', () => {
    marbles((helpers) => {
      const elsewhere = migration(['web-1'], { version: '140', records: { 'web-1': accepted } });
      const { stage, answers, out, object } = loop(helpers, {
        wakes: '   --r-----------|',
        requests: '----------a---|',
        object: elsewhere,
      });
      helpers.expectObservable(stage.sent).toBe('--PG------P', words);
      helpers.expectObservable(answers).toBe('   -----------d', outcomes);
      helpers.expectObservable(out).toBe('       ---c-------s--|', writes);
      helpers.flush();
      expect(object().resourceVersion).toBe('141');
    });
  });

  test('holds a new migration before it accepts its machines', () => {
    marbles((helpers) => {
      const { stage, out, object } = loop(helpers, {
        wakes: ' --n---n-----|',
        object: migration(['web-1'], { finalizers: [] }),
      });
      helpers.expectObservable(stage.sent).toBe('--F---P', words);
      helpers.expectObservable(out).toBe('       ---f---s----|', writes);
      helpers.flush();
      expect(object().finalizers).toStrictEqual(['transship.dev/cancel']);
      expect(object().status?.virtualMachines?.[0]?.record?.vmUid).toBe('uid-web-1');
    });
  });

  test('lets nothing be started for a machine until its record is seen', () => {
    marbles((helpers) => {
      const { stage, answers, out } = loop(helpers, {
        wakes: '   r---|',
        requests: '--a-|',
      });
      helpers.expectObservable(answers).toBe('   ---d', outcomes);
      helpers.expectObservable(out).toBe('       -s-s|', writes);
      helpers.flush();
      expect(clearance(stage)).toMatchObject({ kind: 'wait', for: 'our last write to be seen' });
      stage.set({ seen: { storageMigrations: '102' } });
      expect(clearance(stage)).toStrictEqual({ kind: 'clear' });
    });
  });

  test('lets nothing be started for a machine while a record without an answer may still land', () => {
    marbles((helpers) => {
      const silent = answer(helpers, '-#', '', unanswered);
      const lines = { wakes: '           r----|', requests: '--a--|' };
      const { answers, out, stage } = loop(helpers, lines, { answers: { [words.P]: silent }, lateWriteMs: 20 });
      helpers.expectObservable(answers).toBe('   ---u', outcomes);
      helpers.expectObservable(out).toBe('       -u-u-|', writes);
      helpers.flush();
      expect(clearance(stage)).toMatchObject({ kind: 'wait', checkAgainMs: 18 });
    });
  });

  test('answers that it does not see a migration that is gone', () => {
    marbles((helpers) => {
      const { stage, answers, out } = loop(helpers, { wakes: '--r--g------|', requests: '-------a----|' });
      helpers.expectObservable(stage.sent).toBe('             --P', words);
      helpers.expectObservable(answers).toBe('                -------c', outcomes);
      helpers.expectObservable(out).toBe('                    ---s--------|', writes);
    });
  });

  test('completes when wake-ups and requests have, and the write under way has ended', () => {
    marbles((helpers) => {
      const { out, timing } = loop(helpers, { wakes: '--r-|', requests: '---|', patch: '------(a|)' });
      helpers.expectObservable(out).toBe('            --------(s|)', writes);
      helpers.expectSubscriptions(timing.subscriptions).toBe('--^-----!');
    });
  });

  test('waits longer after each write that was not done', () => {
    marbles((helpers) => {
      const refusing = answer(helpers, '-#', '', conflict);
      const options = { answers: { [words.P]: refusing }, limits: { statusMs: 0 } };
      const { stage, out } = loop(helpers, { wakes: '--r-----------------------|' }, options);
      helpers.expectObservable(stage.sent).toBe('    --PG---PG-------PG', words);
      helpers.expectObservable(out).toBe('           ---c----c--------c--------|', writes);
    });
  });

  test('begins its waits anew after a write that was done', () => {
    marbles((helpers) => {
      const no = answer(helpers, '-#', '', conflict);
      const yes = helpers.cold('-(a|)', {
        a: migration(['web-1'], { records: { 'web-1': accepted }, version: '101' }),
      });
      const answers = [no, no, yes, no, no];
      const { stage, out } = loop(
        helpers,
        { wakes: '--r---------------------r--------|' },
        { answers: { [words.P]: defer(() => answers.shift() ?? EMPTY) }, limits: { statusMs: 0 } },
      );
      helpers.expectObservable(stage.sent).toBe('    --PG---PG-------P-------PG---PG', words);
      helpers.expectObservable(out).toBe('           ---c----c--------s-------c----c--|', writes);
    });
  });
});
