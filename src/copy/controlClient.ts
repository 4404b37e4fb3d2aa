// The client's side of the control conversation, through a tunnel of its own that lives as long as the copy. Tries for a
// while to be let in: the server may still be starting, and the module may still be held by a client that was killed.
import { setTimeout as sleep } from 'node:timers/promises';
import { type CopyProblem, copyProblems } from '../core/copyEndRecord.ts';
import { type Child, startChild } from './child.ts';
import { type Message, type Wire, wire } from './controlWire.ts';
import { CopyError } from './copyError.ts';
import { explanation, tunnelProblem } from './endRecord.ts';
import { passOn } from './output.ts';
import { files } from './stunnelConfig.ts';

export interface Control {
  /** Asks one thing and waits for its answer. Throws the refusal, or `PeerSilent` when there is none. */
  ask(message: Message): Promise<Message>;
  /** Settles when the server is gone, or was silent for too long. */
  readonly lost: Promise<CopyError>;
  close(): Promise<void>;
}

/** How long a server that cannot be reached, and a module that is taken, are tried again. */
const reachMs = 60_000;
const busyMs = 30_000;
const againMs = 100;

/** What is known when neither server nor stunnel has said anything, such as of the last attempt that is cut off. */
const wordless = 'the server hung up without a word';

const problemOf = (value: unknown): CopyProblem => copyProblems.find((each) => each === value) ?? 'RsyncFailed';

const failureOf = (refusal: Message): CopyError =>
  new CopyError(problemOf(refusal['problem']), String(refusal['err'] ?? ''));

interface Attempt {
  readonly child: Child;
  readonly line: Wire;
  readonly said: readonly string[];
}

const attempt = (silenceMs: number): Attempt => {
  const child = startChild('stunnel', [files.control], ['pipe', 'pipe', 'pipe']);
  const { stdin, stdout, stderr } = child.process;
  if (stdin === null || stdout === null || stderr === null) throw new Error('stunnel was started without pipes');
  return { child, line: wire(stdout, stdin, silenceMs), said: passOn('stunnel', stderr).last };
};

/** Says who we are. A failure tells why there was no welcome. */
const introduce = async ({ child, line, said }: Attempt, hello: Message): Promise<CopyError | undefined> => {
  line.send(hello);
  const answer = await line.next();
  if (answer?.['t'] === 'welcome') return undefined;
  if (answer !== undefined) return failureOf(answer);
  // Closed without a word: what stunnel says explains it, once it has said it all.
  await child.stop();
  await child.ended;
  const problem = tunnelProblem(said.join('\n')) ?? 'ServerUnreachable';
  return new CopyError(problem, explanation(said) || wordless);
};

const conversation = ({ child, line }: Attempt): Control => {
  const lost = line.closed.then(
    (why) =>
      new CopyError('PeerSilent', why === 'silent' ? 'the server was silent for too long' : 'the server went away'),
  );
  return {
    lost,
    ask: async (message) => {
      line.send(message);
      const answer = await line.next();
      if (answer === undefined) throw await lost;
      if (answer['t'] === 'refused') throw failureOf(answer);
      return answer;
    },
    close: async () => {
      line.close();
      await child.stop();
    },
  };
};

/** Reaches the server and is let in, or throws why not. */
export const openControl = async (hello: Message, silenceMs: number, stop: AbortSignal): Promise<Control> => {
  const startMs = performance.now();
  let told: CopyError | undefined;
  for (let busySinceMs: number | undefined; ; ) {
    stop.throwIfAborted();
    const each = attempt(silenceMs);
    const hangUp = () => each.line.close();
    stop.addEventListener('abort', hangUp);
    const giveUp = setTimeout(hangUp, Math.max(0, startMs + reachMs - performance.now()));
    const failure = await introduce(each, hello);
    clearTimeout(giveUp);
    stop.removeEventListener('abort', hangUp);
    if (failure === undefined) return conversation(each);
    each.line.close();
    await each.child.stop();
    const nowMs = performance.now();
    if (failure.message !== wordless) told = failure;
    if (failure.problem === 'Busy') busySinceMs ??= nowMs;
    else if (failure.problem === 'ServerUnreachable') busySinceMs = undefined;
    else throw failure;
    const untilMs = busySinceMs === undefined ? startMs + reachMs : busySinceMs + busyMs;
    if (nowMs + againMs > untilMs) throw told ?? failure;
    await sleep(againMs, undefined, { signal: stop });
  }
};
