// What a client that has ended is believed: everything that is not proved to be a whole copy is a failure with a reason.
import { describe, expect, test } from 'vitest';
import { type CopyResult, copyResultOf } from '../../src/core/copyResult.ts';
import type { Pod } from '../../src/core/objects.ts';
import { brokenEnd, client, wholeEnd } from './builders.ts';

const proved = {
  t: 'end',
  stage: 'done',
  problem: '',
  rc: 0,
  files: 1,
  literal: 1000,
  matched: 0,
  size: 1000,
  flushed: true,
};
const ended = (exitCode: number, message: string): Pick<Pod, 'ended' | 'phase'> => ({
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  ended: { exitCode, message },
});
const end = (fields: object, exitCode = 0) => ended(exitCode, JSON.stringify({ ...proved, ...fields }));
const judged = (fields: Partial<Pod>, verify = false): CopyResult => copyResultOf(client('web-1', fields), verify);
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

describe('copyResultOf', () => {
  test.each<[string, Partial<Pod>]>([
    ['all sent', end({})],
    ['all matched', end({ literal: 0, matched: 1000 })],
    ['part sent, part matched', { phase: 'Succeeded', ended: wholeEnd }],
    ['the pod failed after its container had ended well', { phase: 'Failed', ended: wholeEnd }],
    ['the pod is being deleted', { ...end({}), deleting: true }],
    ['compared although nobody asked', end({ sourceDigest: digest('a'), targetDigest: digest('a') })],
  ])('whole: %s', (_, fields) => {
    expect(judged(fields)).toStrictEqual({ kind: 'whole' });
  });

  test.each(['Pending', 'Running', 'Unknown'] as const)(
    'a pod in phase %s is running, whatever its container says',
    (phase) => {
      expect(judged({ phase, ended: wholeEnd })).toStrictEqual({ kind: 'running' });
    },
  );

  test.each<[string, Partial<Pod>, string, string]>([
    [
      'a disk that was skipped, nothing sent',
      end({ files: 0, literal: 0 }),
      'NotWhole',
      'transferred 0 files, expected 1',
    ],
    ['two files', end({ files: 2 }), 'NotWhole', 'transferred 2 files, expected 1'],
    [
      'the device node was replaced: less than the device',
      end({ literal: 40 }),
      'NotWhole',
      'covered 40 of 1000 bytes',
    ],
    ['more than the source', end({ literal: 1001 }), 'NotWhole', 'covered 1001 of 1000 bytes'],
    ['matched is missing', end({ matched: undefined }), 'NotWhole', 'covered unknown of 1000 bytes'],
    ['size is missing', end({ size: undefined }), 'NotWhole', 'covered 1000 of unknown bytes'],
    ['files is missing', end({ files: undefined }), 'NotWhole', 'transferred unknown files'],
    ['numbers as text', end({ files: '1', literal: '1000' }), 'NotWhole', 'transferred unknown files'],
    ['a disk of no bytes', end({ literal: 0, size: 0 }), 'NotWhole', 'covered 0 of 0 bytes'],
    ['not flushed', end({ flushed: false }), 'NotFlushed', 'not flushed'],
    ['nothing said about flushing', end({ flushed: undefined }), 'NotFlushed', 'not flushed'],
    [
      'digests that differ',
      end({ sourceDigest: digest('a'), targetDigest: digest('b') }),
      'DigestDiffers',
      'were read again and differ',
    ],
    ['one digest of two', end({ sourceDigest: digest('a') }), 'DigestDiffers', 'were read again and differ'],
    ['code 0 before the last stage', end({ stage: 'copy' }), 'RsyncFailed', 'in stage copy'],
    ['code 0 with a problem', end({ problem: 'TargetFull', err: 'no space' }), 'TargetFull', 'no space'],
    ['a problem that is not known', end({ problem: 'Sunspots', err: 'storm' }, 1), 'RsyncFailed', 'storm'],
    ['no end record', ended(0, ''), 'NoEndRecord', 'left no end record'],
    ['an end record that is cut off', ended(0, '{"t":"end","files":1,"lit'), 'NoEndRecord', 'left no end record'],
    ['an end record that is no object', ended(0, 'null'), 'NoEndRecord', 'left no end record'],
    ['another object for an end record', ended(0, '{"files":1}'), 'NoEndRecord', 'left no end record'],
    ['code 10 with its error', { phase: 'Failed', ended: brokenEnd }, 'ServerUnreachable', 'refused'],
    [
      'code 11 although the numbers agree',
      { phase: 'Failed', ended: { ...wholeEnd, exitCode: 11 } },
      'RsyncFailed',
      'code 11',
    ],
    ['code 137 without a word', ended(137, ''), 'NoEndRecord', 'code 137'],
    ['code 137, and the kubelet says why', { ...ended(137, ''), trouble: 'OOMKilled' }, 'NoEndRecord', 'OOMKilled'],
    ['text that is no record', ended(1, 'usage: rsync'), 'NoEndRecord', 'code 1 and left no end record: usage: rsync'],
    ['no container status', { phase: 'Failed', ended: undefined }, 'CopyPodFailed', 'has ended without a word'],
    [
      'evicted',
      { phase: 'Failed', ended: undefined, trouble: 'Evicted: node is low on memory' },
      'CopyPodFailed',
      'Evicted: node is low on memory',
    ],
    [
      'phase Succeeded without a container status',
      { phase: 'Succeeded', ended: undefined },
      'CopyPodFailed',
      'has ended without a word',
    ],
  ])('failed: %s', (_, fields, reason, message) => {
    expect(judged(fields)).toStrictEqual({ kind: 'failed', reason, message: expect.stringContaining(message) });
  });

  test('what is to be verified is whole only with two digests that agree', () => {
    expect(judged(end({}), true)).toMatchObject({ kind: 'failed', reason: 'NotVerified' });
    const compared = end({ sourceDigest: digest('a'), targetDigest: digest('a') });
    expect(judged(compared, true)).toStrictEqual({ kind: 'whole' });
  });

  test('what is said of a failure is one line and stays short', () => {
    const result = judged(ended(1, 'x\n'.repeat(2000)));
    expect(result.kind === 'failed' && result.message.length).toBeLessThan(700);
    expect(result.kind === 'failed' && result.message).not.toContain('\n');
  });
});
