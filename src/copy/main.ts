#!/usr/bin/env node
// The program of both copy pods: `server` serves targets, `client` copies one disk to it. What it says at its end goes
// to the termination message and is the last line of its log. Exit codes: 0 after a whole copy, or of a server that was
// told to end; else rsync's, or 1.
import { writeFileSync } from 'node:fs';
import { errorMessage } from '../core/errorMessage.ts';
import { runClient } from './client.ts';
import { endRecordLine, explanation } from './endRecord.ts';
import { log } from './output.ts';
import { pathsBelow } from './paths.ts';
import { runServer } from './server.ts';

const root = process.env['TRANSSHIP_ROOT'];

/** Files that are written are for us alone, whatever the image says. */
process.umask(0o077);

// Heard from the first moment on: process 1 of a container is deaf to signals that it does not handle.
const ending = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ending.abort());

// A log that nobody takes any more, as when the container runtime has lost its reader, is no reason to end a copy.
process.stdout.on('error', () => undefined);

const end = (line: string, code: number): never => {
  process.stdout.write(`${line}\n`);
  const paths = pathsBelow(root);
  try {
    if (paths !== undefined) writeFileSync(paths.terminationLog, line);
  } catch (error) {
    log('The termination message could not be written', { err: errorMessage(error) });
  }
  return process.exit(code);
};

const dieOfBug = (error: unknown): never =>
  end(JSON.stringify({ t: 'end', rc: 0, problem: 'RsyncFailed', err: explanation([errorMessage(error)]) }), 1);
process.on('uncaughtException', dieOfBug);
process.on('unhandledRejection', dieOfBug);

const [program, ...words] = process.argv.slice(2);
switch (program) {
  case 'server': {
    const ended = await runServer(words, { podIp: process.env['POD_IP'], root }, ending.signal);
    if (ended === undefined) process.exit(0);
    end(JSON.stringify({ t: 'end', ...ended }), ended.rc > 0 ? ended.rc : 1);
    break;
  }
  case 'client': {
    const record = await runClient(words, root, ending.signal);
    end(endRecordLine(record), record.stage === 'done' ? 0 : record.rc > 0 ? record.rc : 1);
    break;
  }
  default:
    end(
      JSON.stringify({
        t: 'end',
        stage: 'arguments',
        rc: 0,
        problem: 'BadArguments',
        err: 'expected server or client',
      }),
      1,
    );
}
