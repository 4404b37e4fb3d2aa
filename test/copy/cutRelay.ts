// The network between a client and a server: takes connections at an address of its own and passes them on to the
// server's. Counts what passes, stops at a point to let something happen there, and fails as networks do: connections
// are reset, or nothing goes through for a while, and arrives late.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { controlPort, rsyncPort } from '../../src/copy/paths.ts';
import { afterwards } from '../main/process.ts';

type Line = 'rsync' | 'control';

/** So many bytes from the client to the server; of the control line both ways, and with `late` counted after rsync. */
export interface WirePoint {
  readonly line: Line;
  readonly bytes: number;
  readonly late: boolean;
}

interface Link {
  readonly attempt: number;
  readonly line: Line;
  readonly ends: readonly [Socket, Socket];
}

/** What waits at a point: everything behind it on that connection stays where it is until `then` has settled. */
interface Trap {
  left: number;
  readonly point: WirePoint;
  readonly then: () => Promise<void>;
}

const listen = async (address: string, port: number, take: (near: Socket) => void): Promise<void> => {
  const server = createServer({ allowHalfOpen: true }, take).listen(port, address);
  afterwards(() => server.close());
  await once(server, 'listening');
};

export const startRelay = async (address: string, server: string) => {
  const links = new Set<Link>();
  /** Attempts of which nothing goes through now. */
  const held = new Map<number, Promise<void>>();
  let attempt = 0;
  let passed = 0;
  let trap: Trap | undefined;
  let rsyncSeen = false;

  const rsyncIsOver = (): boolean => rsyncSeen && ![...links].some((link) => isNow(link) && link.line === 'rsync');
  const isNow = (link: Link): boolean => link.attempt === attempt;

  /** How many of these bytes may pass before the trap closes; undefined: all. */
  const untilTrap = (link: Link, toServer: boolean, bytes: number): number | undefined => {
    if (trap === undefined || !isNow(link) || link.line !== trap.point.line) return undefined;
    if (link.line === 'rsync' ? !toServer : trap.point.late && !rsyncIsOver()) return undefined;
    if (bytes < trap.left) {
      trap.left -= bytes;
      return undefined;
    }
    return trap.left;
  };

  const pass = async (link: Link, toServer: boolean, piece: Buffer, out: Transform): Promise<void> => {
    if (isNow(link) && link.line === 'rsync') passed += piece.length;
    const free = untilTrap(link, toServer, piece.length);
    const sprung = free === undefined ? undefined : trap;
    if (sprung !== undefined) {
      trap = undefined;
      out.push(piece.subarray(0, free));
      await sprung.then();
    }
    await held.get(link.attempt);
    out.push(piece.subarray(free ?? 0));
  };

  const through = (link: Link, toServer: boolean): Transform =>
    new Transform({
      transform(piece: Buffer, _, done) {
        void pass(link, toServer, piece, this).then(() => done());
      },
      flush(done) {
        void Promise.resolve(held.get(link.attempt)).then(() => done());
      },
    });

  const take = (line: Line, port: number) => (near: Socket) => {
    const far = connect({ host: server, port, allowHalfOpen: true });
    const link: Link = { attempt, line, ends: [near, far] };
    links.add(link);
    if (line === 'rsync') rsyncSeen = true;
    near.pipe(through(link, true)).pipe(far);
    far.pipe(through(link, false)).pipe(near);
    // A server that is not there: an end is nearest to the refusal that the client would have met.
    far.on('error', () => near.end().resume());
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => undefined);
      from.on('close', (broken) => {
        if (near.closed && far.closed) links.delete(link);
        if (broken) void Promise.resolve(held.get(link.attempt)).then(() => to.destroy());
      });
    }
  };

  await listen(address, rsyncPort, take('rsync', rsyncPort));
  await listen(address, controlPort, take('control', controlPort));
  const cut = () => {
    for (const { ends } of links) for (const end of ends) end.destroy();
  };
  afterwards(cut);

  return {
    address,
    /** From here on all connections are another attempt's. */
    begin: (): void => {
      attempt += 1;
      passed = 0;
      trap = undefined;
      rsyncSeen = false;
    },
    /** Bytes of this attempt on rsync's line, both ways, with what TLS adds. */
    passed: (): number => passed,
    at: (point: WirePoint, then: () => Promise<void>): void => {
      trap = { left: point.bytes, point, then };
    },
    reset: (): void => {
      for (const link of links) if (isNow(link)) for (const end of link.ends) end.resetAndDestroy();
    },
    /** Lets nothing of this attempt through any more, also of connections to come; gives what lets it through late. */
    hold: (): (() => void) => {
      const now = attempt;
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(now, promise);
      return () => {
        held.delete(now);
        resolve();
      };
    },
    /** No connection is left. */
    isIdle: (): boolean => links.size === 0,
    close: cut,
  };
};

export type Relay = Awaited<ReturnType<typeof startRelay>>;
