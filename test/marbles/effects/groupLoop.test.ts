// The copy pods of a migration: each deletion on its own, creations in one lane that looks at the server first.
import { filter, map, of, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { MachineFacts } from '../../../src/core/facts.ts';
import { groupLoop } from '../../../src/effects/groupLoop.ts';
import { KubeFailure } from '../../../src/kube/api.ts';
import {
  client,
  facts,
  offline,
  record,
  server,
  stoppedFacts,
  stoppedVm,
  vm,
  vmi,
  wanted,
} from '../../core/builders.ts';
import { offVm, vmi as rawVmi } from '../cast.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';
import { answer, conflict, effectStage, type Scene, told, unanswered } from './effectStage.ts';

const copyOf = (machine: string) => record({ machine, offline: offline({ startedAt: new Date(0).toISOString() }) });

/** web-1 is off, and its copy is to be made. */
const off = (further = {}): MachineFacts => stoppedFacts({ record: copyOf('web-1'), ...further });
/** web-1 has been started. */
const started: MachineFacts = facts({ record: copyOf('web-1'), machine: vm(), instance: vmi({ phase: 'Scheduling' }) });

/** Two machines are off, and both are to be copied. */
const twoOff = Object.fromEntries(
  ['web-1', 'db-1'].map((name) => [
    name,
    stoppedFacts({
      name,
      record: copyOf(name),
      machine: stoppedVm({ name }),
      migration: { spec: { virtualMachines: [wanted(name)] } },
    }),
  ]),
);

const its = server(['web-1']);
const copies = client('web-1');
const scenes: Readonly<Record<string, Scene>> = {
  /** Nothing exists. */
  n: { facts: { 'web-1': off() }, pods: [] },
  /** The server exists; its client does not. */
  s: { facts: { 'web-1': off() }, pods: [its], seen: { pods: '150' } },
  /** Both exist. */
  b: { facts: { 'web-1': off() }, pods: [its, copies] },
  /** Both exist, and the machine has been started. */
  u: { facts: { 'web-1': started }, pods: [its, copies] },
  /** Nothing exists, and the machine has been started. */
  v: { facts: { 'web-1': started }, pods: [] },
  /** The server waits for its keys. */
  k: { facts: { 'web-1': off() }, pods: [{ ...its, phase: 'Pending', address: '' }] },
  /** The client is gone. */
  w: { facts: { 'web-1': started }, pods: [its] },
  /** The migration is gone. */
  g: { facts: { 'web-1': undefined }, pods: [] },
};

const look = 'get VirtualMachine web-1';
const lookAtVmi = 'get VirtualMachineInstance web-1';
const makeServer = 'create copy-server-move: web-1-root-fast';
const makeClient = 'create copy-client-web-1-root: web-1-root';
const makeKeys = 'create copy-server-keys';
const words = {
  L: look,
  V: lookAtVmi,
  S: makeServer,
  C: makeClient,
  X: 'delete copy-client-web-1-root',
  Y: 'delete copy-server',
};

const noVmi = throwError(() => new KubeFailure('status', 'not found', { code: 404, reason: 'NotFound' }));
/** The server's VM is the one that was seen off. */
const seenOff = () => of(offVm('web-1', { version: '100' }));

const loop = (helpers: MarbleHelpers, line: string, options: Parameters<typeof effectStage>[1] = {}) => {
  const stage = effectStage(helpers, {
    ...options,
    answers: { [look]: seenOff(), [lookAtVmi]: noVmi, ...options.answers },
  });
  const wakes = stage.migrationWakes(helpers.hot<Scene>(line, scenes));
  return { stage, out: groupLoop(wakes, stage.deps).pipe(map(told)) };
};

describe('groupLoop', () => {
  test('deletes every pod that is not wanted in the frame of the cause, and with its uid', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--b---u-----|');
      helpers.expectObservable(stage.sent).toBe('    ------(XY)', words);
      helpers.expectObservable(out).toBe('           ------(dd)--|', { d: 'deletePod done' });
      helpers.flush();
      const uids = stage.requests.flatMap((request) => (request.verb === 'remove' ? [request.uid] : []));
      expect(uids).toStrictEqual([copies.uid, its.uid]);
    });
  });

  test('keeps no other pod alive because one deletion hangs', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '               ---------(a|)');
      const { stage, out } = loop(helpers, '--u---------|', { answers: { [words.X]: hanging } });
      helpers.expectObservable(stage.sent).toBe('    --(XY)', words);
      helpers.expectObservable(out).toBe('           --d--------d|', { d: 'deletePod done' });
      helpers.expectSubscriptions(hanging.subscriptions).toBe('--^--------!');
    });
  });

  test('asks once for a deletion that was accepted, however long the pod takes to go', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--u--u--u--w--|', { limits: { retryMs: 4 } });
      helpers.expectObservable(stage.sent).toBe('    --(XY)', words);
      helpers.expectObservable(out).toBe('           --(dd)--------|', { d: 'deletePod done' });
    });
  });

  test('asks again for a deletion that failed, although nothing happens', () => {
    marbles((helpers) => {
      const answers = { [words.Y]: answer(helpers, '-#', '', conflict) };
      const { stage, out } = loop(helpers, '--w---------|', { answers });
      helpers.expectObservable(stage.sent).toBe('    --Y---Y---Y', words);
      helpers.expectObservable(out).toBe('           ---c---c---c|', { c: 'deletePod conflict' });
    });
  });

  test('looks at VM and VMI on the server before it makes a pod', () => {
    marbles((helpers) => {
      const answers = { [makeServer]: answer(helpers, '-(a|)', '150'), [makeClient]: answer(helpers, '-(a|)', '160') };
      const { stage, out } = loop(helpers, '--n-----s-----|', { answers });
      helpers.expectObservable(stage.sent).toBe('    --(LVS)-(LVC)', words);
      helpers.expectObservable(out).toBe('           ---s-----c----|', {
        s: 'createServer done',
        c: 'createClient done',
      });
    });
  });

  test('makes no pod when the VM is no longer the one that was seen off', () => {
    marbles((helpers) => {
      const answers = { [look]: of(offVm('web-1', { version: '101' })) };
      const { stage, out } = loop(helpers, '--n--------------|', { answers });
      helpers.expectObservable(stage.sent).toBe('    --L---L-------L', words);
      helpers.expectObservable(out).toBe('           --c---c-------c--|', { c: 'createServer conflict' });
    });
  });

  test('makes no pod when there is a VMI of which the VM, written before it or not at all, does not tell', () => {
    marbles((helpers) => {
      const answers = { [lookAtVmi]: of(rawVmi('web-1', { phase: 'Scheduling' })) };
      const { stage, out } = loop(helpers, '--n------|', { answers, limits: { retryMs: 100 } });
      helpers.expectObservable(stage.sent).toBe('    --(LV)', words);
      helpers.expectObservable(out).toBe('           --c------|', { c: 'createServer conflict' });
    });
  });

  test('makes no pod that is not wanted any more when a slow answer comes, although it says that nothing has changed', () => {
    marbles((helpers) => {
      const slow = helpers.cold('               ---(a|)', { a: offVm('web-1', { version: '100' }) });
      const { stage, out } = loop(helpers, '--n-v---|', { answers: { [look]: slow } });
      helpers.expectObservable(stage.sent).toBe('    --L--V', words);
      helpers.expectObservable(out).toBe('           -----c--|', { c: 'createServer conflict' });
    });
  });

  test('makes the keys of a server that was made before this process began', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--k---|', { answers: { [makeKeys]: answer(helpers, '-(a|)', '170') } });
      helpers.expectObservable(stage.sent).toBe('    --K', { K: makeKeys });
      helpers.expectObservable(out).toBe('           ---k--|', { k: 'createKeys done' });
    });
  });

  test('makes nothing while the server that it made is unseen', () => {
    marbles((helpers) => {
      const answers = { [makeServer]: answer(helpers, '-(a|)', '150') };
      const { stage, out } = loop(helpers, '--n----n----n----|', { answers });
      helpers.expectObservable(stage.sent).toBe('    --(LVS)', words);
      helpers.expectObservable(out).toBe('           ---s-------------|', { s: 'createServer done' });
    });
  });

  test('makes nothing while a creation without an answer may still land, and needs no event to go on after it', () => {
    marbles((helpers) => {
      const answers = { [makeServer]: answer(helpers, '-#', '', unanswered) };
      const { stage, out } = loop(helpers, '--n----n-------------------|', { answers, lateWriteMs: 20 });
      helpers.expectObservable(stage.sent).toBe('    --(LVS)----------------(LVS)', words);
      helpers.expectObservable(out).toBe('           ---u--------------------u--|', { u: 'createServer unknown' });
    });
  });

  test('makes nothing during the start-up hold, and needs no event to begin after it', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--n---------------|', { holdUntilMs: 10 });
      helpers.expectObservable(stage.sent).toBe('    ----------(LVS)', words);
      helpers.expectObservable(out).toBe('           ----------s-------|', { s: 'createServer done' });
    });
  });

  test('does not cut a creation off when the machine is started, and does not let a deletion wait for it', () => {
    marbles((helpers) => {
      const hanging = answer(helpers, '               ---------(a|)', '160');
      const { stage, out } = loop(helpers, '--s----w-----|', { answers: { [makeClient]: hanging } });
      helpers.expectObservable(stage.sent).toBe('    --(LVC)Y', words);
      helpers.expectObservable(out).toBe('           -------d---c-|', {
        d: 'deletePod done',
        c: 'createClient done',
      });
      helpers.expectSubscriptions(hanging.subscriptions).toBe('--^--------!');
    });
  });

  test('makes no more pods at the same time than it may', () => {
    marbles((helpers) => {
      const otherClient = 'create copy-client-db-1-root: db-1-root';
      const answers = {
        [look]: seenOff(),
        [lookAtVmi]: noVmi,
        'get VirtualMachine db-1': of(offVm('db-1', { version: '100' })),
        'get VirtualMachineInstance db-1': noVmi,
        [makeClient]: answer(helpers, '---(a|)', '160'),
        [otherClient]: answer(helpers, '---(a|)', '161'),
      };
      const stage = effectStage(helpers, { answers, limits: { concurrentCreates: 1 } });
      const wakes = helpers.hot<Scene>('--b---------|', {
        b: { facts: twoOff, pods: [server(['web-1', 'db-1'])] },
      });
      const out = groupLoop(stage.migrationWakes(wakes), stage.deps);
      helpers
        .expectObservable(stage.sent.pipe(filter((sentence) => sentence.startsWith('create'))))
        .toBe('--C--D', { C: makeClient, D: otherClient });
      helpers.expectObservable(out.pipe(map(told))).toBe('       --------(cc)|', { c: 'createClient done' });
    });
  });

  test('ends with the migration, and with its wake-ups when the last write has ended', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--u---g-----------|', {
        answers: { [words.X]: answer(helpers, '-----#', '', conflict) },
      });
      helpers.expectObservable(stage.sent).toBe('    --(XY)', words);
      helpers.expectObservable(out).toBe('           --d----c----------|', {
        d: 'deletePod done',
        c: 'deletePod conflict',
      });
      const hanging = answer(helpers, '                ------(a|)');
      const ending = loop(helpers, '          --w-|', { answers: { [words.Y]: hanging } });
      helpers.expectObservable(ending.out).toBe('     --------(d|)', { d: 'deletePod done' });
      helpers.expectSubscriptions(hanging.subscriptions).toBe('--^-----!');
    });
  });

  test('decides nothing before every kind is listed', () => {
    marbles((helpers) => {
      const { stage, out } = loop(helpers, '--u---u----|', { synced: () => helpers.now() >= 5 });
      helpers.expectObservable(stage.sent).toBe('    ------(XY)', words);
      helpers.expectObservable(out).toBe('           ------(dd)-|', { d: 'deletePod done' });
    });
  });
});
