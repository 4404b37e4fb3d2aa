// The command line of rsync for one disk. Pure. Each option is there for a reason that was measured (data plane §1-§3):
// without `-I` a changed disk is skipped, without `--copy-devices` or `--write-devices` a device is, all with code 0.
import type { DiskKind } from './paths.ts';
import { diskName } from './paths.ts';
import { moduleName } from './rsyncdConfig.ts';

export interface RsyncOptions {
  readonly module: string;
  readonly source: DiskKind;
  readonly target: DiskKind;
  /** The disk to be read. */
  readonly path: string;
  readonly passwordFile: string;
  /** The tunnel's configuration: a name without spaces. */
  readonly tunnel: string;
  readonly timeoutSeconds: number;
  /** Bytes per second. */
  readonly bandwidthLimit: number | undefined;
  /** The target is a device that can be told about what it need not keep. */
  readonly canDiscard: boolean;
}

/** Below this the network is slower than finding out what the target has already (data plane §1.5). */
const worthMatching = 80 * 1024 * 1024;

/** The most KiB per second that rsync can be told: it cuts off more than 32 bits, and would become slow. */
const mostLimit = 2 ** 31 - 1;

/** rsync knows whole KiB per second, and takes 0 for no limit. */
const limitOf = (bytesPerSecond: number): string =>
  `--bwlimit=${Math.min(mostLimit, Math.max(1, Math.floor(bytesPerSecond / 1024)))}`;

export const rsyncCommand = (options: RsyncOptions): readonly string[] => {
  const { source, target, canDiscard, bandwidthLimit } = options;
  const slow = bandwidthLimit !== undefined && bandwidthLimit < worthMatching;
  // Zeros that a discarded device has already are not written when blocks are matched: it stays thin.
  const match = slow || (target === 'block' && canDiscard);
  return [
    `--rsh=stunnel ${options.tunnel}`,
    `--timeout=${options.timeoutSeconds}`,
    `--password-file=${options.passwordFile}`,
    '--ignore-times',
    '--fsync',
    ...(source === 'block' ? ['--copy-devices'] : []),
    // --sparse onto a device ends with code 11 (data plane §2).
    ...(target === 'file' ? ['--inplace', '--sparse'] : ['--write-devices']),
    match ? '--no-whole-file' : '--whole-file',
    '--compress',
    '--compress-choice=lz4',
    ...(bandwidthLimit === undefined ? [] : [limitOf(bandwidthLimit)]),
    '--stats',
    '--info=progress2,name0,flist0',
    '--outbuf=L',
    '--',
    options.path,
    // The host's name is never looked up: the tunnel knows where to go.
    `${options.module}@server::${moduleName(options.module)}/${diskName(target)}`,
  ];
};
