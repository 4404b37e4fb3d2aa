// Judges how one copy pod fared. Exit code 0 alone is never success: rsync has ended so without copying anything
// (data plane §2). Pure; the only place where a copy is believed to be whole.
import { type CopyEndRecord, parseCopyEndRecord } from './copyEndRecord.ts';
import { type CopyFailure, copyFailure } from './copyFailure.ts';
import { hasEnded } from './hasEnded.ts';
import type { Pod } from './objects.ts';

/** `running` covers everything before the end. */
export type CopyResult =
  | { readonly kind: 'running' }
  | { readonly kind: 'whole' }
  | ({ readonly kind: 'failed' } & CopyFailure);

const failed = (...failure: Parameters<typeof copyFailure>): CopyResult => ({
  kind: 'failed',
  ...copyFailure(...failure),
});

const numberText = (value: number | undefined): string => `${value ?? 'unknown'}`;

/**
 * Whole is: the client ended with code 0, believes in its copy, and its end record proves it: exactly one file was
 * transferred, literal plus matched bytes are the size of the source, which is not 0, and the target was flushed
 * (data plane §1). With `verify`, digests of source and target must be there as well; wherever they are, they must agree.
 */
export const copyResultOf = (client: Pod, verify: boolean): CopyResult => {
  if (!hasEnded(client)) return { kind: 'running' };
  if (client.ended === undefined)
    return failed('CopyPodFailed', client.trouble || 'the copy pod has ended without a word');
  const { exitCode, message } = client.ended;
  const end = parseCopyEndRecord(message);
  if (end === undefined) {
    const words = client.trouble || message;
    return failed(
      'NoEndRecord',
      `the copy ended with code ${exitCode} and left no end record${words === '' ? '' : `: ${words}`}`,
    );
  }
  if (exitCode !== 0 || end.stage !== 'done' || end.problem !== '') return unfinished(exitCode, end);
  return proofOf(end, verify);
};

const unfinished = (exitCode: number, { stage, problem, err }: CopyEndRecord): CopyResult => {
  const at = `the copy ended with code ${exitCode} in stage ${stage ?? 'unknown'}`;
  return failed(problem || 'RsyncFailed', err === undefined || err === '' ? at : err);
};

const proofOf = (end: CopyEndRecord, verify: boolean): CopyResult => {
  const { files, literal, matched, size, flushed, sourceDigest, targetDigest } = end;
  if (files !== 1) return failed('NotWhole', `rsync ended well but transferred ${numberText(files)} files, expected 1`);
  const covered = literal === undefined || matched === undefined ? undefined : literal + matched;
  if (covered === undefined || covered !== size || size <= 0) {
    return failed('NotWhole', `rsync ended well but covered ${numberText(covered)} of ${numberText(size)} bytes`);
  }
  if (flushed !== true) return failed('NotFlushed', 'the target was not flushed to its storage');
  if (sourceDigest !== targetDigest) return failed('DigestDiffers', 'source and target were read again and differ');
  if (verify && sourceDigest === undefined) return failed('NotVerified', 'source and target were not compared');
  return { kind: 'whole' };
};
