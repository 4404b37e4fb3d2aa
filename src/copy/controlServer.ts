// The server's side of the control conversation. A client says which module it means and its password, then may have
// the target prepared, and after rsync proved. One conversation holds a module: while it lasts no other client can
// discard under a copy that runs, and when it ends nothing of it can write any more. What a client may not do it cannot even say here.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { CopyProblem } from '../core/copyEndRecord.ts';
import { type Message, type Wire, wire } from './controlWire.ts';
import type { Disk } from './disk.ts';
import { log } from './output.ts';
import { endReceivers } from './receivers.ts';
import { prepareTarget, proveTarget, type Refusal, type Target } from './target.ts';

export interface ControlledModule {
  readonly target: Target;
  readonly password: string;
  /** The file that every rsync of the module has open, as the kernel names it. */
  readonly lockFile: string;
}

/** Who does not say its password in this time is not one of ours. */
const introductionMs = 30_000;

const sameText = (a: string, b: string): boolean =>
  timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());

/** The module that a client has proved to be its own; undefined for a name or a password that is not right. */
const introduced = (
  modules: ReadonlyMap<string, ControlledModule>,
  message: Message,
): { readonly name: string; readonly module: ControlledModule } | undefined => {
  const { module: name, password } = message;
  if (typeof name !== 'string' || typeof password !== 'string') return undefined;
  const module = modules.get(name);
  // A name that is not known takes as long as one that is.
  return sameText(password, module?.password ?? `not ${password}`) && module !== undefined
    ? { name, module }
    : undefined;
};

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

const refusalOf = ({ problem, err }: Refusal): Message => ({ t: 'refused', problem, err });

/** Answers what a client that holds a module asks for, until it leaves. */
const serve = async (line: Wire, { target }: ControlledModule): Promise<void> => {
  const left = new AbortController();
  void line.closed.then(() => left.abort());
  let ready: { readonly size: number; readonly disk: Disk } | undefined;
  for (let asked = await line.next(); asked !== undefined; asked = await line.next()) {
    const { t, size, fresh, digest } = asked;
    if (t === 'prepare' && isSize(size)) {
      const answer = await prepareTarget(target, size, fresh === true);
      ready = answer.kind === 'prepared' ? { size, disk: answer.disk } : undefined;
      if (answer.kind === 'prepared') line.send({ t: 'prepared', canDiscard: answer.canDiscard });
      else line.send(refusalOf(answer));
    } else if (t === 'prove' && ready !== undefined) {
      const answer = await proveTarget(target, ready, digest === true, left.signal);
      if (answer.kind === 'proved') line.send({ t: 'proved', flushed: answer.flushed, digest: answer.digest });
      else line.send(refusalOf(answer));
    } else {
      return;
    }
  }
};

const converse = async (
  socket: Socket,
  modules: ReadonlyMap<string, ControlledModule>,
  held: Set<string>,
  silenceMs: number,
): Promise<void> => {
  const line = wire(socket, socket, silenceMs);
  const stranger = setTimeout(() => line.close(), introductionMs);
  const first = await line.next();
  clearTimeout(stranger);
  if (first === undefined) return;
  const client = introduced(modules, first);
  const refuse = (problem: CopyProblem, err: string): Promise<unknown> => {
    log('A client was refused', { problem });
    line.end({ t: 'refused', problem, err });
    return line.closed;
  };
  if (client === undefined) {
    await refuse('AccessRefused', 'the server knows no such module and password');
    return;
  }
  if (held.has(client.name)) {
    await refuse('Busy', 'another client is being served');
    return;
  }
  held.add(client.name);
  log('A client is served', { module: client.name });
  try {
    // Of a client before that could not end it itself; the same when this one has left.
    await endReceivers(client.module.lockFile);
    line.send({ t: 'welcome' });
    await serve(line, client.module);
  } finally {
    line.close();
    await endReceivers(client.module.lockFile);
    held.delete(client.name);
    log('A client has left', { module: client.name });
  }
};

/** Listens on a socket in the working directory, which only the tunnel's other end uses. */
export const serveControl = (
  socketName: string,
  modules: ReadonlyMap<string, ControlledModule>,
  silenceMs: number,
): Server => {
  const held = new Set<string>();
  const server = createServer((socket) => {
    void converse(socket, modules, held, silenceMs).catch((error: unknown) => {
      log('A conversation failed', { err: String(error) });
      socket.destroy();
    });
  });
  server.maxConnections = 256;
  return server.listen(socketName);
};
