// Where things lie in a copy container. All paths are fixed; only what they begin with differs: `/` in a pod, the pod's
// own folder in the embedded cluster, where TRANSSHIP_ROOT names it.
import { join } from 'node:path';

/** How the claim is presented: with a file system that holds disk.img, or as a device. */
export type DiskKind = 'file' | 'block';

export const rsyncPort = 8874;
export const controlPort = 8875;

/** What goes into configuration files must not be able to end a line or be expanded there. */
const isPlain = (path: string): boolean => /^\/[\w./@+:~-]*$/.test(path);

export interface Paths {
  /** True where `/` is not the container's: there a plain file may stand in for a device. */
  readonly embedded: boolean;
  /** The folder for work files. The programs make it their working directory, so that they can use short names. */
  readonly work: string;
  readonly terminationLog: string;
  readonly psk: string;
  /** The client's only password. */
  readonly password: string;
  /** The server's password for a module. */
  passwordOf(name: string): string;
  /** The folder that holds the disk of a claim, and nothing else that we touch. */
  folderOf(name: string, kind: DiskKind): string;
  /** The disk itself: an image or a device. */
  diskOf(name: string, kind: DiskKind): string;
}

/** What the disk is called in its folder. */
export const diskName = (kind: DiskKind): string => (kind === 'file' ? 'disk.img' : 'disk');

/** The paths below a root; undefined when the root cannot be written into a configuration file. */
export const pathsBelow = (root: string | undefined): Paths | undefined => {
  const from = root === undefined || root === '' ? '/' : root;
  if (!isPlain(from)) return undefined;
  const folderOf = (name: string, kind: DiskKind) => join(from, kind === 'file' ? 'disks' : 'devices', name);
  return {
    embedded: from !== '/',
    work: join(from, 'tmp'),
    terminationLog: join(from, 'dev/termination-log'),
    psk: join(from, 'secrets/psk'),
    password: join(from, 'secrets/password'),
    passwordOf: (name) => join(from, `secrets/password.${name}`),
    folderOf,
    diskOf: (name, kind) => join(folderOf(name, kind), diskName(kind)),
  };
};
