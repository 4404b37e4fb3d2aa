// The source of a run: a disk of random bytes, text, zeros and holes that a seed repeats, and what is done to it between
// two copies, with times that would let a copy by time and size alone believe that nothing had happened.
import { createCipheriv } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, statSync, utimesSync, writeSync } from 'node:fs';
import type { Change, Segment } from './cutPlan.ts';

/** Bytes that look random and are the same for the same seed. */
const noise = (seed: number) => {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, `${seed} `), Buffer.alloc(16));
  return (bytes: number): Buffer => cipher.update(Buffer.alloc(bytes));
};

const text = (bytes: number, from: number): Buffer => {
  const lines: string[] = [];
  for (let length = 0, line = from; length < bytes; line += 1) {
    const each = `${line} a guest has written this line into its log\n`;
    lines.push(each);
    length += each.length;
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
};

/** Writes to a disk what a seed says; one for each run. */
export const guest = (seed: number) => {
  const random = noise(seed);
  const bytesOf = ({ bytes, content }: Segment, at: number): Buffer =>
    content === 'random' ? random(bytes) : content === 'text' ? text(bytes, at) : Buffer.alloc(bytes);

  /** Fills a disk that is all holes. */
  const fill = (path: string, segments: readonly Segment[]): void => {
    const disk = openSync(path, 'r+');
    let at = 0;
    for (const segment of segments) {
      if (segment.content !== 'hole') writeSync(disk, bytesOf(segment, at), 0, segment.bytes, at);
      at += segment.bytes;
    }
    fsyncSync(disk);
    closeSync(disk);
  };

  /** Changes a disk of `size` bytes, and its time as asked; `target` may not be there. Gives the new size. */
  const change = (path: string, size: number, target: string, { writes, growth, time }: Change): number => {
    const before = statSync(path);
    const disk = openSync(path, 'r+');
    const grown = size + growth;
    if (growth !== 0) ftruncateSync(disk, grown);
    for (const { at, segment } of writes) {
      const start = 512 * Math.floor((at * grown) / 512);
      writeSync(disk, bytesOf(segment, start), 0, Math.min(segment.bytes, grown - start), start);
    }
    fsyncSync(disk);
    closeSync(disk);
    if (time === 'kept') utimesSync(path, before.atime, before.mtime);
    const there = statSync(target, { throwIfNoEntry: false });
    if (time === 'same' && there !== undefined) {
      const second = Math.floor(there.mtimeMs / 1000);
      for (const each of [path, target]) utimesSync(each, second, second);
    }
    return grown;
  };
  return { fill, change };
};

/** Where two disks first differ; undefined when `target` is `source` byte for byte, and zeros behind. */
export const firstDifference = (source: Buffer, target: Buffer): string | undefined => {
  if (target.length < source.length) return `the target has ${target.length} bytes and the source ${source.length}`;
  const tail = target.subarray(source.length);
  if (!tail.equals(Buffer.alloc(tail.length))) return `the target holds something behind the source's end`;
  const head = target.subarray(0, source.length);
  if (head.equals(source)) return undefined;
  const at = head.findIndex((byte, index) => byte !== source[index]);
  return `source and target differ from byte ${at} of ${source.length} on`;
};
