// Programs that the benchmark runs: to their end, or in the background until they are stopped. All stay in this process's
// session: Linux shares processors out by session, and a way with more of them would get more. No value ever goes
// through a shell.
// Guarantees: none of them outlives this process, whatever ends it short of SIGKILL.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

export interface Ended {
  readonly code: number;
  /** Everything that it wrote to both outputs. */
  readonly text: string;
}

export interface Background {
  readonly ended: Promise<Ended>;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

const alive = new Set<number>();

const childrenOf = (pid: number): readonly number[] => {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
      .filter((text) => text !== '')
      .map(Number);
  } catch {
    // It has ended, or the kernel does not tell.
    return [];
  }
};

const withDescendants = (pid: number): readonly number[] => [pid, ...childrenOf(pid).flatMap(withDescendants)];

process.on('exit', () => {
  for (const pid of [...alive].flatMap(withDescendants)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
});

/** Starts a program that runs until it is stopped. */
export const start = (file: string, args: readonly string[], { env, directory }: Surroundings = {}): Background => {
  const child = spawn(file, args, {
    cwd: directory,
    // C: what they say is shown to people and read by programs alike.
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid !== undefined) alive.add(pid);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  }
  const ended = new Promise<Ended>((resolve) => {
    child.on('error', (error) => {
      if (pid === undefined) resolve({ code: 127, text: error.message });
    });
    child.on('exit', (code) => {
      if (pid === undefined) return;
      alive.delete(pid);
      child.once('close', () => resolve({ code: code ?? 128, text }));
    });
  });
  return {
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
};

/** Runs a program to its end. */
export const run = (file: string, args: readonly string[], surroundings?: Surroundings): Promise<Ended> =>
  start(file, args, surroundings).ended;

/** The same for a program that has to end well; throws what it said. */
export const mustRun = async (file: string, args: readonly string[], surroundings?: Surroundings): Promise<string> => {
  const { code, text } = await run(file, args, surroundings);
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${text.trim().slice(-2000)}`);
  return text;
};

/** The Debian package of a program that is not there; undefined when it is there. */
export const lacking = (file: string, debian: string): string | undefined =>
  spawnSync(file, ['--version'], { stdio: 'ignore' }).error === undefined ? undefined : debian;

const pollMs = 5;
const patienceMs = 30_000;

/** Resolves when somebody listens there. Throws what `background` said when it ends before. */
export const listening = async (host: string, port: number, background: Background): Promise<void> => {
  const gone = background.ended.then(({ code, text }): never => {
    throw new Error(`a server ended with ${code}: ${text.trim().slice(-2000)}`);
  });
  gone.catch(() => undefined);
  const answers = async (): Promise<boolean> => {
    const socket = connect({ host, port });
    const heard = once(socket, 'connect').then(
      () => true,
      () => false,
    );
    const found = await heard;
    socket.destroy();
    return found;
  };
  for (const startMs = performance.now(); !(await Promise.race([answers(), gone])); ) {
    if (performance.now() - startMs > patienceMs) throw new Error(`nobody listens on ${host}:${port}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
};
