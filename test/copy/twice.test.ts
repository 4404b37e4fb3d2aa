// A resume whose differences rsync cannot tell at first: it looks for them by short checksums, is mistaken, finds out by
// the checksum over the whole disk, and goes over it again. Its statistics are then those of no whole copy.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { notWhole, wentTwice } from '../../src/copy/endRecord.ts';
import { statisticsOf } from '../../src/copy/statistics.ts';
import { folder } from '../main/process.ts';
import { image, mebibyte } from './disks.ts';
import { rsync } from './naive.ts';
import { expectPrograms } from './programs.ts';
import { holding, transferGroup } from './stage.ts';

beforeAll(expectPrograms);

const size = 4 * mebibyte;
/** What rsync takes for a block of a disk of this size: the root of it. */
const blockBytes = 2048;

/**
 * A few blocks over and over, each time with neighbouring bytes changed in a way that rsync's rolling checksum does not
 * see. What is left to tell such blocks by are two bytes, too few for hundreds of them.
 */
const alikes = (blocks: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(
    Array.from({ length: size / blockBytes }, (_, index) => blocks[index % blocks.length] ?? Buffer.alloc(0)),
  );
  for (let at = 0; at < size; at += blockBytes) {
    for (let times = 0; times < 4; times += 1) {
      const from = at + (randomBytes(2).readUInt16LE() % (blockBytes - 2));
      for (const [offset, more] of [1, -2, 1].entries()) {
        content[from + offset] = (content[from + offset] ?? 0) + more;
      }
    }
  }
  return content;
};

test('a disk that rsync had to go over twice is whole, and is seen to be', async () => {
  // Far from 0 and 255, so that no change wraps around.
  const blocks = [1, 2, 3].map(() => Buffer.from(randomBytes(blockBytes).map((byte) => 64 + (byte % 128))));
  const [before, content] = [alikes(blocks), alikes(blocks)];

  const [source, beside] = [`${folder()}/disk.img`, `${folder()}/disk.img`];
  image(source, content);
  image(beside, before);
  const { code, out } = rsync('-I', '--inplace', '--no-whole-file', '--stats', source, beside);
  expect(code).toBe(0);
  expect(readFileSync(beside).equals(content)).toBe(true);
  expect(statisticsOf(out)).toMatchObject({ files: 2 });
  expect(wentTwice(statisticsOf(out), size)).toBe(true);
  expect(notWhole(statisticsOf(out), size)).toBe('rsync transferred 2 files, expected 1');

  const group = transferGroup();
  const target = group.fileTarget('web-1');
  image(target, before);
  group.server();
  const args = [`--bandwidth-limit=${79 * mebibyte}`];
  const { record } = await group.client({ args, disk: holding(content) }).ended;
  expect(record).toMatchObject({ stage: 'done', files: 1, literal: 0, matched: size, flushed: true });
  expect(record['wireBytes']).toBeGreaterThan(10_000);
  expect(readFileSync(target).equals(content)).toBe(true);
});
