// The blocks on real claims, read from and written to their images and devices, and beside each disk a second file into
// which its guest writes the same: the two are what is compared, byte for byte.
// Guarantees: nothing is kept open, so that an image which is replaced under its name is seen.
import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Block, type Blocks, type Content, differing } from '../nodes/blocks.ts';
import { blockIn, bytesOf, labelBytes } from './blockBytes.ts';
import type { ClaimFolders } from './claimFolders.ts';
import type { GuestUser } from './guestUser.ts';

export interface ImageSize {
  /** Blocks per disk. */
  readonly blocks: number;
  readonly bytesEach: number;
}

const garbage = 0xdb;

const withFile = <T>(path: string, flags: string, act: (file: number) => T): T => {
  const file = openSync(path, flags, 0o660);
  try {
    return act(file);
  } finally {
    closeSync(file);
  }
};

/** As many bytes as there are, at most `length`. */
const readAt = (file: number, position: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const read = readSync(file, bytes, done, length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
};

const writeAt = (file: number, position: number, bytes: Buffer): void => {
  let done = 0;
  while (done < bytes.length) done += writeSync(file, bytes, done, bytes.length - done, position + done);
};

/** Keeps blocks on claims, and what guests wrote below `notes`. */
export const imageBlocks = (
  folders: ClaimFolders,
  notes: string,
  { blocks: size, bytesEach }: ImageSize,
  user: GuestUser | undefined,
): Blocks => {
  const total = size * bytesEach;
  const truths = new Map<string, (Block | undefined)[]>();
  const sequences = new Map<string, number>();
  mkdirSync(notes, { recursive: true });
  const noteOf = (writer: string): string => join(notes, writer.replaceAll('/', '_'));

  /** Opens a disk to write it; an image is made, as large as the disk, if there is none. */
  const onDisk = <T>(claim: string, act: (file: number) => T): T => {
    const { disk, kind } = folders.of(claim);
    if (kind === 'device') return withFile(disk, 'r+', act);
    if (!existsSync(disk)) withFile(disk, 'a', () => user !== undefined && chownSync(disk, user.uid, user.gid));
    return withFile(disk, 'r+', (file) => {
      if (fstatSync(file).size < total) ftruncateSync(file, total);
      return act(file);
    });
  };

  const blockAt = (path: string, index: number): Buffer =>
    existsSync(path) ? withFile(path, 'r', (file) => readAt(file, index * bytesEach, bytesEach)) : Buffer.alloc(0);

  const labelsIn = (path: string): Content =>
    existsSync(path)
      ? withFile(path, 'r', (file) =>
          Array.from({ length: size }, (_, index) => blockIn(readAt(file, index * bytesEach, labelBytes))),
        )
      : Array.from({ length: size }, () => undefined);

  const read = (claim: string): Content => labelsIn(folders.of(claim).disk);

  /** What was written goes to the disk and, the same, into the guest's own file. */
  const writeBoth = (writer: string, claim: string, written: readonly (readonly [number, Block])[]): void => {
    const each = written.map(([index, block]) => [index * bytesEach, bytesOf(block, bytesEach)] as const);
    const writeAll = (file: number): void => {
      for (const [position, bytes] of each) writeAt(file, position, bytes);
    };
    onDisk(claim, writeAll);
    withFile(noteOf(writer), existsSync(noteOf(writer)) ? 'r+' : 'w', writeAll);
  };

  const copy = (source: string, target: string, first: number, last: number): void =>
    onDisk(target, (file) => {
      for (let index = first; index < last; index += 1) {
        writeAt(file, index * bytesEach, blockAt(folders.of(source).disk, index));
      }
    });

  return {
    size,
    read,
    copy,
    spoil: (claim, first) =>
      onDisk(claim, (file) => writeAt(file, first * bytesEach, Buffer.alloc((size - first) * bytesEach, garbage))),
    install: (writer, claim) => {
      if (truths.has(writer)) return;
      const truth = Array.from({ length: size }, () => ({ writer, sequence: 0 }));
      truths.set(writer, truth);
      writeBoth(writer, claim, [...truth.entries()]);
    },
    write: (writer, claim, count) => {
      const last = (sequences.get(writer) ?? 0) + count;
      sequences.set(writer, last);
      const truth = truths.get(writer) ?? [];
      const numbers = Array.from({ length: Math.min(count, size) }, (_, index) => last - index).reverse();
      const written = numbers.map((sequence) => [sequence % size, { writer, sequence }] as const);
      for (const [index, block] of written) truth[index] = block;
      writeBoth(writer, claim, written);
    },
    missing: (writer, claim) => {
      if (!truths.has(writer)) return 0;
      const { disk, kind } = folders.of(claim);
      const indexes = Array.from({ length: size }, (_, index) => index);
      const different = indexes.filter((index) => !blockAt(noteOf(writer), index).equals(blockAt(disk, index))).length;
      // A guest would see a longer image as another disk.
      const isLonger =
        kind === 'image' && existsSync(disk) && withFile(disk, 'r', (file) => fstatSync(file).size) > total;
      return different + (isLonger ? 1 : 0);
    },
    glance: (writer, claim) => differing(truths.get(writer) ?? [], read(claim)),
  };
};
