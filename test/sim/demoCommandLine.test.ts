// What the demo is asked to do, from its arguments.
import { describe, expect, test } from 'vitest';
import { help, usualSpeed, wishOf } from '../../src/sim/demo/commandLine.ts';

const all = { kind: 'play', row: undefined, speed: usualSpeed, logFile: undefined, realCopies: false };
const serve = { kind: 'serve', logFile: undefined, realCopies: false };

describe('the arguments of the demo', () => {
  test.each([
    [[], all],
    [['--row', '4'], { ...all, row: 4 }],
    [['--row=9'], { ...all, row: 9 }],
    [['--speed', '10', '--log', 'demo.log'], { ...all, speed: 10, logFile: 'demo.log' }],
    [['--list'], { kind: 'list' }],
    [['--serve'], serve],
    [['--serve', '--log', 'x'], { ...serve, logFile: 'x' }],
    [['--real-copies', '--row', '4'], { ...all, row: 4, realCopies: true }],
    [['--serve', '--real-copies'], { ...serve, realCopies: true }],
    [['--help'], { kind: 'help' }],
    [['-h', '--row', '4'], { kind: 'help' }],
  ])('%j are understood', (args, wish) => {
    expect(wishOf(args)).toEqual(wish);
  });

  test.each([
    [['--rwo', '4'], '--rwo is not an option: did you mean --row?'],
    [['--colour'], '--colour is not an option'],
    [['-x'], '-x is not an option'],
    [['4'], '"4" is not an option'],
    [['--row'], '--row has no value'],
    [['--row', '--list'], '--row has no value'],
    [['--row', '0'], '"0" is not a row: give a number from 1 to 9'],
    [['--row', '10'], '"10" is not a row'],
    [['--row', '1.5'], '"1.5" is not a row'],
    [['--row', 'four'], '"four" is not a row'],
    [['--row', '1', '--row', '2'], '--row is given twice'],
    [['--speed', '0'], '"0" is not a whole number from 1 to 20'],
    [['--speed', '21'], '"21" is not a whole number'],
    [['--serve', '--row', '1'], '--row cannot be given with --serve'],
    [['--serve', '--speed', '2'], '--speed cannot be given with --serve'],
    [['--list=yes'], '--list takes no value'],
    [['--real-copies=no'], '--real-copies takes no value'],
    [['--real-copy'], '--real-copy is not an option: did you mean --real-copies?'],
  ])('%j are a mistake that is named', (args, message) => {
    expect(wishOf(args)).toEqual({ kind: 'mistake', message: expect.stringContaining(message) });
  });

  test('the help names every option', () => {
    const options = ['--row', '--list', '--serve', '--speed', '--real-copies', '--log', '--help'];
    for (const option of options) expect(help).toContain(option);
  });
});
