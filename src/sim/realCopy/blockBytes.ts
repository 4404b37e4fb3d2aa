// What a block of a real disk looks like: a label that says who wrote it and with which number, then bytes that no
// compression makes smaller; about half of them end in zeros, so that a copy which leaves out zeros has to put them over
// what was there. The same label always gives the same bytes.
import { createCipheriv, createHash } from 'node:crypto';
import type { Block } from '../nodes/blocks.ts';

/** Bytes at the beginning of a block that hold its label: one sector. */
export const labelBytes = 512;

/** All bytes of a block. */
export const bytesOf = (block: Block, length: number): Buffer => {
  const label = `${block.writer} ${block.sequence}\n`;
  const key = createHash('sha256').update(label).digest().subarray(0, 16);
  const bytes = createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
  bytes.fill(0, 0, labelBytes);
  bytes.write(label);
  if ((key[0] ?? 0) % 2 === 1) bytes.fill(0, length / 2);
  return bytes;
};

/** Which block begins with these bytes; undefined when none does. */
export const blockIn = (bytes: Buffer): Block | undefined => {
  const [, writer, sequence] = /^(\S+) (\d+)\n\0/.exec(bytes.toString('latin1')) ?? [];
  return writer === undefined ? undefined : { writer, sequence: Number(sequence) };
};
