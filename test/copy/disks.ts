// Disks for the tests: images, and loop devices under nodes of their own, as a kubelet puts them into a container.
// Where there are no loop devices, plain files stand in for them and the test's output says so.
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { afterwards, folder } from '../main/process.ts';
import { mustRun, run } from './programs.ts';

export const mebibyte = 1024 * 1024;

const isRoot = process.getuid?.() === 0;

/** Who the pods run as: KubeVirt's user where we may choose (contract §8). */
export const podUser = isRoot ? 107 : (process.getuid?.() ?? 0);

const own = (path: string): void => {
  if (isRoot) chownSync(path, podUser, podUser);
};

/** Bytes that no two disks share: alternately full and empty MiB, beginning with a full one. */
export const halfEmpty = (bytes: number): Buffer => {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 2 * mebibyte) {
    randomBytes(Math.min(mebibyte, bytes - at)).copy(content, at);
  }
  return content;
};

export const full = (bytes: number): Buffer => randomBytes(bytes);

export const sha256 = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

const isZero = (piece: Buffer): boolean => piece.equals(Buffer.alloc(piece.length));

/** Writes what is not zero, so that holes stay holes, and nothing beyond. */
const writeInto = (path: string, content: Buffer): void => {
  const disk = openSync(path, 'r+');
  for (let at = 0; at < content.length; at += mebibyte) {
    const piece = content.subarray(at, at + mebibyte);
    if (!isZero(piece)) writeSync(disk, piece, 0, piece.length, at);
  }
  fsyncSync(disk);
  closeSync(disk);
};

/** A sparse image with this content. */
export const image = (path: string, content: Buffer): void => {
  closeSync(openSync(path, 'wx'));
  truncateSync(path, content.length);
  writeInto(path, content);
  chmodSync(path, 0o660);
  own(path);
};

export interface Device {
  readonly path: string;
  /** False when a plain file stands in. */
  readonly real: boolean;
  /** Bytes that it takes up where it lies. */
  allocated(): number;
  content(): Buffer;
  write(content: Buffer): void;
}

let told = false;
const tell = (why: string): void => {
  if (!told) process.stdout.write(`no loop devices here, plain files stand in for devices: ${why}\n`);
  told = true;
};

/** Attaches a file as a loop device; its path, or why there is none. */
const attach = (file: string): { readonly device?: string; readonly why: string } => {
  if (!isRoot) return { why: 'not root' };
  const { code, out } = run('losetup', ['--find', '--show', file]);
  return code === 0 ? { device: out.trim(), why: '' } : { why: out.trim() };
};

/** A device of this size at a path, all zeros and taking up nothing in the folder where its bytes lie. */
export const device = (path: string, bytes: number, lies = folder()): Device => {
  const file = `${lies}/backing`;
  closeSync(openSync(file, 'wx'));
  truncateSync(file, bytes);
  const { device: loop, why } = attach(file);
  if (loop === undefined) {
    tell(why);
    image(path, Buffer.alloc(bytes));
  } else {
    afterwards(() => mustRun('losetup', ['--detach', loop]));
    const { rdev } = statSync(loop);
    mustRun('mknod', [
      '-m',
      '660',
      path,
      'b',
      String((rdev >> 8) & 0xfff),
      String((rdev & 0xff) | ((rdev >> 12) & ~0xff)),
    ]);
    own(path);
  }
  return {
    path,
    real: loop !== undefined,
    allocated: () => statSync(loop === undefined ? path : file).blocks * 512,
    content: () => readFileSync(path),
    write: (content) => writeInto(path, content),
  };
};

/** Mounts a file system of a few MiB in a folder; false where nothing can be mounted. */
export const tmpfs = (path: string, mebibytes: number): boolean => {
  const options = `size=${mebibytes}m,uid=${podUser},gid=${podUser}`;
  if (run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).code !== 0) return false;
  afterwards(() => mustRun('umount', [path]));
  return true;
};
