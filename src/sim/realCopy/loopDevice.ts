// A file presented as a block device of its own, as a CSI driver presents a volume.
// Guarantees: the kernel gives the device up when this process has ended, however it ends.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';

export interface LoopDevice {
  readonly major: number;
  readonly minor: number;
  /** Gives the device up as soon as nobody has it open. */
  detach(): void;
}

const losetup = (args: readonly string[]): string | undefined => {
  const { status, stdout } = spawnSync('losetup', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? stdout.trim() : undefined;
};

/**
 * Undefined where there are no loop devices for us: without root, and in most containers. The file below it is read and
 * written past the page cache where its file system can do that: a volume has no second cache below it either.
 */
export const loopDevice = (file: string): LoopDevice | undefined => {
  const path = losetup(['--direct-io=on', '--find', '--show', file]) ?? losetup(['--find', '--show', file]);
  if (path === undefined) return undefined;
  const held = openSync(path, 'r+');
  // Of a device that is open the kernel only notes it, and does it when the last who has it open lets go.
  losetup(['--detach', path]);
  const { rdev } = statSync(path);
  // As Linux packs the two numbers of a device for programs.
  const [major, minor] = [(rdev >> 8) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)];
  return { major, minor, detach: () => closeSync(held) };
};
