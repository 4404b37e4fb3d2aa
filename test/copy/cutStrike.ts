// How a cut is made: to a pod, to one of its programs, or to the network. What was stopped goes on when the cut says so;
// what was stopped for good is told to who plays the run.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cut, processBlows } from './cutPlan.ts';
import type { Relay } from './cutRelay.ts';
import { processesOf, type RunningPod } from './stage.ts';

export interface Struck {
  /** What was struck and how, such as `client's rsync SIGKILL`. */
  readonly name: string;
  /** The pod was stopped for good. */
  readonly lost: 'client' | 'server' | undefined;
  /** Lets go what was stopped for good. */
  readonly release: () => void;
}

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already, which is as good.
  }
};

/** Whom a signal is for: a process, or a whole pod as the negative number of its group. */
const aimOf = (pod: RunningPod, { place, which }: Cut): { readonly pid: number; readonly place: string } => {
  const [whole, program] = place.split("'s ") as [string, string | undefined];
  if (program === undefined) return { pid: -pod.pid, place };
  const found = processesOf(pod.pid).filter((each) => each.program === program);
  const pid = found[Math.floor(which * found.length)]?.pid;
  // Not started yet, or gone: then the one that starts it.
  return pid === undefined ? { pid: pod.pid, place: `${whole}'s entry` } : { pid, place };
};

const strikeNetwork = ({ blow, stoppedMs }: Cut, relay: Relay): Struck => {
  const name = `network ${blow}`;
  if (blow === 'reset') {
    relay.reset();
    return { name, lost: undefined, release: () => undefined };
  }
  const release = relay.hold();
  if (stoppedMs !== undefined) void sleep(stoppedMs).then(release);
  return { name, lost: undefined, release };
};

/** Strikes at once. */
export const strike = (cut: Cut, client: RunningPod, server: RunningPod, relay: Relay): Struck => {
  const blow = processBlows.find((each) => each === cut.blow);
  if (blow === undefined) return strikeNetwork(cut, relay);
  const whole = cut.place.startsWith('client') ? 'client' : 'server';
  const { pid, place } = aimOf(whole === 'client' ? client : server, cut);
  signal(pid, blow);
  const release = () => signal(pid, 'SIGCONT');
  if (blow === 'SIGSTOP' && cut.stoppedMs !== undefined) void sleep(cut.stoppedMs).then(release);
  const lost = blow === 'SIGSTOP' && cut.stoppedMs === undefined ? whole : undefined;
  return { name: `${place} ${blow}`, lost, release };
};
