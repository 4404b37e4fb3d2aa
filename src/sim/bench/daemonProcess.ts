// The real daemon as the benchmark starts it: a process of its own as in its image, with its default options, a
// kubeconfig that leads to the simulated cluster, and nothing of the environment of who runs the benchmark.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { memorySettings } from './builtProgram.ts';

export interface DaemonProcess {
  /** When the process was started, in ms since the epoch. */
  readonly startedMs: number;
  /** When /readyz answered 200. */
  readonly readyMs: number;
  /** What the daemon's own metrics say of its process. */
  usage(): Promise<{ readonly residentBytes: number; readonly cpuSeconds: number }>;
  /** Tells it to end; resolves with what is wrong with its end, undefined if nothing. */
  end(): Promise<string | undefined>;
}

const pollMs = 10;
const patienceMs = 120_000;

const clock = (): number => performance.timeOrigin + performance.now();
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A page of the daemon; not `ok` while it is too busy to answer. Every request has a connection of its own. */
const pageOf = (url: string): Promise<{ readonly ok: boolean; readonly text: string }> =>
  new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ ok: false, text: error.message });
    get(url, { agent: false }, (response) => {
      response.once('error', failed);
      text(response).then((body) => resolve({ ok: response.statusCode === 200, text: body }), failed);
    }).once('error', failed);
  });

/** Starts a daemon, `program` being a file for Node, and waits until it is ready. `profile`: a folder for its CPU profile. */
export const startDaemon = async (
  program: string,
  kubeconfig: string,
  profile: string | undefined,
): Promise<DaemonProcess> => {
  const { nodeOptions, environment } = memorySettings;
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const args = [...nodeOptions, ...profiling, program, `--kubeconfig=${kubeconfig}`, '--http-address=127.0.0.1:0'];
  const startedMs = clock();
  const child = spawn(process.execPath, args, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const killChild = (): void => void child.kill('SIGKILL');
  process.once('exit', killChild);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const log = createInterface({ input: child.stdout });
  const address = new Promise<string>((resolve, reject) => {
    log.on('line', (line) => {
      const { port } = JSON.parse(line) as { readonly port?: number };
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
    void exited.then(([code, signal]) => reject(new Error(`the daemon has ended (${signal ?? code})`)));
  });
  const base = await address;
  const end = async (): Promise<string | undefined> => {
    child.kill('SIGTERM');
    const [code, signal] = await exited;
    process.off('exit', killChild);
    return code === 0 ? undefined : `the daemon ended with ${signal ?? code} when it was told to end`;
  };
  for (;;) {
    const page = await pageOf(`${base}/readyz`);
    if (page.ok) break;
    if (clock() - startedMs > patienceMs) {
      await end();
      throw new Error(`the daemon was not ready within ${patienceMs} ms: ${page.text}`);
    }
    await wait(pollMs);
  }
  return {
    startedMs,
    readyMs: clock(),
    usage: async () => {
      const page = await pageOf(`${base}/metrics`);
      const read = (name: string): number => {
        const found = new RegExp(`^${name}(?:{[^}]*})? (\\S+)`, 'm').exec(page.text)?.[1];
        if (found === undefined) throw new Error(`the metrics do not tell ${name}`);
        return Number(found);
      };
      return {
        residentBytes: read('process_resident_memory_bytes'),
        cpuSeconds: read('process_cpu_seconds_total'),
      };
    },
    end,
  };
};
