// The disk that is copied: sparse, 30 % data, as disks of machines are; of the data 60 % are random, which nothing makes
// smaller, 35 % text, and 5 % zeros that are really there. Data lie in runs of 1 MiB, spread over the whole disk.
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

const piece = 2 ** 20;
const share = 0.3;

const words =
  'systemd kernel: eth0 link is up, mounted /var/lib with ordered data mode, user session opened 200 404'.split(' ');

/** Text in which no two pieces are the same. */
const text = (): Buffer => {
  const dice = randomBytes(piece / 4);
  const lines: string[] = [];
  for (let at = 0, length = 0; length < piece; at = (at + 1) % dice.length) {
    const word = words[(dice[at] ?? 0) % words.length] ?? '';
    lines.push(word);
    length += word.length + 1;
  }
  return Buffer.from(lines.join(' ').padEnd(piece)).subarray(0, piece);
};

/** Of twenty pieces twelve are random, seven text and one zeros. */
const contentOf = (index: number): Buffer => {
  const place = index % 20;
  if (place < 12) return randomBytes(piece);
  return place < 19 ? text() : Buffer.alloc(piece);
};

/** Makes the image; on stable storage when it returns. */
export const makeSourceImage = (path: string, bytes: number): void => {
  const file = openSync(path, 'wx');
  ftruncateSync(file, bytes);
  const pieces = Math.floor((bytes / piece) * share);
  for (let index = 0; index < pieces; index += 1) {
    writeSync(file, contentOf(index), 0, piece, Math.floor(index / share) * piece);
  }
  fsyncSync(file);
  closeSync(file);
};

/** Reads the image once, so that every way finds it in the page cache: what is compared is not this machine's disk. */
export const warm = (path: string): void => {
  const file = openSync(path, 'r');
  const buffer = Buffer.alloc(4 * piece);
  while (readSync(file, buffer) > 0);
  closeSync(file);
};
