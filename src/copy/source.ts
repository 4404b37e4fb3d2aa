// Looks at the source before anybody is bothered: whether it is there, can be read, has bytes, and is what may be copied
// to such a target. Its size is asked from the file or device itself, never from rsync.
import { constants } from 'node:fs';
import { errorMessage } from '../core/errorMessage.ts';
import { CopyError } from './copyError.ts';
import { lookAt, openDisk } from './disk.ts';
import type { DiskKind } from './paths.ts';
import { headLength, unfitFormat } from './sourceFormat.ts';

export interface Source {
  readonly path: string;
  readonly kind: DiskKind;
  /** A plain file may stand in for a device. */
  readonly standIn: boolean;
}

/** Bytes of the source. Throws `SourceMissing` when there is none that could be read. */
export const sourceSize = async ({ path, kind, standIn }: Source): Promise<number> => {
  const looked = await lookAt(path, kind, constants.O_RDONLY, standIn);
  if (looked.kind === 'none') throw new CopyError('SourceMissing', `the source ${path}: ${looked.why}`);
  return looked.disk.size;
};

const headOf = async (path: string): Promise<Buffer> => {
  try {
    const disk = await openDisk(path, constants.O_RDONLY);
    try {
      const { buffer, bytesRead } = await disk.read(Buffer.alloc(headLength), 0, headLength, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await disk.close();
    }
  } catch (error) {
    throw new CopyError('SourceMissing', `the source ${path}: ${errorMessage(error)}`);
  }
};

/** The size of a source that may be copied to such a target; throws why it may not. */
export const inspectSource = async (source: Source, target: DiskKind): Promise<number> => {
  const size = await sourceSize(source);
  if (size === 0) throw new CopyError('SourceEmpty', `the source ${source.path} has no bytes`);
  const unfit = unfitFormat(await headOf(source.path), source.kind, target);
  if (unfit !== undefined) throw new CopyError('SourceFormat', unfit);
  return size;
};
