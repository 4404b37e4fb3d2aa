// What is copied onto: an image in a folder, or a device as a kubelet puts it into a container, which is a loop device
// over a sparse file. Where none can be had a plain file stands in for it.
// Guarantees: every copy finds it as new; nothing of it is left after close().
import { closeSync, mkdirSync, openSync, rmSync, statSync, truncateSync } from 'node:fs';
import { loopDevice } from '../realCopy/loopDevice.ts';
import { mustRun, run } from './programs.ts';

export interface TargetDisk {
  readonly kind: 'file' | 'block';
  /** Holds the disk and nothing else. */
  readonly folder: string;
  readonly path: string;
  readonly bytes: number;
  /** What it is, in words. */
  readonly what: string;
  /** A device that keeps no room for what was discarded. */
  readonly canDiscard: boolean;
  /** Makes it as new: an image that does not exist, a device that takes up nothing. */
  renew(): Promise<void>;
  /** Bytes that it takes up where it lies. */
  allocated(): number;
  close(): void;
}

const allocatedBy = (path: string): number => statSync(path).blocks * 512;

/** The folder of an image that does not exist yet. */
export const fileTarget = (folder: string, bytes: number): TargetDisk => {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/disk.img`;
  return {
    ...{ kind: 'file', folder, path, bytes, what: 'disk.img in a folder', canDiscard: false },
    renew: async () => rmSync(path, { force: true }),
    allocated: () => allocatedBy(path),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** A node for the device in a folder; false where none can be made or opened. */
const makeNode = async (path: string, major: number, minor: number): Promise<boolean> => {
  if ((await run('mknod', [path, 'b', String(major), String(minor)])).code !== 0) return false;
  try {
    closeSync(openSync(path, 'r+'));
    return true;
  } catch {
    rmSync(path, { force: true });
    return false;
  }
};

const makeSparse = (path: string, bytes: number): void => {
  rmSync(path, { force: true });
  closeSync(openSync(path, 'wx'));
  truncateSync(path, bytes);
};

/** A device of this size; the file below it lies beside the folder. */
export const blockTarget = async (folder: string, bytes: number): Promise<TargetDisk> => {
  mkdirSync(folder, { recursive: true });
  const [path, backing] = [`${folder}/disk`, `${folder}.backing`];
  makeSparse(backing, bytes);
  const device = loopDevice(backing);
  const isReal = device !== undefined && (await makeNode(path, device.major, device.minor));
  if (!isReal) {
    device?.detach();
    rmSync(backing);
  }
  const remove = (): void => {
    for (const each of [folder, backing]) rmSync(each, { recursive: true, force: true });
  };
  return isReal
    ? {
        ...{ kind: 'block', folder, path, bytes, what: 'a loop device over a sparse file', canDiscard: true },
        renew: async () => void (await mustRun('blkdiscard', ['--force', path])),
        allocated: () => allocatedBy(backing),
        close: () => {
          device.detach();
          remove();
        },
      }
    : {
        ...{ kind: 'block', folder, path, bytes, what: 'a plain file for want of loop devices', canDiscard: false },
        renew: async () => makeSparse(path, bytes),
        allocated: () => allocatedBy(path),
        close: remove,
      };
};
