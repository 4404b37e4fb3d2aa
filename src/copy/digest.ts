// SHA-256 over the first bytes of a disk, read again from where it lies. The event loop stays free between pieces, so
// that the other side keeps hearing from us however long it takes.
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

const pieceBytes = 1024 * 1024;

/** The pieces of a disk from `start` to before `end`; the buffer is used again for the next one. Ends early at its end. */
export const pieces = async function* (
  disk: FileHandle,
  start: number,
  end: number,
): AsyncGenerator<{ readonly at: number; readonly bytes: Buffer }> {
  const buffer = Buffer.allocUnsafe(pieceBytes);
  for (let at = start; at < end; ) {
    const { bytesRead } = await disk.read(buffer, 0, Math.min(pieceBytes, end - at), at);
    if (bytesRead === 0) return;
    yield { at, bytes: buffer.subarray(0, bytesRead) };
    at += bytesRead;
  }
};

/** `sha256:` and the digest in hex over the first `size` bytes. Throws when told to stop or when there are fewer. */
export const digestOf = async (disk: FileHandle, size: number, stop: AbortSignal): Promise<string> => {
  const hash = createHash('sha256');
  let read = 0;
  for await (const { bytes } of pieces(disk, 0, size)) {
    stop.throwIfAborted();
    hash.update(bytes);
    read += bytes.length;
  }
  if (read !== size) throw new Error(`the disk ended after ${read} of ${size} bytes`);
  return `sha256:${hash.digest('hex')}`;
};
