// Runs Transship as people run it, as a process of its own, and tells what can be seen of it from outside: its log,
// its pages and its end. Whatever a test leaves running is killed after it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect } from 'vitest';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  const failures: unknown[] = [];
  for (const step of cleanUp.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      // What one step could not do is no reason to leave the rest lying.
      failures.push(error);
    }
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `not everything was left as it was: ${failures.join('; ')}`);
});

/** Does this when the test is over, the last first. */
export const afterwards = (step: () => unknown): void => {
  cleanUp.push(step);
};

/** Far longer than anything takes that works. */
const patienceMs = 60_000;

/** Waits until `holds` gives something other than false or undefined. `seen` tells what there was instead. */
export const until = async <T>(
  holds: () => T | Promise<T>,
  seen: () => unknown = () => holds.toString(),
): Promise<Exclude<T, undefined | false>> => {
  for (const startMs = Date.now(); Date.now() - startMs < patienceMs; ) {
    const found = await holds();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    await sleep(10);
  }
  throw new Error(`waited in vain, with: ${seen()}`);
};

/** A folder that goes with the test. */
export const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'transship-'));
  afterwards(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

export const token = 'a-token-that-nobody-may-see';

/** Writes a kubeconfig for a server; gives its path. */
export const kubeConfigFor = (server: string, userToken = token): string => {
  const path = join(folder(), 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server } }],
    users: [{ name: 'test', user: { token: userToken } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
};

/** A port on which nothing listens, and on which something may soon. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  await new Promise((closed) => server.close(closed));
  return address.port;
};

/** One line of the log. */
export type Line = Readonly<Record<string, unknown>> & { readonly msg: string; readonly level: string };

export interface Page {
  readonly status: number;
  readonly body: string;
}

export interface Transship {
  readonly pid: number;
  readonly lines: readonly Line[];
  /** Everything that was written to stdout, and to stderr. */
  stdout(): string;
  stderr(): string;
  /** The first line that matches, as soon as it is there; fails when the process has ended without it. */
  logged(message: string, matches?: (line: Line) => boolean): Promise<Line>;
  page(path: '/metrics' | '/healthz' | '/readyz'): Promise<Page>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

const lineOf = (text: string): Line => {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { level: 'none', msg: text };
  }
};

/** Environment without what would configure the process from outside. */
const environment = (extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TRANSSHIP_|KUBE|POD_NAME)/.test(name))),
  ...extra,
});

/** Starts the process with these arguments. */
export const transship = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Transship => {
  const child: ChildProcess = spawn(process.execPath, [main, ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (text) => lines.push(lineOf(text)));
  let over: number | NodeJS.Signals | undefined;
  const ended = once(child, 'close').then(([code, signal]) => {
    over = (code ?? signal) as number | NodeJS.Signals;
    return over;
  });
  afterwards(async () => {
    if (over === undefined) child.kill('SIGKILL');
    await ended;
  });
  const logged = (message: string, matches: (line: Line) => boolean = () => true): Promise<Line> =>
    until(
      () => {
        const found = lines.find((line) => line.msg === message && matches(line));
        if (found === undefined && over !== undefined) {
          throw new Error(`ended with ${over} and never logged "${message}":\n${out}${err}`);
        }
        return found;
      },
      () => `"${message}" in\n${out}${err}`,
    );
  return {
    pid: child.pid ?? 0,
    lines,
    stdout: () => out,
    stderr: () => err,
    logged,
    page: async (path) => {
      const { port } = await logged('Transship has started');
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, body: await response.text() };
    },
    kill: (signal) => child.kill(signal),
    ended,
  };
};

/** Starts the process as a daemon for a server, in a hurry. Durations that are given count more. */
export const daemonFor = (
  server: string,
  args: readonly string[] = [],
  userToken = token,
  env: Readonly<Record<string, string>> = {},
): Transship => {
  const hurried: readonly (readonly [string, string])[] = [
    ['kubeconfig', kubeConfigFor(server, userToken)],
    ['http-address', '127.0.0.1:0'],
    ['request-timeout', '1s'],
    ['startup-hold', '1s'],
    ['late-write', '1s'],
    ['cut-over-quiet', '1s'],
    ['settle', '50ms'],
    ['settle-max', '500ms'],
    ['gather', '250ms'],
    ['move-gap', '250ms'],
    ['status-interval', '50ms'],
    ['copy-retry', '50ms'],
    ['watch-backoff', '20ms'],
    ['watch-backoff-max', '100ms'],
    ['retry', '20ms'],
    ['retry-max', '200ms'],
  ];
  const given = new Set(args.map((each) => each.split('=')[0]));
  const defaults = hurried.flatMap(([flag, value]) => (given.has(`--${flag}`) ? [] : [`--${flag}=${value}`]));
  return transship([...defaults, ...args], env);
};

/** For who expects no request to be given up, even where the machine stands still for a second. */
export const patient = ['--request-timeout=5s', '--startup-hold=5s', '--late-write=5s'] as const;

/** Waits for a page to have this status and these parts in it; gives the page. */
export const pageWith = async (
  daemon: Transship,
  path: '/healthz' | '/readyz',
  status: number,
  ...parts: readonly string[]
): Promise<Page> => {
  let last: Page | undefined;
  return until(
    async () => {
      last = await daemon.page(path);
      return last.status === status && parts.every((part) => last?.body.includes(part)) && last;
    },
    () => `${path} ${JSON.stringify(last)} instead of ${status} with ${parts.join(', ')}\n${daemon.stdout()}`,
  );
};

/** The value of a sample in a page of metrics, `name{label="value"}`; 0 when absent. */
const sampleIn = (body: string, name: string): number => {
  const line = body.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
};

/**
 * Waits for a page of metrics with these samples, each a value or a test of it. What is counted when an answer comes may
 * be counted after others could see what was asked for, so no page is final by itself.
 */
export const pageOfMetrics = async (
  daemon: Transship,
  wanted: Readonly<Record<string, number | ((value: number) => boolean)>>,
): Promise<void> => {
  let different: readonly string[] = [];
  await until(
    async () => {
      const { body } = await daemon.page('/metrics');
      different = Object.entries(wanted).flatMap(([name, value]) => {
        const found = sampleIn(body, name);
        return (typeof value === 'number' ? found === value : value(found)) ? [] : [`${name} ${found} not ${value}`];
      });
      return different.length === 0;
    },
    () => different.join('\n'),
  );
};

/** What holds of every log: each line is JSON with a message that does not vary, and no secret is in it. */
export const expectGoodLog = (daemon: Transship): void => {
  // A line whose end is still on its way is none yet.
  const texts = daemon.stdout().split('\n').slice(0, -1);
  for (const text of texts) {
    expect(JSON.parse(text), text).toMatchObject({
      level: expect.stringMatching(/^(debug|info|warn|error|fatal)$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      msg: expect.stringMatching(/^[A-Z][a-zA-Z ,:]+$/),
    });
  }
  expect(daemon.stdout() + daemon.stderr()).not.toContain(token);
  expect(daemon.stderr()).toBe('');
};
