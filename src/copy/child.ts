// Starts the programs that do the work: without a shell, with an environment that holds nothing of ours, and never to
// outlive us. How one ended is a number, so that nobody has to tell codes from signals.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface Child {
  readonly process: ChildProcess;
  /**
   * Exit code; 128 and the signal's number if one ended it; 127 if it could not be started. All output was read, unless
   * somebody whom it started holds the other end and does not end.
   */
  readonly ended: Promise<number>;
  /** Ends it: SIGTERM, and SIGKILL for one that does not listen. */
  stop(): Promise<void>;
}

const graceMs = 400;
const drainMs = 200;

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const each of alive) each.kill('SIGKILL');
});

export const startChild = (program: string, args: readonly string[], stdio: StdioOptions): Child => {
  // C: what they say is read.
  const child = spawn(program, args, { stdio, env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  alive.add(child);
  const exited = Promise.withResolvers<void>();
  const ended = new Promise<number>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    child.on('close', end);
    child.on('exit', (code, signal) => {
      exited.resolve();
      setTimeout(end, drainMs, code, signal).unref();
    });
    child.on('error', () => {
      if (child.pid !== undefined) return;
      exited.resolve();
      resolve(127);
    });
  });
  void exited.promise.then(() => alive.delete(child));
  // A pipe whose other end has gone says so here; how the program ended says more.
  child.stdin?.on('error', () => undefined);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await exited.promise;
    clearTimeout(timer);
  };
  return { process: child, ended, stop };
};

/** Runs a program to its end; what it printed, and its last words if it failed. */
export const runChild = async (
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> => {
  const child = startChild(program, args, ['ignore', 'pipe', 'pipe']);
  let [out, err] = ['', ''];
  child.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const code = await child.ended;
  return { code, out, err: err.trim().slice(0, 300) };
};
