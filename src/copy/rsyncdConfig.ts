// What the rsync daemon is told: one module for each target, into which its own user can write one file, over one
// connection at a time, and from which nobody can read. Pure text (data plane §8).
import { type DiskKind, diskName } from './paths.ts';

export interface RsyncdModule {
  readonly name: string;
  readonly kind: DiskKind;
  /** The folder that holds the disk. */
  readonly folder: string;
  /** The file by which rsync counts the module's connections; one for each, or one copy would keep out all others. */
  readonly lockFile: string;
}

/** A module `global` would be taken for the settings of all, so that every module's name gets something before it. */
export const moduleName = (name: string): string => `claim-${name}`;

/** What a client may ask for: exactly what ours does ask for (rsyncCommand.ts). Deleting is not among it. */
const allowedOptions = [
  ...['ignore-times', 'inplace', 'sparse', 'whole-file', 'no-whole-file', 'compress*', 'timeout', 'fsync', 'partial'],
  ...['stats', 'info', 'bwlimit'],
];

const moduleSection = ({ name, kind, folder, lockFile }: RsyncdModule, work: string): readonly string[] => [
  `[${moduleName(name)}]`,
  `path = ${folder}`,
  'list = no',
  'read only = no',
  'write only = yes',
  `filter = + /${diskName(kind)} - *`,
  'max connections = 1',
  `lock file = ${lockFile}`,
  `auth users = ${name}`,
  `secrets file = ${work}/${rsyncdFiles.secrets}`,
  `refuse options = * ${[...allowedOptions, ...(kind === 'block' ? ['write-devices'] : [])]
    .map((option) => `!${option}`)
    .join(' ')}`,
];

export const rsyncdFiles = { config: 'rsyncd.conf', secrets: 'rsyncd.secrets', log: 'rsyncd.log' } as const;

/**
 * The whole configuration. `rootGroup`: the group of a daemon that is root, which would otherwise make itself nobody;
 * with another group it could neither write files of that one, nor be found among the processes (receivers.ts).
 */
export const rsyncdConfig = (
  modules: readonly RsyncdModule[],
  work: string,
  rootGroup: number | undefined,
  timeoutSeconds: number,
): string =>
  [
    'use chroot = no',
    ...(rootGroup === undefined ? [] : ['uid = 0', `gid = ${rootGroup}`]),
    'reverse lookup = no',
    `timeout = ${timeoutSeconds}`,
    'strict modes = yes',
    `log file = ${work}/${rsyncdFiles.log}`,
    ...modules.flatMap((module) => moduleSection(module, work)),
    '',
  ].join('\n');
