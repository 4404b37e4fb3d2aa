// How the demo draws: from pictures to a score, from a score to lines.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/api.ts';
import { diagramOf } from '../../src/sim/demo/diagram.ts';
import { cellsOf, legend } from '../../src/sim/demo/laneCells.ts';
import { type Paint, paintFor, withoutColour } from '../../src/sim/demo/paint.ts';
import { contentState, guestState, picturedPod } from '../../src/sim/demo/picture.ts';
import {
  emptyScore,
  type Lane,
  type Picture,
  type Score,
  type Sight,
  withNote,
  withPicture,
} from '../../src/sim/demo/score.ts';
import type { Cast } from '../../src/sim/scenario/milestones.ts';

type Pod = Picture['pods'][number];
type Machine = Picture['machines'][number];

const machine = (name: string, more: Partial<Machine> = {}): Machine => ({
  name,
  guest: 'off A',
  mode: 'hold',
  content: 'none',
  ...more,
});
const pod = (uid: string, role: Pod['role'], of: string | undefined, state: Pod['state']): Pod => ({
  uid,
  role,
  machine: of,
  state,
});

/** The score of pictures at their times. */
const scoreOf = (...pictures: readonly (readonly [number, Picture])[]): Score =>
  pictures.reduce((score, [atMs, picture]) => withPicture(score, atMs, picture), emptyScore);

const lanesOf = (score: Score) =>
  score.lanes.map(({ role, machine: of, slot, spans }) => [
    [role, of, slot].filter((part) => part !== undefined).join(' '),
    ...spans.map(({ fromMs, sight }) => `${fromMs} ${sight?.state ?? '-'}`),
  ]);

describe('a score', () => {
  test('tells what changed, and leaves out what did not', () => {
    const on: Picture = { machines: [machine('a', { guest: 'starting' })], pods: [] };
    const score = scoreOf([0, { machines: [machine('a')], pods: [] }], [100, on], [200, on]);
    expect(lanesOf(score)).toEqual([
      ['guest a 1', '0 off A', '100 starting'],
      ['mode a 1', '0 hold'],
      ['content a 1', '0 none'],
    ]);
    expect(score.untilMs).toBe(200);
  });

  test('gives pods that exist together lanes of their own, and reuses the lane of one that is gone', () => {
    const withPods = (...pods: readonly Pod[]): Picture => ({ machines: [], pods });
    const score = scoreOf(
      [0, withPods(pod('1', 'launcher', 'a', 'running'))],
      [10, withPods(pod('2', 'launcher', 'a', 'pending'), pod('1', 'launcher', 'a', 'running'))],
      [20, withPods(pod('2', 'launcher', 'a', 'running'))],
      [30, withPods(pod('3', 'launcher', 'a', 'pending'), pod('2', 'launcher', 'a', 'running'))],
    );
    expect(lanesOf(score)).toEqual([
      ['launcher a 1', '0 running', '20 -', '30 pending'],
      ['launcher a 2', '10 pending', '20 running'],
    ]);
  });

  test('has the lanes of each machine together, and the server last', () => {
    const score = scoreOf([
      0,
      {
        machines: [machine('a'), machine('b')],
        pods: [pod('1', 'server', undefined, 'pending'), pod('2', 'client', 'a', 'pending')],
      },
    ]);
    expect(score.lanes.map(({ role, machine: of }) => `${role} ${of ?? ''}`.trim())).toEqual([
      ...['guest a', 'mode a', 'content a', 'client a'],
      ...['guest b', 'mode b', 'content b', 'server'],
    ]);
  });
});

