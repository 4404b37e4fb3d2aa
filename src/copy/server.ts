// Serves the targets of one transfer group: stunnel at two ports of the pod, behind it rsync, one process for each
// client, and the control conversation. Runs until it is told to end, or until stunnel ends by itself.
//
// Guarantees: when it has ended, nothing that it started can write to a target any more.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { parseServer, type ServerArguments } from './arguments.ts';
import { type Child, startChild } from './child.ts';
import { type ControlledModule, serveControl } from './controlServer.ts';
import { CopyError } from './copyError.ts';
import { explanation } from './endRecord.ts';
import { log, passOn } from './output.ts';
import { type Paths, pathsBelow } from './paths.ts';
import { type RsyncdModule, rsyncdConfig, rsyncdFiles } from './rsyncdConfig.ts';
import { pskFileOf, readPassword, readPsk, rsyncdSecretsOf, writePrivate } from './secrets.ts';
import { files, serverTunnel } from './stunnelConfig.ts';

/** How a server ended that was not told to. */
export interface ServerEnd {
  readonly rc: number;
  readonly problem: 'BadArguments' | 'BadSecrets' | 'TunnelEnded';
  readonly err: string;
}

const rsync = '/usr/bin/rsync';

const argumentsFrom = (
  words: readonly string[],
  podIp: string | undefined,
  root: string | undefined,
): [ServerArguments, Paths] => {
  const parsed = parseServer(words, podIp);
  const paths = pathsBelow(root);
  const mistakes = [
    ...(parsed.kind === 'mistakes' ? parsed.mistakes : []),
    ...(paths === undefined ? ['TRANSSHIP_ROOT: expected a plain absolute path'] : []),
  ];
  if (parsed.kind === 'mistakes' || paths === undefined) throw new CopyError('BadArguments', mistakes.join('\n'));
  return [parsed.arguments, paths];
};

/** Makes the folder for work files the working directory, and tells how the kernel names it. */
const enterWork = (paths: Paths): string => {
  mkdirSync(paths.work, { recursive: true });
  process.chdir(paths.work);
  return process.cwd();
};

/** Writes what stunnel and rsync are to read, into the working directory. */
const layOut = (
  given: ServerArguments,
  work: string,
  psk: string,
  passwords: ReadonlyMap<string, string>,
  modules: readonly RsyncdModule[],
): void => {
  writePrivate(files.psk, pskFileOf(psk));
  writePrivate(rsyncdFiles.secrets, rsyncdSecretsOf(passwords));
  const rootGroup = process.getuid?.() === 0 ? process.getgid?.() : undefined;
  writePrivate(rsyncdFiles.config, rsyncdConfig(modules, work, rootGroup, given.timeoutSeconds));
  writePrivate(files.server, serverTunnel(given.address, given.timeoutSeconds, rsync, `${work}/${rsyncdFiles.config}`));
};

interface Tunnel {
  readonly child: Child;
  readonly said: readonly string[];
  /** Settles when stunnel and every rsync that it has started are gone. */
  readonly gone: Promise<unknown>;
}

/**
 * Starts stunnel. What rsync logs comes through a named pipe, whose other end stunnel and every rsync inherit: it is
 * closed when the last of them is gone, and only then.
 */
const startTunnel = (): Tunnel => {
  rmSync(rsyncdFiles.log, { force: true });
  execFileSync('mkfifo', ['-m', '600', rsyncdFiles.log]);
  const reading = openSync(rsyncdFiles.log, constants.O_RDONLY | constants.O_NONBLOCK);
  const writing = openSync(rsyncdFiles.log, constants.O_WRONLY);
  const child = startChild('stunnel', [files.server], ['ignore', 'pipe', 'pipe', writing]);
  closeSync(writing);
  const logged = new Socket({ fd: reading, readable: true, writable: false });
  passOn('rsync', logged);
  const { stderr, stdout } = child.process;
  if (stdout === null || stderr === null) throw new Error('stunnel was started without pipes');
  stdout.resume();
  return { child, said: passOn('stunnel', stderr).last, gone: once(logged, 'end') };
};

const controlledOf = (
  modules: readonly RsyncdModule[],
  paths: Paths,
  passwords: ReadonlyMap<string, string>,
): ReadonlyMap<string, ControlledModule> =>
  new Map(
    modules.map(({ name, kind, folder, lockFile }) => {
      const standIn = paths.embedded && kind === 'block';
      const target = { path: paths.diskOf(name, kind), folder, kind, standIn };
      return [name, { target, password: passwords.get(name) ?? '', lockFile }];
    }),
  );

/** Undefined after an end that was asked for. */
export const runServer = async (
  words: readonly string[],
  environment: { readonly podIp: string | undefined; readonly root: string | undefined },
  stop: AbortSignal,
): Promise<ServerEnd | undefined> => {
  const stopped = new Promise<undefined>((resolve) => {
    if (stop.aborted) resolve(undefined);
    else stop.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    const [given, paths] = argumentsFrom(words, environment.podIp, environment.root);
    const psk = readPsk(paths.psk);
    const passwords = new Map(given.disks.map(({ name }) => [name, readPassword(paths.passwordOf(name))]));
    const work = enterWork(paths);
    const modules = given.disks.map(({ name, kind }, index) => ({
      ...{ name, kind, folder: paths.folderOf(name, kind) },
      // By number: a claim's name can be as long as a file's may be.
      lockFile: join(work, `rsync-${index}.lock`),
    }));
    layOut(given, work, psk, passwords, modules);
    rmSync(files.controlSocket, { force: true });
    const controlled = controlledOf(modules, paths, passwords);
    const control = serveControl(files.controlSocket, controlled, given.timeoutSeconds * 1000);
    await once(control, 'listening');
    const { child, said, gone } = startTunnel();
    log('The server has started', { address: given.address });
    const code = await Promise.race([child.ended, stopped]);
    log(code === undefined ? 'The server was told to end' : 'stunnel has ended');
    await child.stop();
    await gone;
    return code === undefined ? undefined : { rc: code, problem: 'TunnelEnded', err: explanation(said) };
  } catch (error) {
    if (error instanceof CopyError && (error.problem === 'BadArguments' || error.problem === 'BadSecrets')) {
      return { rc: 0, problem: error.problem, err: explanation([error.message]) };
    }
    throw error;
  }
};
