// What copies that pretend say, in the words of the real ones: end records for the termination message, and lines of
// progress for the log.
import { createHash } from 'node:crypto';
import type { KubeObject } from '../../kube/api.ts';
import type { Content } from './blocks.ts';

export interface Digests {
  readonly sourceDigest?: string;
  readonly targetDigest?: string;
}

/** A digest of what is on a disk. */
export const digestOf = (content: Content): string =>
  `sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}`;

const quantity = /^(\d+)(Ki|Mi|Gi|Ti)?$/;
const factors: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** Bytes that a claim has room for; 0 while it has none. */
export const sizeOf = (claim: KubeObject | undefined): number => {
  const status = claim?.['status'] as { readonly capacity?: Readonly<Record<string, string>> } | undefined;
  const [, digits = '0', unit = ''] = quantity.exec(status?.capacity?.['storage'] ?? '') ?? [];
  return Number(digits) * (factors[unit] ?? 1);
};

/** The end record of a client, with rsync's exit code and the bytes that the target had already. */
export const endRecord = (rc: number, size: number, matched: number, err = '', digests: Digests = {}): string => {
  const ended = rc === 0 ? { stage: 'done', problem: '' } : { stage: 'copy', problem: 'RsyncFailed' };
  const counted = { files: 1, literal: size - matched, matched, size };
  return JSON.stringify({ t: 'end', ...ended, rc, ...counted, flushed: rc === 0, ...digests, err });
};

/** A line of progress: `share` of 0 to 1 is done of a copy that takes `durationMs`. */
export const progressLine = (size: number, share: number, durationMs: number): string => {
  const bytes = Math.floor(size * share);
  return `${JSON.stringify({
    t: 'progress',
    bytes,
    total: size,
    percent: Math.floor(share * 100),
    bytesPerSecond: share === 0 ? 0 : Math.floor((size * 1000) / durationMs),
    secondsLeft: share === 0 ? null : Math.ceil(((1 - share) * durationMs) / 1000),
  })}\n`;
};

/** A line of the log about anything else. */
export const logLine = (message: string): string => `${JSON.stringify({ t: 'log', message })}\n`;