describe('the cells of a lane', () => {
  const columns = Array.from({ length: 12 }, (_, index) => ({ fromMs: index * 100, toMs: (index + 1) * 100 }));
  const drawn = (role: Lane['role'], spans: Lane['spans']): string =>
    cellsOf({ role, machine: 'a', slot: 1, spans }, columns)
      .map(({ glyph }) => glyph)
      .join('');
  const podIs = (state: Pod['state'], uid = '1'): Sight => ({ kind: 'pod', state, uid });

  test.each<readonly [string, Lane['role'], readonly (readonly [number, Sight | undefined])[], string]>([
    [
      'a label, as far as there is room, then what it means',
      'guest',
      [
        [0, { kind: 'guest', state: 'off A' }],
        [200, { kind: 'guest', state: 'starting' }],
        [400, { kind: 'guest', state: 'on A' }],
      ],
      '··▲▲on A ═══',
    ],
    [
      'modes by name',
      'mode',
      [
        [0, { kind: 'mode', state: 'offline' }],
        [900, { kind: 'mode', state: 'hold' }],
      ],
      'offline ─ho ',
    ],
    [
      'how full B is',
      'content',
      [
        [0, { kind: 'content', state: 'none' }],
        [100, { kind: 'content', state: 'little' }],
        [300, { kind: 'content', state: 'half' }],
        [500, { kind: 'content', state: 'most' }],
        [700, { kind: 'content', state: 'all' }],
      ],
      ' ░░▒▒▓▓█████',
    ],
    [
      'a pod that is told to end, and where it is gone',
      'client',
      [
        [200, podIs('pending')],
        [400, podIs('running')],
        [600, podIs('ending')],
        [810, undefined],
      ],
      '  ○○━━┄┄×   ',
    ],
    [
      'a pod that completed and went at once',
      'client',
      [
        [0, podIs('running')],
        [310, podIs('succeeded')],
        [320, podIs('ending')],
        [330, undefined],
      ],
      '━━━✓        ',
    ],
    [
      'a pod that completed earlier and went later',
      'launcher',
      [
        [0, podIs('succeeded')],
        [310, podIs('ending')],
        [510, undefined],
      ],
      '✓✓✓┄┄×      ',
    ],
    [
      'a pod that came and went within one column',
      'client',
      [
        [110, podIs('pending')],
        [120, undefined],
      ],
      ' ×          ',
    ],
    [
      'the next pod in the same lane',
      'server',
      [
        [0, podIs('ending')],
        [110, undefined],
        [200, podIs('pending', '2')],
      ],
      '┄×○○○○○○○○○○',
    ],
  ])('show %s', (_, role, spans, expected) => {
    expect(
      drawn(
        role,
        spans.map(([fromMs, sight]) => ({ fromMs, sight })),
      ),
    ).toBe(expected);
  });
});

describe('a diagram', () => {
  const plain = { width: 60, paint: withoutColour };

  const copied: Score = [
    { atMs: 600, what: 'server created' },
    { atMs: 610, what: 'client of a created' },
    { atMs: 2600, what: 'people start a' },
    { atMs: 2800, what: 'client of a deleted' },
  ].reduce<Score>(
    withNote,
    scoreOf(
      [0, { machines: [machine('a')], pods: [] }],
      [
        600,
        {
          machines: [machine('a', { mode: 'offline' })],
          pods: [pod('s', 'server', undefined, 'running'), pod('c', 'client', 'a', 'running')],
        },
      ],
      [
        2600,
        {
          machines: [machine('a', { guest: 'starting', mode: 'offline', content: 'half' })],
          pods: [pod('s', 'server', undefined, 'running'), pod('c', 'client', 'a', 'running')],
        },
      ],
      [
        2800,
        {
          machines: [machine('a', { guest: 'starting', content: 'half' })],
          pods: [pod('s', 'server', undefined, 'running')],
        },
      ],
      [3990, { machines: [machine('a', { guest: 'on A', content: 'half' })], pods: [] }],
    ),
  );

  test('has time, numbers, people and lanes in columns', () => {
    const { lanes, steps } = diagramOf(copied, plain);
    expect(lanes).toEqual([
      '                   0s      2s      4s      6s      8s',
      'step                 1       23',
      'people                       ▲ start a',
      'VM a               off A ····▲▲▲▲▲═',
      '  mode             ──offline ─hold',
      '  disk B                     ▒▒▒▒▒▒',
      '  copy client        ━━━━━━━━━×',
      'copy server          ━━━━━━━━━━━━━×',
    ]);
    expect(steps).toEqual([
      '  1   0.6s  server created, client of a created',
      '  2   2.6s  people start a',
      '  3   2.8s  client of a deleted',
    ]);
  });

  test('is drawn in wider slices of time rather than beyond the width', () => {
    for (const untilMs of [9_999, 10_000, 40_000, 600_000, 3_600_000, 100_000_000]) {
      const score = scoreOf([0, { machines: [machine('a')], pods: [] }], [untilMs, { machines: [], pods: [] }]);
      const widths = diagramOf(withNote(score, { atMs: untilMs, what: 'people stop a' }), plain).lanes.map(
        ({ length }) => length,
      );
      expect(Math.max(...widths)).toBeLessThanOrEqual(plain.width);
      expect(Math.max(...widths)).toBeGreaterThan(plain.width / 2);
    }
  });

  test('writes what people did before the mark where there is no room behind it', () => {
    const late = withNote({ ...copied, notes: [] }, { atMs: 9_900, what: 'people stop a' });
    const { lanes } = diagramOf(late, plain);
    expect(lanes[2]).toBe(`people${' '.repeat(60 - 2 - 'people'.length - 'stop a ▲'.length + 1)}stop a ▲`);
    expect(lanes[2]?.length).toBe(lanes[1]?.length ?? 0);
  });

  test('has two lines of numbers when there are more than nine steps', () => {
    const notes = Array.from({ length: 11 }, (_, index) => ({ atMs: index * 250, what: `${index}` }));
    const { lanes, steps } = diagramOf({ lanes: [], notes, untilMs: 2500 }, plain);
    expect(lanes.slice(1, 3)).toEqual([`${' '.repeat(28)}11`, `step${' '.repeat(15)}12345678901`]);
    expect(steps).toHaveLength(11);
  });

  test('breaks a step that is too long for a line', () => {
    const notes = ['client of a created', 'client of b created', 'server created'].map((what) => ({ atMs: 0, what }));
    expect(diagramOf({ lanes: [], notes, untilMs: 0 }, plain).steps).toEqual([
      '  1   0.0s  client of a created, client of b created,',
      '            server created',
    ]);
  });

  test('is the same text with colours', () => {
    const paint: Paint = paintFor({ isTTY: true }, {});
    const coloured = diagramOf(copied, { width: 60, paint });
    const bare = diagramOf(copied, plain);
    const both = (drawing: typeof bare) => [...drawing.lanes, ...drawing.steps];
    expect(both(coloured).map(stripVTControlCharacters)).toEqual(both(bare));
    expect(both(coloured)).not.toEqual(both(bare));
  });
});

