// What the client says at its end, and what it calls that which went wrong. Pure. The names are those that the daemon
// knows (core/copyEndRecord.ts); the codes of rsync alone do not tell enough (data plane §6).
import type { CopyProblem, CopyStage } from '../core/copyEndRecord.ts';

/** An end record as the client writes it: nothing is left open but digests that nobody asked for. */
export interface EndRecord {
  readonly stage: CopyStage;
  readonly rc: number;
  readonly files: number;
  readonly literal: number;
  readonly matched: number;
  readonly size: number;
  readonly problem: CopyProblem | '';
  readonly flushed: boolean;
  readonly sourceDigest?: string;
  readonly targetDigest?: string;
  readonly wireBytes: number;
  readonly err: string;
}

/** What a kubelet keeps of a termination message is 4096 bytes; this part of it is what could be too long. */
const mostExplanation = 1024;

/** The consequence of something said before. */
const noise = /^rsync error: |^\s*$/;

/** The last lines that explain an end, without characters that would grow in JSON. */
export const explanation = (lines: readonly string[]): string => {
  const telling = lines.filter((line) => !noise.test(line));
  const text = (telling.length > 0 ? telling : lines).join('\n').replace(/[^\n\x20-\x7e]|["\\]/g, "'");
  return text.trim().slice(-mostExplanation);
};

/** The record as one line. */
export const endRecordLine = (record: EndRecord): string =>
  JSON.stringify({ t: 'end', ...record, err: explanation(record.err.split('\n')) });

const refusedByTls = /SSL_connect|SSL_accept|CERT:|[Pp]re-verification/;
const notReached =
  /s_connect: .*(?:connect|TIMEOUT)|Connection refused|No route to host|Network is unreachable|No more addresses/;

/** What became of the tunnel, from stunnel's own words; undefined when it says nothing about it. */
export const tunnelProblem = (said: string): 'AccessRefused' | 'ServerUnreachable' | undefined => {
  // A server that is just going away ends a handshake without an alert: that is no refusal.
  const refusals = said.split('\n').filter((line) => refusedByTls.test(line) && !/unexpected eof/.test(line));
  if (refusals.length > 0) return 'AccessRefused';
  return notReached.test(said) ? 'ServerUnreachable' : undefined;
};

/** What to call it that rsync ended with a code other than 0, having said this. */
export const rsyncProblem = (code: number, said: string): CopyProblem => {
  if (/max connections \(\d+\) reached/.test(said)) return 'Busy';
  if (/No space left on device|Disk quota exceeded/.test(said)) return 'TargetFull';
  if (/auth failed on module|Unknown module|access denied to/.test(said)) return 'AccessRefused';
  const tunnel = tunnelProblem(said);
  if (tunnel !== undefined) return tunnel;
  if (/\[sender\] (?:change_dir|link_stat|send_files failed|read errors)|read errors mapping/.test(said)) {
    return 'SourceMissing';
  }
  if (/\[(?:generator|receiver|Receiver)\] .*(?:open|mkstemp|failed verification).*(?:denied|No such)/.test(said)) {
    return 'TargetMissing';
  }
  // 5: no greeting. 10, 12: the connection ended. 20: the other side was told to end. 30, 35: it was silent.
  return [5, 10, 12, 20, 30, 35].includes(code) ? 'PeerSilent' : 'RsyncFailed';
};

/** Why an rsync that ended with code 0 did not copy the disk; undefined when it did (data plane §1.6). */
export const notWhole = (
  { files, literal, matched }: { readonly files: number; readonly literal: number; readonly matched: number },
  size: number,
): string | undefined => {
  if (files !== 1) return `rsync transferred ${files} files, expected 1`;
  if (literal + matched !== size) return `rsync covered ${literal + matched} of ${size} bytes`;
  return undefined;
};

/**
 * Whether rsync went over the one disk twice: where it looks for differences, short checksums first take some bytes for
 * others, most of all in logs; it finds that out at the end and sends these. It has then counted everything twice.
 */
export const wentTwice = (
  { files, literal, matched }: { readonly files: number; readonly literal: number; readonly matched: number },
  size: number,
): boolean => files === 2 && literal + matched === 2 * size;
