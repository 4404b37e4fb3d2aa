// What a copy pod says in its termination message when it ends: one JSON object, written by src/copy and judged by
// copyResult.ts. Read with distrust: the message may be cut off, be the tail of a log, or come from another version of
// the image. What is not understood is undefined here and never taken for a success.

/** How far the client came; `done` alone is a copy that the client itself believes in. In order. */
export const copyStages = ['arguments', 'secrets', 'source', 'connect', 'prepare', 'copy', 'prove', 'done'] as const;
export type CopyStage = (typeof copyStages)[number];

/** Why it went no further. The client says exactly one of them unless its stage is `done`. */
export const copyProblems = [
  /** The command line, or what the environment says, cannot be meant. */
  'BadArguments',
  /** The key or a password is missing or is not what it should be. */
  'BadSecrets',
  /** There is no disk where the source should be, or it cannot be read. */
  'SourceMissing',
  /** The source is a disk image in another format than raw and would be put onto a device byte by byte. */
  'SourceFormat',
  /** The source has no bytes. */
  'SourceEmpty',
  /** The target, or the room around it, is smaller than the source. */
  'TargetTooSmall',
  /** There is no disk where the target should be, or it cannot be written. */
  'TargetMissing',
  /** Nothing answered, though it was tried for a while. */
  'ServerUnreachable',
  /** The key, the name or the password is not the server's. */
  'AccessRefused',
  /** The one connection of the module was taken, and stayed so for a while. */
  'Busy',
  /** The server was connected and fell silent or went away. */
  'PeerSilent',
  /** The target took no more bytes. */
  'TargetFull',
  /** Told to end before the copy was whole. What was written is of use to the next attempt. */
  'Cancelled',
  /** rsync failed in a way that has no name here. */
  'RsyncFailed',
  /** All bytes arrived, but the target could not say that they are on stable storage. */
  'NotFlushed',
  /** rsync ended well without having covered the source: it skipped it, or the source changed. */
  'NotWhole',
  /** Source and target were read again and are not alike. */
  'DigestDiffers',
] as const;
export type CopyProblem = (typeof copyProblems)[number];

/** The end record of a client. Fields that are missing or make no sense are undefined. */
export interface CopyEndRecord {
  readonly stage: CopyStage | undefined;
  /** Exit code of rsync; 0 also when it was never run. */
  readonly rc: number | undefined;
  /** Files that rsync transferred: 1, unless it skipped the disk. */
  readonly files: number | undefined;
  /** Bytes that were sent, and bytes that the target had already. Together the size, if the copy is whole. */
  readonly literal: number | undefined;
  readonly matched: number | undefined;
  /** Bytes of the source, asked from the file or device itself and not from rsync. */
  readonly size: number | undefined;
  /** '' is said with stage `done` alone; undefined is a word that this version does not know. */
  readonly problem: CopyProblem | '' | undefined;
  /** The server has flushed the target to stable storage after the last byte. */
  readonly flushed: boolean | undefined;
  /** `sha256:` and 64 hex digits over the first `size` bytes; only when digests were asked for. */
  readonly sourceDigest: string | undefined;
  readonly targetDigest: string | undefined;
  /** Bytes that went over the network, compressed, without what TLS adds. */
  readonly wireBytes: number | undefined;
  /** The last lines that explain the end, for people; at most 1 KiB. */
  readonly err: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsIn = (text: string): Fields | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && (value as Fields)['t'] === 'end'
      ? (value as Fields)
      : undefined;
  } catch {
    return undefined;
  }
};

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const flagOf = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined);
const digestOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value) ? value : undefined;
const oneOf = <T extends string>(known: readonly T[], value: unknown): T | undefined =>
  known.find((each) => each === value);

/**
 * Reads the termination message of a client. It may be the tail of the log, which a kubelet hands over when a container
 * failed without a message: then the last line that is an end record counts. Undefined when there is none.
 */
export const parseCopyEndRecord = (message: string): CopyEndRecord | undefined => {
  const fields =
    fieldsIn(message) ??
    message
      .split('\n')
      .map(fieldsIn)
      .findLast((found) => found !== undefined);
  if (fields === undefined) return undefined;
  return {
    stage: oneOf(copyStages, fields['stage']),
    rc: numberOf(fields['rc']),
    files: numberOf(fields['files']),
    literal: numberOf(fields['literal']),
    matched: numberOf(fields['matched']),
    size: numberOf(fields['size']),
    problem: oneOf([...copyProblems, '' as const], fields['problem']),
    flushed: flagOf(fields['flushed']),
    sourceDigest: digestOf(fields['sourceDigest']),
    targetDigest: digestOf(fields['targetDigest']),
    wireBytes: numberOf(fields['wireBytes']),
    err: textOf(fields['err']),
  };
};
