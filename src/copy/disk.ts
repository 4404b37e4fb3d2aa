// Looks at a disk, source or target: what it is, how large, whether it can be told about bytes it need not keep. Never
// through a symbolic link: rsync would write past it, and a link in a claim may point at another claim.
import { constants, type FileHandle, open, readFile } from 'node:fs/promises';
import { runChild } from './child.ts';
import type { DiskKind } from './paths.ts';

export interface Disk {
  readonly kind: DiskKind;
  readonly path: string;
  /** Bytes; of a device, what it offers. */
  readonly size: number;
  /** Bytes that it takes up where it lies; 0 for a device. */
  readonly allocated: number;
  readonly canDiscard: boolean;
  /** Which device or which file it is; 0 for a file that stands in for a device, which rsync replaces. */
  readonly identity: number;
}

export type Looked = { readonly kind: 'disk'; readonly disk: Disk } | { readonly kind: 'none'; readonly why: string };

/** Opens a disk and nothing else: the last part of the path may not be a link. */
export const openDisk = (path: string, flags: number): Promise<FileHandle> =>
  open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);

const deviceSize = async (path: string): Promise<number | undefined> => {
  const { code, out } = await runChild('blockdev', ['--getsize64', path]);
  return code === 0 && /^\d+\n$/.test(out) ? Number(out) : undefined;
};

/** Asks the kernel, of the device itself or of the one that it is a part of. */
const deviceDiscards = async (rdev: number): Promise<boolean> => {
  const device = BigInt(rdev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  for (const folder of ['', '../']) {
    const path = `/sys/dev/block/${major}:${minor}/${folder}queue/discard_max_bytes`;
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return Number(text) > 0;
  }
  return false;
};

/**
 * Looks at what lies at a path. `standIn`: a plain file is taken for a device that cannot discard, as the embedded
 * cluster has no others.
 */
export const lookAt = async (path: string, kind: DiskKind, flags: number, standIn: boolean): Promise<Looked> => {
  let handle: FileHandle | undefined;
  try {
    handle = await openDisk(path, flags);
    const stat = await handle.stat();
    const disk = { kind, path, allocated: stat.blocks * 512 };
    if (stat.isFile() && (kind === 'file' || standIn)) {
      const identity = kind === 'file' ? stat.ino : 0;
      return { kind: 'disk', disk: { ...disk, size: stat.size, canDiscard: false, identity } };
    }
    if (!stat.isBlockDevice() || kind === 'file') {
      return { kind: 'none', why: kind === 'file' ? 'it is not a file' : 'it is not a block device' };
    }
    const size = await deviceSize(path);
    if (size === undefined) return { kind: 'none', why: 'its size cannot be read' };
    return {
      kind: 'disk',
      disk: { ...disk, allocated: 0, size, canDiscard: await deviceDiscards(stat.rdev), identity: stat.rdev },
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { kind: 'none', why: code === 'ELOOP' ? 'it is a symbolic link' : code };
  } finally {
    await handle?.close();
  }
};
