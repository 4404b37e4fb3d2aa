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

const canReach = `
const { accessSync, constants, statSync } = require('node:fs');
for (const path of process.argv.slice(1)) accessSync(path, statSync(path).isFile() ? constants.R_OK : constants.X_OK);
`;

/**
 * The owner of images, for root; undefined when everything has to be ours: without root, and where that user cannot
 * reach one of these files and folders, because it lies in a home directory or under a private folder for temporary
 * files, or could not reach what we make.
 */
export const guestUser = (paths: readonly string[]): GuestUser | undefined => {
  if (process.getuid?.() !== 0 || (process.umask() & readable) !== 0) return undefined;
  const tried = spawnSync(process.execPath, ['-e', canReach, ...paths], { ...qemu, cwd: '/', stdio: 'ignore' });
  return tried.status === 0 ? qemu : undefined;
};
