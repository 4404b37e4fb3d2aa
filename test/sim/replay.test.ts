// The recordings of the real KubeVirt, played through the real streams and the real core as they are and perturbed: the
// same end each time, and never a decision that a law forbids. Without the recordings nothing would be proved, so their
// absence is a failure. They lie beside the repository, or where TRANSSHIP_TRACES says.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import { act, needsAttention } from '../../src/core/decision.ts';
import {
  asRecorded,
  cutAt,
  delayed,
  duplicated,
  momentsOf,
  perturbationsOf,
  restartedAt,
} from '../../src/sim/replay/perturbations.ts';
import { type Replayed, replay } from '../../src/sim/replay/replay.ts';
import { decisionText } from '../../src/sim/replay/report.ts';
import type { Told } from '../../src/sim/replay/session.ts';
import { readTape, type Tape } from '../../src/sim/replay/tape.ts';
import { exitCodeOf, verdictOn } from '../../src/sim/replay/verdict.ts';
import { acts, recordingOf } from './scenes.ts';

const folder = resolve(process.env['TRANSSHIP_TRACES'] ?? join(import.meta.dirname, '../../../shared/kubevirt-traces'));
const recordings = ['1', '2'].flatMap((part) =>
  existsSync(join(folder, part))
    ? readdirSync(join(folder, part))
        .filter((name) => name.endsWith('.jsonl'))
        .map((name) => ({ part, name: name.replace(/\.jsonl$/, '') }))
    : [],
);
const tapeOf = (name: string, part = '1'): Tape => readTape(readFileSync(join(folder, part, `${name}.jsonl`), 'utf8'));

const isTold = (each: Replayed['told'][number]): each is Told => 'decision' in each;

/** What was decided about a machine, each thing once, but for what a script did before the daemon could. */
const decisionsOf = ({ told }: Replayed, machine: string): readonly string[] => {
  const texts = told.filter(isTold).flatMap((each) => {
    if (each.key.machine !== machine) return [];
    const isIdle = each.decision.commands.length === 0 && each.decision.attention === undefined;
    const words = decisionText({ decision: each.decision, group: [] });
    const group = each.group.map((command) => `${command.kind}`);
    return [...(isIdle || words === 'startLive' || words === 'record liveBegins' ? [] : [words]), ...group];
  });
  return texts.filter((text, index) => text !== texts[index - 1]);
};

const moved = ['record switchedOver', 'record completed'];
const takenBack = ['revert (stopped)', 'record endSeen', 'record liveEnded', 'record copyBegins', 'createServer'];

/** What an expert wants to be done about each machine (contract §4), and where it stands at the end. */
const wanted: Readonly<Record<string, Readonly<Record<string, { decisions?: readonly string[]; mode: string }>>>> = {
  'live-success': { 'vm-a': { decisions: moved, mode: 'done' } },
  'start-of-stopped-vm': { 'vm-a': { mode: 'live' } },
  'stop-mid-live': { 'vm-a': { decisions: ['revert (stopped)'], mode: 'offline' } },
  'stop-mid-live-with-revert': { 'vm-a': { decisions: takenBack, mode: 'offline' } },
  'cancel-mid-live-by-revert': { 'vm-a': { decisions: moved, mode: 'done' } },
  'failed-attempts-with-backoff': { 'vm-a': { decisions: moved, mode: 'done' } },
  'two-live-one-stopped': {
    'vm-a': { decisions: moved, mode: 'done' },
    'vm-b': { decisions: takenBack, mode: 'offline' },
  },
  'stop-before-target-launcher-runs': { 'vm-a': { decisions: takenBack, mode: 'offline' } },
};

/** Every eighth of `moments`. */
const someOf = (moments: readonly number[]): readonly number[] => moments.filter((_, index) => index % 8 === 1);

test('recordings of the real KubeVirt are there', () => {
  expect(recordings.length, `no recordings in ${folder}; set TRANSSHIP_TRACES to their folder`).toBeGreaterThan(0);
});

describe.for(recordings)('recording $part of $name', ({ part, name }) => {
  const tape = tapeOf(name, part);

  test('is answered with what an expert wants', () => {
    const played = replay(tape, asRecorded);
    expect(played.broken).toEqual([]);
    expect(played.ends.map(({ machine }) => machine)).toEqual(tape.machines.map((machine) => machine.name));
    for (const [machine, { decisions, mode }] of Object.entries(wanted[name] ?? {})) {
      if (decisions !== undefined) expect(decisionsOf(played, machine), machine).toEqual(decisions);
      expect(played.ends.find((end) => end.machine === machine)?.is['mode'], machine).toBe(mode);
    }
  });

  test('ends the same, and breaks no law, however its events arrive', () => {
    const moments = momentsOf(tape);
    const { broken, different, undecided, count } = verdictOn(tape, [
      ...perturbationsOf(tape),
      ...[11, 12, 13].map((seed) => delayed(seed, 500)),
      ...someOf(moments).map((ms) => cutAt([ms])),
    ]);
    expect(broken).toEqual([]);
    expect(different).toEqual([]);
    expect(undecided.length).toBeLessThan(count / 4);
  });
});

