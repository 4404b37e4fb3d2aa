// Judges how one copy pod fared. Exit code 0 alone is never success: rsync has ended so without copying anything
// (data plane, silent traps). Pure; the only place where a copy is believed to be whole.
import type { Pod } from './objects.ts';

/** `running` covers everything before the end. `message` is for people. */
export type CopyResult =
  | { readonly kind: 'running' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'failed'; readonly message: string };

const failed = (message: string): CopyResult => ({ kind: 'failed', message });

const numberIn = (end: Readonly<Record<string, unknown>>, name: string): number => {
  const value = end[name];
  return typeof value === 'number' ? value : Number.NaN;
};

const parseEnd = (message: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Whole is: the client ended with code 0 and its end record says that exactly one file was transferred and that
 * literal plus matched bytes are the size of the source, which is not 0.
 */
export const copyResultOf = (client: Pod): CopyResult => {
  if (client.phase !== 'Succeeded' && client.phase !== 'Failed') return { kind: 'running' };
  if (client.ended === undefined) return failed(client.trouble || 'the copy pod ended without saying how');
  const { exitCode, message } = client.ended;
  const end = parseEnd(message);
  if (exitCode !== 0) {
    const said = typeof end?.['err'] === 'string' && end['err'] !== '' ? end['err'] : message.slice(0, 300);
    return failed(`rsync ended with code ${exitCode}${said === '' ? '' : `: ${said}`}`);
  }
  if (end === undefined) return failed('rsync ended with code 0 but left no end record');
  const files = numberIn(end, 'files');
  const sent = numberIn(end, 'literal') + numberIn(end, 'matched');
  const size = numberIn(end, 'size');
  if (files !== 1) return failed(`rsync ended with code 0 but transferred ${files} files, expected 1`);
  if (!(sent === size && size > 0)) return failed(`rsync ended with code 0 but covered ${sent} of ${size} bytes`);
  return { kind: 'whole' };
};
