// The wire of the control conversation, the same at both ends: one JSON object a line, through the tunnel. Both ends send
// a sign of life while they work, and an end that hears nothing for too long hangs up: a frozen peer is told from one
// that flushes a slow disk.
import type { Readable, Writable } from 'node:stream';

export type Message = Readonly<Record<string, unknown>>;

export interface Wire {
  send(message: Message): void;
  /** The next message; undefined when there will be none. */
  next(): Promise<Message | undefined>;
  /** Says one last thing; the wire is closed when the other end has read it, or is silent for too long. */
  end(message: Message): void;
  close(): void;
  /** Settles when the wire is closed from either end: `silent` when we hung up because nothing came. */
  readonly closed: Promise<'ended' | 'silent'>;
}

const mostLine = 4096;
/** Messages that nobody has asked for yet. Signs of life are none: after this end was frozen many come at once. */
const mostMessages = 64;
const signMs = 1000;

const messageOf = (line: string): Message | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
};

/** `silenceMs`: how long the other end may say nothing. A line that is no message, or too long, ends the wire. */
export const wire = (input: Readable, output: Writable, silenceMs: number): Wire => {
  const waiting: ((message: Message | undefined) => void)[] = [];
  const come: Message[] = [];
  const closed = Promise.withResolvers<'ended' | 'silent'>();
  let open = true;
  let text = '';

  const hangUp = (why: 'ended' | 'silent'): void => {
    if (!open) return;
    open = false;
    clearInterval(signs);
    clearTimeout(silence);
    input.destroy();
    output.destroy();
    for (const each of waiting.splice(0)) each(undefined);
    closed.resolve(why);
  };
  const write = (message: Message): void => {
    if (open && output.writable) output.write(`${JSON.stringify(message)}\n`);
  };
  const signs = setInterval(() => write({ t: 'alive' }), Math.min(signMs, silenceMs / 3));
  const silence = setTimeout(() => hangUp('silent'), silenceMs);

  const take = (line: string): void => {
    const message = messageOf(line);
    if (message?.['t'] === 'alive') return;
    const waiter = message === undefined ? undefined : waiting.shift();
    if (message === undefined || come.length >= mostMessages) hangUp('ended');
    else if (waiter === undefined) come.push(message);
    else waiter(message);
  };
  input.setEncoding('utf8');
  input.on('data', (piece: string) => {
    silence.refresh();
    const lines = `${text}${piece}`.split('\n');
    text = lines.pop() ?? '';
    if ([...lines, text].some(({ length }) => length > mostLine)) return hangUp('ended');
    for (const line of lines) take(line);
  });
  for (const stream of [input, output]) {
    stream.on('error', () => hangUp('ended'));
    stream.on('close', () => hangUp('ended'));
  }
  input.on('end', () => hangUp('ended'));

  return {
    send: write,
    next: () => {
      const message = come.shift();
      if (message !== undefined || !open) return Promise.resolve(message);
      return new Promise((resolve) => waiting.push(resolve));
    },
    end: (message) => {
      if (open) output.end(`${JSON.stringify(message)}\n`);
    },
    close: () => hangUp('ended'),
    closed: closed.promise,
  };
};
