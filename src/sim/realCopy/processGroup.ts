// A program in a process group of its own, as a container runtime has it in a container: asked to end alone, killed with
// everything it has started. Nothing is ever put into a shell.
// Guarantees: when it has ended, so have all whom it started, unless they left its group.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Observable, timer } from 'rxjs';
import type { ContainerLog } from './containerLog.ts';
import type { GuestUser } from './guestUser.ts';

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  /** Undefined: ourselves. */
  readonly user: GuestUser | undefined;
}

/** Exit codes as container runtimes give them. */
const notStarted = 128;
const signals: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15, SIGSEGV: 11 };

const pollMs = 10;
/** Who was killed and is not gone by then waits for a disk that does not answer. */
const mostPolls = 100;

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
};

/** State and group of a process as Linux tells them; its name, which may hold anything, stands in brackets before. */
const stateAndGroup = /\) (\w) \d+ (\d+) [^)]*$/;

const isOf = (pid: number, group: number): boolean => {
  try {
    const [, state = '', itsGroup] = stateAndGroup.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    // Nobody may ever ask for a process that lost its parent: then it stays in the list, though it is dead.
    return Number(itsGroup) === group && !'ZX'.includes(state);
  } catch {
    return false;
  }
};

const isGone = (group: number): boolean => {
  try {
    process.kill(-group, 0);
  } catch {
    return true;
  }
  return !readdirSync('/proc').some((name) => isOf(Number(name), group));
};

/** Runs the program; emits its exit code when all of the group is gone. Unsubscribing kills the group. */
export const processGroup = (program: Program, stop$: Observable<void>, log: ContainerLog): Observable<number> =>
  new Observable((subscriber) => {
    const { file, args, env, directory, user } = program;
    const child = spawn(file, args, {
      cwd: directory,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', log.output());
    const { pid } = child;
    const end = (exitCode: number): void => {
      subscriber.next(exitCode);
      subscriber.complete();
    };
    child.on('error', (error) => {
      if (pid !== undefined) return;
      log.output()(`${error.message}\n`);
      end(notStarted);
    });
    if (pid === undefined) return;
    let ended = false;
    child.once('exit', (code, signal) => {
      ended = true;
      killGroup(pid);
      const exitCode = code ?? 128 + (signals[signal ?? ''] ?? 0);
      subscriber.add(
        timer(0, pollMs).subscribe((polls) => {
          if (isGone(pid) || polls >= mostPolls) end(exitCode);
        }),
      );
    });
    subscriber.add(stop$.subscribe(() => child.kill('SIGTERM')));
    subscriber.add(() => {
      // Later the number may be another group's.
      if (!ended) killGroup(pid);
    });
  });
