import { describe, expect, test } from 'vitest';
import { type CopyResult, copyResultOf } from '../../src/core/copyResult.ts';
import type { Pod } from '../../src/core/objects.ts';
import { brokenEnd, client, wholeEnd } from './builders.ts';

const end = (fields: object): Pick<Pod, 'ended' | 'phase'> => ({
  phase: 'Succeeded',
  ended: {
    exitCode: 0,
    message: JSON.stringify({ t: 'end', rc: 0, files: 1, literal: 1000, matched: 0, size: 1000, ...fields }),
  },
});
const judged = (fields: Partial<Pod>): CopyResult => copyResultOf(client('web-1', fields));

describe('copyResultOf', () => {
  test.each<[string, Partial<Pod>]>([
    ['all sent', end({})],
    ['all matched', end({ literal: 0, matched: 1000 })],
    ['part sent, part matched', { phase: 'Succeeded', ended: wholeEnd }],
    ['the pod failed after its container had ended well', { phase: 'Failed', ended: wholeEnd }],
    ['the pod is being deleted', { ...end({}), deleting: true }],
  ])('whole: %s', (_, fields) => {
    expect(judged(fields)).toStrictEqual({ kind: 'whole' });
  });

  test.each(['Pending', 'Running', 'Unknown'] as const)(
    'a pod in phase %s is running, whatever its container says',
    (phase) => {
      expect(judged({ phase, ended: wholeEnd })).toStrictEqual({ kind: 'running' });
    },
  );

  test.each<[string, Partial<Pod>, string]>([
    ['a disk that was skipped, nothing sent', end({ files: 0, literal: 0 }), 'transferred 0 files, expected 1'],
    ['two files', end({ files: 2 }), 'transferred 2 files, expected 1'],
    ['the device node was replaced: less than the device', end({ literal: 40 }), 'covered 40 of 1000 bytes'],
    ['more than the source', end({ literal: 1001 }), 'covered 1001 of 1000 bytes'],
    ['matched is missing', end({ matched: undefined }), 'covered NaN of 1000 bytes'],
    ['size is missing', end({ size: undefined }), 'covered 1000 of NaN bytes'],
    ['files is missing', end({ files: undefined }), 'transferred NaN files'],
    ['numbers as text', end({ files: '1', literal: '1000' }), 'transferred NaN files'],
    ['a disk of no bytes', end({ literal: 0, size: 0 }), 'covered 0 of 0 bytes'],
    ['no end record', { phase: 'Succeeded', ended: { exitCode: 0, message: '' } }, 'left no end record'],
    [
      'an end record that is cut off',
      { phase: 'Succeeded', ended: { exitCode: 0, message: '{"files":1,"lit' } },
      'left no end record',
    ],
    [
      'an end record that is no object',
      { phase: 'Succeeded', ended: { exitCode: 0, message: 'null' } },
      'left no end record',
    ],
    [
      'a list for an end record',
      { phase: 'Succeeded', ended: { exitCode: 0, message: '[1]' } },
      'transferred NaN files',
    ],
    ['code 10 with its error', { phase: 'Failed', ended: brokenEnd }, 'rsync ended with code 10: refused'],
    [
      'code 11 although the numbers agree',
      { phase: 'Failed', ended: { exitCode: 11, message: wholeEnd.message } },
      'rsync ended with code 11',
    ],
    [
      'code 137 without a word',
      { phase: 'Failed', ended: { exitCode: 137, message: '' } },
      'rsync ended with code 137',
    ],
    [
      'code 1 with text that is no record',
      { phase: 'Failed', ended: { exitCode: 1, message: 'usage: rsync' } },
      'code 1: usage: rsync',
    ],
    ['code 1 and a number for a record', { phase: 'Failed', ended: { exitCode: 1, message: '7' } }, 'code 1: 7'],
    ['no container status', { phase: 'Failed', ended: undefined }, 'ended without saying how'],
    [
      'evicted',
      { phase: 'Failed', ended: undefined, trouble: 'Evicted: node is low on memory' },
      'Evicted: node is low on memory',
    ],
    [
      'phase Succeeded without a container status',
      { phase: 'Succeeded', ended: undefined },
      'ended without saying how',
    ],
  ])('failed: %s', (_, fields, message) => {
    expect(judged(fields)).toStrictEqual({ kind: 'failed', message: expect.stringContaining(message) });
  });

  test('what is said of a failure stays short', () => {
    const result = judged({ phase: 'Failed', ended: { exitCode: 1, message: 'x'.repeat(4096) } });
    expect(result.kind === 'failed' && result.message.length).toBeLessThan(400);
  });
});