test('what a recording says of a VMI that ended unwatched is left to a person', () => {
  const tape = tapeOf('stop-mid-live');
  const gone = tape.lines.find(
    (line) => line.kind === 'event' && line.watch === 'virtualmachineinstances' && line.type === 'DELETED',
  );
  const { undecided, different } = verdictOn(tape, [
    cutAt([(gone?.at ?? 0) - 1], 400),
    restartedAt([(gone?.at ?? 0) + 100]),
    cutAt([(gone?.at ?? 0) + 1000], 400),
  ]);
  expect([undecided.length, different]).toEqual([2, []]);
});

describe('a daemon that decides wrongly is found out', () => {
  const stopped = (): Tape => tapeOf('stop-mid-live-with-revert');

  test('when it reverts nothing', () => {
    const verdict = verdictOn(stopped(), [duplicated], {
      decide: (facts, circumstances) => {
        const decision = decide(facts, circumstances);
        return decision.commands.some(({ kind }) => kind === 'revert') ? { ...decision, commands: [] } : decision;
      },
    });
    expect(verdict.broken.join('\n')).toMatch(/law 3, revert first: no revert is decided, although the VM is Halted/);
    expect(verdict.broken.join('\n')).toMatch(/law 9, ending never waits: .*revert was not decided within/);
    expect(exitCodeOf(verdict)).toBe(1);
  });

  test('when it reverts after the switch-over', () => {
    const { broken } = replay(tapeOf('live-success'), asRecorded, {
      decide: (facts, circumstances) =>
        facts.switchOver.kind === 'seen'
          ? act('Reverting', { kind: 'revert', cause: 'stopped' })
          : decide(facts, circumstances),
    });
    expect(broken.join('\n')).toMatch(
      /law 4, switch-over wins: revert is decided although the guest has switched over/,
    );
  });

  test('when it reverts for no reason', () => {
    const { broken } = replay(tapeOf('live-success'), asRecorded, {
      decide: (facts, circumstances) =>
        facts.unfinished.length > 0
          ? act('Reverting', { kind: 'revert', cause: 'stopped' })
          : decide(facts, circumstances),
    });
    expect(broken.join('\n')).toMatch(/law 3, revert first: a live migration is reverted although nothing is wrong/);
  });

  test('when it begins a live migration too early', () => {
    const { broken } = replay(tapeOf('start-of-stopped-vm'), asRecorded, {
      decide: (facts) => ({ ...act('CopyingLive', { kind: 'startLive' }), begins: facts.view.instance !== undefined }),
    });
    const all = broken.join('\n');
    expect(all).toMatch(/law 2, truth: a live migration is begun, and there is no VMI/);
    expect(all).toMatch(/law 2, truth: a live migration is begun while the VMI is Scheduling/);
    expect(all).toMatch(/law 8, recorded before the act: a live migration of this VMI is begun that is not on record/);
    expect(all).toMatch(/law 9, starting waits: something is begun \d+ ms after the machine changed/);
  });

  test('when it guesses although nobody saw how a VMI ended', () => {
    const tape = stopped();
    const gone = tape.lines.findLast((line) => line.kind === 'event' && line.watch === 'virtualmachineinstances');
    const { broken } = replay(tape, restartedAt([(gone?.at ?? 0) + 10]), {
      decide: (facts, circumstances) => {
        const { record } = facts;
        const decision = decide(facts, circumstances);
        // The record stays, and the new process knows nothing else of that VMI.
        const forgets = ['endSeen', 'liveEnded'];
        if (decision.commands.some((command) => command.kind === 'record' && forgets.includes(command.why))) {
          return needsAttention('Waiting', 'waits');
        }
        const isAsked = decision.attention?.reason === 'SwitchOverUnknown' && record !== undefined;
        return isAsked ? act('Reverting', { kind: 'revert', cause: 'stopped' }) : decision;
      },
    });
    expect(broken.join('\n')).toMatch(
      /law 7, stop and say so: revert is decided although nobody saw how the VMI ended/,
    );
  });

  test('when what it decides depends on how often it is asked', () => {
    let asked = 0;
    const verdict = verdictOn(stopped(), [duplicated, delayed(1), cutAt([4000])], {
      decide: () => {
        asked += 1;
        return act(asked % 3 === 0 ? 'Moved' : asked % 3 === 1 ? 'Waiting' : 'Failed');
      },
    });
    expect(verdict.different.join('\n')).toMatch(/vm-a: decision: /);
    expect(exitCodeOf(verdict)).toBe(1);
  });
});

