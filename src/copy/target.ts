// What the server does with a target beside rsync: makes room before the copy and proves it after. Nothing here reads
// bytes of a disk to a client; a digest tells it no more than whether the target is what it has itself.
//
// Flow: prepareTarget -> rsync -> proveTarget, in one conversation that holds the module alone.
import { constants, statfs } from 'node:fs/promises';
import type { CopyProblem } from '../core/copyEndRecord.ts';
import { errorMessage } from '../core/errorMessage.ts';
import { runChild } from './child.ts';
import { codeOf } from './copyError.ts';
import { digestOf, pieces } from './digest.ts';
import { type Disk, lookAt, openDisk } from './disk.ts';
import type { DiskKind } from './paths.ts';

export interface Target {
  readonly path: string;
  readonly folder: string;
  readonly kind: DiskKind;
  /** A plain file stands in for a device. */
  readonly standIn: boolean;
}

export interface Refusal {
  readonly kind: 'refused';
  readonly problem: CopyProblem;
  readonly err: string;
}

const refused = (problem: CopyProblem, err: string): Refusal => ({ kind: 'refused', problem, err });

export type Prepared = { readonly kind: 'prepared'; readonly disk: Disk; readonly canDiscard: boolean } | Refusal;

const look = ({ path, kind, standIn }: Target) => lookAt(path, kind, constants.O_RDWR, standIn);

/** Bytes that a disk in this folder can come to, with those that it has already. root may use what is kept for root. */
const roomFor = async (folder: string, allocated: number): Promise<number> => {
  const { bavail, bfree, bsize } = await statfs(folder);
  return (process.getuid?.() === 0 ? bfree : bavail) * bsize + allocated;
};

/** Discards all of a device; false when it will not. */
const discard = async (path: string): Promise<boolean> => (await runChild('blkdiscard', ['--force', path])).code === 0;

const roomOn = (target: Target, disk: Disk): Promise<number> =>
  target.kind === 'block' ? Promise.resolve(disk.size) : roomFor(target.folder, disk.allocated);

/** Makes the file, with the rights that KubeVirt's images have. One that is there keeps its own. Gives what went wrong. */
const makeFile = async (path: string): Promise<string> => {
  try {
    const file = await openDisk(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL);
    await file.chmod(0o660);
    await file.close();
    return '';
  } catch (error) {
    return codeOf(error);
  }
};

/**
 * Makes a target ready for `size` bytes: a file is made if there is none, a device is discarded if nothing on it is of
 * use. A sparse source must fit in full: the guest may fill it.
 */
export const prepareTarget = async (target: Target, size: number, fresh: boolean): Promise<Prepared> => {
  const failure = target.kind === 'file' ? await makeFile(target.path) : '';
  const looked = await look(target);
  if (looked.kind === 'none') {
    // Why it could not be made says more than that it is not there.
    const why = looked.why === 'ENOENT' ? failure || looked.why : looked.why;
    return refused('TargetMissing', `the target ${target.path}: ${why}`);
  }
  const room = await roomOn(target, looked.disk);
  if (room < size) {
    return refused('TargetTooSmall', `the source has ${size} bytes and the target has room for ${room}`);
  }
  const { canDiscard } = looked.disk;
  const discarded = canDiscard && (!fresh || (await discard(target.path)));
  return { kind: 'prepared', disk: looked.disk, canDiscard: discarded };
};

export type Proved = { readonly kind: 'proved'; readonly flushed: true; readonly digest: string } | Refusal;

const zeros = Buffer.alloc(1024 * 1024);

/**
 * Makes zeros of what lies behind the source's last byte on a larger device: rsync leaves there what was there before
 * (data plane §2), and a device that was discarded need not read as zeros. What is zero is not written.
 */
const clearTail = async (handle: Awaited<ReturnType<typeof openDisk>>, from: number, to: number, stop: AbortSignal) => {
  for await (const { at, bytes } of pieces(handle, from, to)) {
    stop.throwIfAborted();
    const zero = zeros.subarray(0, bytes.length);
    if (!bytes.equals(zero)) await handle.write(zero, 0, zero.length, at);
  }
};

/**
 * Proves that a target holds what it was sent: it is what it was when it was prepared, has the size, and is on stable storage. Gives
 * the digest of the first `size` bytes if asked, else ''.
 */
export const proveTarget = async (
  target: Target,
  { size, disk: before }: { readonly size: number; readonly disk: Disk },
  digest: boolean,
  stop: AbortSignal,
): Promise<Proved> => {
  const looked = await look(target);
  if (looked.kind === 'none') return refused('NotWhole', `the target ${target.path}: ${looked.why}`);
  // rsync puts a file in the place of a device that it may not write (data plane §2).
  if (looked.disk.identity !== before.identity)
    return refused('NotWhole', `the target is not the ${target.kind === 'file' ? 'file' : 'device'} that it was`);
  const found = looked.disk.size;
  if (target.kind === 'file' ? found !== size : found < size) {
    return refused('NotWhole', `the target has ${found} bytes, expected ${size}`);
  }
  const handle = await openDisk(target.path, constants.O_RDWR);
  try {
    // rsync cuts off a stand-in, as it would any file.
    if (target.standIn && found < before.size) await handle.truncate(before.size);
    if (target.kind === 'block') await clearTail(handle, size, before.size, stop);
    await handle.sync();
    return { kind: 'proved', flushed: true, digest: digest ? await digestOf(handle, size, stop) : '' };
  } catch (error) {
    return refused('NotFlushed', `the target ${target.path}: ${errorMessage(error)}`);
  } finally {
    await handle.close();
  }
};