test('there are colours on a terminal only, and not against NO_COLOR', () => {
  expect(paintFor({ isTTY: true }, { NO_COLOR: '' })('red', 'x')).not.toBe('x');
  expect(paintFor({ isTTY: true }, { NO_COLOR: '1' })('red', 'x')).toBe('x');
  expect(paintFor({ isTTY: false }, {})('red', 'x')).toBe('x');
  expect(paintFor({}, {})('red', 'x')).toBe('x');
});

test('the legend fits into a terminal and explains every sign', () => {
  const lines = legend(5, withoutColour);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(99);
  for (const sign of '·▲═▼░▒▓█○━┄✓✗×') expect(lines.join('')).toContain(sign);
});

describe('a picture', () => {
  const cast: Cast = {
    name: 'a',
    namespace: 'shop',
    disks: [
      { volume: 'one', source: 'one-old', target: 'one-new' },
      { volume: 'two', source: 'two-old', target: 'two-new' },
    ],
  };
  const object = (metadata: object, fields: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name: 'a', ...metadata },
    ...fields,
  });
  const vm = (...claims: readonly string[]): KubeObject => {
    const volumes = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
    return object({}, { spec: { template: { spec: { volumes } } } });
  };
  const vmi = (phase: string, metadata = {}): KubeObject => object(metadata, { status: { phase } });
  const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };

  test.each([
    ['off A', vm('one-old', 'two-old'), undefined, undefined],
    ['off A', vm('one-new', 'two-old'), undefined, undefined],
    ['off B', vm('one-new', 'two-new'), undefined, undefined],
    ['starting', vm('one-old', 'two-old'), vmi('Scheduling'), undefined],
    ['on A', vm('one-new', 'two-new'), vmi('Running'), ['one-old', 'two-old']],
    ['on B', vm('one-new', 'two-new'), vmi('Running'), ['one-new', 'two-new']],
    ['stopping', vm('one-old', 'two-old'), vmi('Running', deleting), ['one-old', 'two-old']],
    ['stopping', vm('one-old', 'two-old'), vmi('Succeeded'), undefined],
    ['stopping', vm('one-old', 'two-old'), vmi('Failed'), undefined],
  ])('has a guest %s', (state, machine, instance, runsOn) => {
    expect(guestState(cast, machine, instance, runsOn)).toBe(state);
  });

  test.each([
    [16, 'none'],
    [15, 'little'],
    [8, 'half'],
    [4, 'most'],
    [1, 'most'],
    [0, 'all'],
  ])('says of 16 blocks, of which %i are missing, that B has %s', (missing, state) => {
    expect(contentState(missing, 16)).toBe(state);
  });

  const client = { 'transship.dev/role': 'copy-client' };
  test.each([
    ['a server', { labels: { 'transship.dev/role': 'copy-server' } }, 'Pending', ['server', undefined, 'pending']],
    [
      'a client',
      { labels: client, annotations: { 'transship.dev/virtual-machine': 'a' } },
      'Running',
      ['client', 'a', 'running'],
    ],
    [
      'a client that was deleted',
      { labels: client, annotations: { 'transship.dev/virtual-machine': 'a' }, ...deleting },
      'Failed',
      ['client', 'a', 'ending'],
    ],
    [
      'a virt-launcher',
      { labels: { 'kubevirt.io': 'virt-launcher' }, annotations: { 'kubevirt.io/domain': 'a' } },
      'Succeeded',
      ['launcher', 'a', 'succeeded'],
    ],
    [
      "somebody else's virt-launcher",
      { labels: { 'kubevirt.io': 'virt-launcher' }, annotations: { 'kubevirt.io/domain': 'z' } },
      'Failed',
      ['launcher', undefined, 'failed'],
    ],
  ])('knows %s', (_, metadata, phase, [role, machine, state]) => {
    const found = picturedPod(object({ uid: '1', ...metadata }, { status: { phase } }), [cast]);
    expect(found).toEqual({ uid: '1', role, machine, state });
  });

  test('leaves out pods of no concern', () => {
    expect(picturedPod(object({ uid: '1' }, { status: { phase: 'Running' } }), [cast])).toBeUndefined();
  });
});
