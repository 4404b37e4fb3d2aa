// What a client pod says at its end, as text from the cluster: read strictly, or taken for no record at all.
import { describe, expect, test } from 'vitest';
import { copyProblems, copyStages, parseCopyEndRecord } from '../../src/core/copyEndRecord.ts';

const digest = `sha256:${'0a'.repeat(32)}`;
const whole = {
  stage: 'done',
  rc: 0,
  files: 1,
  literal: 600,
  matched: 400,
  size: 1000,
  problem: '',
  flushed: true,
  sourceDigest: digest,
  targetDigest: digest,
  wireBytes: 120,
  err: '',
};
const message = (fields: object): string => JSON.stringify({ t: 'end', ...whole, ...fields });

describe('parseCopyEndRecord', () => {
  test('reads every field, and leaves out what it does not know', () => {
    expect(parseCopyEndRecord(message({ more: 1 }))).toStrictEqual(whole);
  });

  test('reads every stage and every problem', () => {
    for (const stage of copyStages) expect(parseCopyEndRecord(message({ stage }))?.stage).toBe(stage);
    for (const problem of copyProblems) expect(parseCopyEndRecord(message({ problem }))?.problem).toBe(problem);
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['text', 'usage: rsync'],
    ['a record that is cut off', message({}).slice(0, -1)],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[]'],
    ['a line of the log', '{"t":"log","message":"begun"}'],
    ['an object of somebody else', '{"stage":"done","rc":0}'],
  ])('%s is no record', (_, text) => {
    expect(parseCopyEndRecord(text)).toBeUndefined();
  });

  test('the last record in the tail of a log counts', () => {
    const log = ['{"t":"log","mess', message({ rc: 1 }), message({ rc: 2 }), '{"t":"log","message":"ended"}', ''];
    expect(parseCopyEndRecord(log.join('\n'))?.rc).toBe(2);
  });

  test.each(['rc', 'files', 'literal', 'matched', 'size', 'wireBytes'] as const)(
    '%s is a number that can count something, or unknown',
    (field) => {
      for (const bad of [-1, '1', null, true, [1], {}]) {
        expect(parseCopyEndRecord(message({ [field]: bad }))?.[field], JSON.stringify(bad)).toBeUndefined();
      }
      expect(parseCopyEndRecord(message({}).replace(new RegExp(`"${field}":\\d+`), `"${field}":1e999`))?.[field]).toBe(
        undefined,
      );
      expect(parseCopyEndRecord(message({ [field]: 0 }))?.[field]).toBe(0);
    },
  );

  test.each<[keyof typeof whole, unknown]>([
    ['stage', 'nearly'],
    ['stage', 1],
    ['problem', 'Tired'],
    ['problem', undefined],
    ['problem', null],
    ['flushed', 'true'],
    ['flushed', 1],
    ['sourceDigest', 'sha256:0a'],
    ['targetDigest', `md5:${'0a'.repeat(32)}`],
    ['err', 7],
  ])('%s of %j is unknown, and neither well nor ill', (field, value) => {
    expect(parseCopyEndRecord(message({ [field]: value }))?.[field]).toBeUndefined();
  });
});
