// Copies one disk to a server and says honestly how it went. The whole way in one place: arguments, secrets, source,
// connect, prepare, copy, prove, done; each stage is entered in the end record before it begins.
//
// Guarantees: `done` is said only of a copy that rsync covered whole, whose source did not change its size, and that the
// server has flushed and, if asked, read again. May be run again after any end: it begins anew and uses what is there.
import { constants, mkdirSync } from 'node:fs';
import { errorMessage } from '../core/errorMessage.ts';
import { type ClientArguments, parseClient } from './arguments.ts';
import { type Control, openControl } from './controlClient.ts';
import { CopyError } from './copyError.ts';
import { digestOf } from './digest.ts';
import { openDisk } from './disk.ts';
import { type EndRecord, explanation, notWhole, rsyncProblem, wentTwice } from './endRecord.ts';
import { controlPort, type Paths, pathsBelow, rsyncPort } from './paths.ts';
import { rsyncCommand } from './rsyncCommand.ts';
import { runRsync } from './runRsync.ts';
import { pskFileOf, readPassword, readPsk, writePrivate } from './secrets.ts';
import { inspectSource, type Source, sourceSize } from './source.ts';
import { clientTunnel, files, nobodysCertificate } from './stunnelConfig.ts';

/** What is known so far; becomes the end record whenever the end comes. */
type Draft = { -readonly [Field in keyof EndRecord]: EndRecord[Field] };

const passwordFile = 'rsync.password';

/** How long the end may take once it was asked for; a pod that is asked to end shall be gone within a second. */
const cancelMs = 700;

const argumentsFrom = (words: readonly string[], root: string | undefined): [ClientArguments, Paths] => {
  const parsed = parseClient(words);
  const paths = pathsBelow(root);
  const mistakes = [
    ...(parsed.kind === 'mistakes' ? parsed.mistakes : []),
    ...(paths === undefined ? ['TRANSSHIP_ROOT: expected a plain absolute path'] : []),
  ];
  if (parsed.kind === 'mistakes' || paths === undefined) throw new CopyError('BadArguments', mistakes.join('\n'));
  return [parsed.arguments, paths];
};

/** Writes what rsync and stunnel are to read, and makes the folder of it the working directory. */
const layOut = (given: ClientArguments, paths: Paths): { readonly password: string } => {
  const psk = readPsk(paths.psk);
  const password = readPassword(paths.password);
  mkdirSync(paths.work, { recursive: true });
  process.chdir(paths.work);
  writePrivate(files.psk, pskFileOf(psk));
  writePrivate(files.nobody, nobodysCertificate);
  writePrivate(files.rsync, clientTunnel(given.server, rsyncPort, given.timeoutSeconds));
  writePrivate(files.control, clientTunnel(given.server, controlPort, given.timeoutSeconds));
  writePrivate(passwordFile, `${password}\n`);
  return { password };
};

/** Runs rsync, for as long as the server is heard on the other line. */
const transfer = async (draft: Draft, command: readonly string[], control: Control, stop: AbortSignal) => {
  const unheard = new AbortController();
  let lost: CopyError | undefined;
  void control.lost.then((failure) => {
    lost = failure;
    unheard.abort();
  });
  const { code, statistics, said } = await runRsync(command, draft.size, AbortSignal.any([stop, unheard.signal]));
  Object.assign(draft, { rc: code, ...statistics });
  stop.throwIfAborted();
  if (code === 0) return;
  if (lost !== undefined) throw new CopyError(lost.problem, [...said, lost.message].join('\n'), code);
  throw new CopyError(rsyncProblem(code, said.join('\n')), explanation(said) || `rsync ended with code ${code}`, code);
};

/** Has the target flushed and looked at; reads both disks again if digests were asked for. */
const prove = async (draft: Draft, path: string, control: Control, verify: boolean, stop: AbortSignal) => {
  const digest = async (): Promise<string> => {
    const disk = await openDisk(path, constants.O_RDONLY);
    try {
      return await digestOf(disk, draft.size, stop);
    } finally {
      await disk.close();
    }
  };
  const [answer, sourceDigest] = await Promise.all([
    control.ask({ t: 'prove', digest: verify }),
    verify ? digest() : undefined,
  ]);
  if (answer['flushed'] !== true) throw new CopyError('NotFlushed', 'the server did not say that it has flushed');
  draft.flushed = true;
  if (sourceDigest === undefined) return;
  draft.sourceDigest = sourceDigest;
  draft.targetDigest = String(answer['digest']);
  if (draft.sourceDigest !== draft.targetDigest) {
    throw new CopyError('DigestDiffers', 'source and target were read again and differ');
  }
};

const copy = async (draft: Draft, words: readonly string[], root: string | undefined, stop: AbortSignal) => {
  const [given, paths] = argumentsFrom(words, root);
  draft.stage = 'secrets';
  const { password } = layOut(given, paths);
  draft.stage = 'source';
  const source: Source = {
    path: paths.diskOf(given.module, given.source),
    kind: given.source,
    standIn: paths.embedded,
  };
  const { path } = source;
  const size = await inspectSource(source, given.target);
  draft.size = size;
  draft.stage = 'connect';
  const control = await openControl({ module: given.module, password }, given.timeoutSeconds * 1000, stop);
  try {
    draft.stage = 'prepare';
    const prepared = await control.ask({ t: 'prepare', size, fresh: given.fresh });
    draft.stage = 'copy';
    const canDiscard = prepared['canDiscard'] === true;
    const command = rsyncCommand({ ...given, path, passwordFile, tunnel: files.rsync, canDiscard });
    await transfer(draft, command, control, stop);
    if (wentTwice(draft, size)) {
      // Only what one pass covers is believed, and now it finds nothing to send.
      const { wireBytes } = draft;
      await transfer(draft, command, control, stop);
      draft.wireBytes += wireBytes;
    }
    const uncovered = notWhole(draft, size);
    if (uncovered !== undefined) throw new CopyError('NotWhole', uncovered);
    if ((await sourceSize(source)) !== size) {
      throw new CopyError('NotWhole', 'the source has changed its size');
    }
    draft.stage = 'prove';
    await prove(draft, path, control, given.verify, stop);
    draft.stage = 'done';
  } finally {
    await control.close();
  }
};

/** Never throws: whatever happens is an end record. */
export const runClient = async (
  words: readonly string[],
  root: string | undefined,
  stop: AbortSignal,
): Promise<EndRecord> => {
  const numbers = { rc: 0, files: 0, literal: 0, matched: 0, size: 0, wireBytes: 0 };
  const draft: Draft = { stage: 'arguments', ...numbers, problem: '', flushed: false, err: '' };
  const cancelled = new Promise<never>((_, reject) => {
    const late = () => void setTimeout(() => reject(stop.reason), cancelMs);
    if (stop.aborted) late();
    else stop.addEventListener('abort', late, { once: true });
  });
  try {
    await Promise.race([copy(draft, words, root, stop), cancelled]);
    return draft;
  } catch (error) {
    if (stop.aborted) return { ...draft, rc: 20, problem: 'Cancelled', err: `told to end at stage ${draft.stage}` };
    const failure = error instanceof CopyError ? error : new CopyError('RsyncFailed', errorMessage(error));
    return { ...draft, problem: failure.problem, err: failure.message };
  }
};
