// The demo's table of results, and how it writes to a terminal and to a pipe.
import { describe, expect, test } from 'vitest';
import { withoutColour } from '../../src/sim/demo/paint.ts';
import type { Performed } from '../../src/sim/demo/performRow.ts';
import { type Output, screenOn } from '../../src/sim/demo/screen.ts';
import { tableOf, totalOf, wrapped } from '../../src/sim/demo/table.ts';
import { type Row, rows } from '../../src/sim/scenario/rows.ts';

const row: Row = {
  number: 4,
  title: 'one VM off',
  expected: 'a is cut over when its copy is whole',
  machines: [{ name: 'a', on: false }],
  moment: 'copy pods exist',
  changed: ['a'],
  chains: [['server created', 'a cut over']],
  never: ['a reverted'],
};

const result = (more: Partial<Performed> = {}): Performed => ({
  row,
  milestones: ['server created', 'VMI of a created', 'people start a', 'a cut over'].map((what, index) => ({
    atMs: index,
    what,
    machine: 'a',
  })),
  faults: [],
  tookMs: 3000,
  verifiedDisks: 2,
  lostDisks: 0,
  clusterMs: 12_340,
  ...more,
});

describe('the table', () => {
  test('has a row for each result: expectation, what was seen in order, disks, time, verdict', () => {
    const [headings, rule, ...lines] = tableOf([result()], withoutColour);
    expect(headings).toBe(
      '#   expected                          seen, in this order                 disks     time    verdict',
    );
    expect(rule).toMatch(/^─{99}$/);
    expect(lines).toEqual([
      '4   one VM off:                       server created, people start a, a   2 whole   12.3s   passed',
      '    a is cut over when its copy is    cut over',
      '    whole',
      rule,
    ]);
  });

  test('names every fault of a row that failed, and how many disks lost something', () => {
    const lines = tableOf([result({ faults: ['"a reverted" must not happen', 'late'], lostDisks: 1 })], withoutColour);
    expect(lines[2]).toMatch(/1 LOST +12\.3s +FAILED$/);
    expect(lines.slice(-3, -1)).toEqual(['    "a reverted" must not happen', '    late']);
  });

  test('fits into a terminal with every row there is', () => {
    const results = rows.map((each) =>
      result({ row: each, milestones: each.chains.flat().map((what) => ({ atMs: 0, what, machine: 'a' })) }),
    );
    for (const line of tableOf(results, withoutColour)) expect(line.length).toBeLessThanOrEqual(99);
  });

  test('counts what passed and what failed', () => {
    expect(totalOf([result(), result(), result({ faults: ['late'] })])).toBe('2 passed, 1 failed');
    expect(totalOf([result()])).toBe('1 passed, 0 failed');
  });

  test.each([
    ['a b c', 3, ['a b', 'c']],
    ['abcdef g', 3, ['abcdef', 'g']],
    ['abc', 3, ['abc']],
    ['', 3, ['']],
  ])('%j is broken at %i', (text, width, lines) => {
    expect(wrapped(text, width)).toEqual(lines);
  });
});

describe('the screen', () => {
  const outputOf = (about: Omit<Output, 'write'>) => {
    const written: string[] = [];
    return { written, screen: screenOn({ ...about, write: (text) => written.push(text) }) };
  };
  const up2 = '\u001b[2A';
  const wipe = '\u001b[K';
  const below = '\u001b[J';

  test('writes into a pipe only what stays, and plainly', () => {
    const { written, screen } = outputOf({});
    screen.show(['lane']);
    screen.print(['lane', 'end']);
    expect(written.join('')).toBe('lane\nend\n');
    expect(screen.width()).toBe(100);
  });

  test('draws on a terminal over what it showed before, and wipes the rest', () => {
    const { written, screen } = outputOf({ isTTY: true, columns: 80, rows: 24 });
    screen.print(['first']);
    screen.show(['a', 'b']);
    screen.show(['c']);
    screen.print(['end']);
    screen.print(['more']);
    expect(written).toEqual([
      'first\n',
      'a\nb\n',
      `${up2}c${wipe}\n${below}`,
      `\u001b[1Aend${wipe}\n${below}`,
      'more\n',
    ]);
    expect(screen.width()).toBe(79);
  });

  test('shows nothing that would not fit, for it could not be drawn over', () => {
    const low = outputOf({ isTTY: true, columns: 80, rows: 3 });
    low.screen.show(['a', 'b', 'c']);
    expect(low.written).toEqual([]);
    low.screen.show(['a', 'b']);
    expect(low.written).toEqual(['a\nb\n']);
    const narrow = outputOf({ isTTY: true, columns: 40, rows: 24 });
    narrow.screen.show(['a']);
    expect(narrow.written).toEqual([]);
  });
});
