// Whom copy containers and disks belong to. Root gives containers the user that their pods ask for; anybody else runs
// everything as himself.
import { spawnSync } from 'node:child_process';

export interface GuestUser {
  readonly uid: number;
  readonly gid: number;
}

/** KubeVirt's images belong to this user and group (contract §8). */
const qemu: GuestUser = { uid: 107, gid: 107 };

/** What a umask must leave to others, for folders that they have to pass through. */
const readable = 0o055;

const canRead = "require('node:fs').accessSync(process.argv[1])";

/**
 * The owner of images, for root; undefined when everything has to be ours: without root, and where that user cannot
 * read the program, because it lies in a home directory, or what we make.
 */
export const guestUser = (program: string): GuestUser | undefined => {
  if (process.getuid?.() !== 0 || (process.umask() & readable) !== 0) return undefined;
  const tried = spawnSync(process.execPath, ['-e', canRead, program], { ...qemu, cwd: '/', stdio: 'ignore' });
  return tried.status === 0 ? qemu : undefined;
};