const disks = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ claim: `${name}-src-${index}`, target: `${name}-dst-${index}` }));

describe('a recording of what was never recorded', () => {
  const { create, patch, stop, start, shutDown, crash, deleteVmi, hold } = acts;
  const web = (count = 1) => create(0, { name: 'web', disks: disks('web', count) });
  const cases: readonly (readonly [string, string, Readonly<Record<string, readonly string[]>>])[] = [
    [
      'two disks that move together',
      recordingOf([web(2), patch(3, 'web', ['web-dst-0', 'web-dst-1']), stop(20, 'web'), start(25, 'web')], 32),
      { web: moved },
    ],
    [
      'two VMs with two disks each, one of which is stopped',
      recordingOf(
        [
          web(2),
          create(1, { name: 'db', disks: disks('db', 2) }),
          hold(4, 'db'),
          patch(4, 'web', ['web-dst-0', 'web-dst-1']),
          patch(4, 'db', ['db-dst-0', 'db-dst-1']),
          stop(15, 'db'),
          patch(15.05, 'db', ['db-src-0', 'db-src-1'], 'revert volumes'),
        ],
        30,
      ),
      { web: moved, db: takenBack },
    ],
    [
      'a guest that shuts down in mid-copy, and nobody reverts',
      recordingOf([web(), hold(3, 'web'), patch(3, 'web', ['web-dst-0']), shutDown(12, 'web')], 22),
      { web: ['revert (stopped)', 'revert (restarted)', 'record endSeen', 'ask a person: BootedOnIncompleteTarget'] },
    ],
    [
      'a guest that crashes with RerunOnFailure',
      recordingOf(
        [
          create(0, { name: 'web', runStrategy: 'RerunOnFailure', disks: disks('web', 1) }),
          hold(5, 'web'),
          patch(5, 'web', ['web-dst-0']),
          crash(14, 'web'),
        ],
        24,
      ),
      { web: ['revert (stopped)', 'revert (restarted)', 'record endSeen', 'ask a person: BootedOnIncompleteTarget'] },
    ],
    [
      'a VMI that is deleted and reverted in time',
      recordingOf(
        [
          web(),
          hold(3, 'web'),
          patch(3, 'web', ['web-dst-0']),
          deleteVmi(12, 'web'),
          patch(12.1, 'web', ['web-src-0'], 'revert volumes'),
        ],
        24,
      ),
      { web: ['revert (stopped)', 'record endSeen', 'record liveEnded'] },
    ],
    [
      'a revert that lost against the switch-over',
      recordingOf([web(), patch(3, 'web', ['web-dst-0']), patch(8, 'web', ['web-src-0'], 'revert volumes')], 20),
      { web: ['record switchedOver', 'repair'] },
    ],
    [
      'a revert that comes when the guest was booted on B already',
      recordingOf(
        [
          web(),
          hold(3, 'web'),
          patch(3, 'web', ['web-dst-0']),
          shutDown(12, 'web'),
          patch(15, 'web', ['web-src-0'], 'revert volumes'),
        ],
        30,
      ),
      {},
    ],
    [
      'a cut-over of a VM that was still for long',
      recordingOf(
        [
          create(0, { name: 'web', runStrategy: 'Halted', disks: disks('web', 1) }),
          patch(10, 'web', ['web-dst-0'], 'guarded cut-over'),
          start(20, 'web'),
        ],
        30,
      ),
      { web: ['record copyBegins', 'createServer', 'cutOver', 'record completed', 'record seenOnTarget'] },
    ],
    [
      'one disk of two that somebody patches',
      recordingOf([web(2), patch(3, 'web', ['web-dst-0', 'web-src-1'], 'patch one disk of two')], 15),
      { web: ['revert (edited)'] },
    ],
  ];

  test.for(cases)('%s', ([, text, decisions]) => {
    const tape = readTape(text);
    const { played, broken, different } = verdictOn(tape);
    expect(broken).toEqual([]);
    expect(different).toEqual([]);
    for (const [machine, expected] of Object.entries(decisions)) expect(decisionsOf(played, machine)).toEqual(expected);
  });
});
