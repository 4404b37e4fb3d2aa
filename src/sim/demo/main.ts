// `npm run demo`: what a newcomer runs first. Arguments and exit codes; the rest is in the files beside it.
// Exit codes: 0 when every row went as it must, 1 when one did not, 2 when it was started wrongly.
import { errorMessage } from '../../core/errorMessage.ts';
import { realWorld } from '../scenario/realWorld.ts';
import { rows } from '../scenario/rows.ts';
import { help, type Wish, wishOf } from './commandLine.ts';
import { paintFor } from './paint.ts';
import { playRows } from './playRows.ts';
import { lackOfRealCopies } from './realCopyNeeds.ts';
import { screenOn } from './screen.ts';
import { serve, serveOptions } from './serve.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';

const startedWrongly = 2;
const interrupted = 130;

const words = (failure: unknown): string =>
  failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);

const open = async (options: StageOptions): Promise<Stage> => {
  try {
    const lack = options.world?.realCopies === undefined ? undefined : lackOfRealCopies();
    if (lack !== undefined) throw new Error(lack);
    return await openStage(options);
  } catch (failure) {
    process.stderr.write(`demo: ${errorMessage(failure)}\n`);
    process.exit(startedWrongly);
  }
};

const play = async (wish: Extract<Wish, { kind: 'play' }>): Promise<number> => {
  const { row } = wish;
  const stage = await open(playOptions(wish));
  // Nothing is worth a moment's wait: what is left of files and copies goes at the exit, sockets end with the process.
  const abandon = (): void => process.exit(interrupted);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, abandon);
  process.stdout.once('error', abandon);
  try {
    const played = rows.filter(({ number }) => row === undefined || number === row);
    const results = await playRows(stage, played, screenOn(process.stdout), paintFor(process.stdout, process.env));
    return results.every(({ faults }) => faults.length === 0) ? 0 : 1;
  } catch (failure) {
    process.stderr.write(`demo: Transship has ended because of a bug: ${words(failure)}\n`);
    return 1;
  } finally {
    await stage.close();
  }
};

/** Offline copies take a little longer than by default, so that people come in time on a busy machine. */
const playOptions = ({ speed, logFile, realCopies }: Extract<Wish, { kind: 'play' }>): StageOptions => ({
  speed,
  logFile,
  keepFiles: false,
  world: {
    disks: { writeMs: 1000 / speed },
    copy: { durationMs: 5000 / speed, stopMs: 300 / speed },
    ...(realCopies ? realWorld(speed) : {}),
  },
});

const run = async (wish: Wish): Promise<number> => {
  switch (wish.kind) {
    case 'help':
      process.stdout.write(help);
      return 0;
    case 'list':
      process.stdout.write(rows.map(({ number, title }) => `${number}  ${title}\n`).join(''));
      return 0;
    case 'mistake':
      process.stderr.write(`demo: ${wish.message}\nTry: npm run demo -- --help\n`);
      return startedWrongly;
    case 'play':
      return play(wish);
    case 'serve':
      return serve(await open(serveOptions(wish.logFile, wish.realCopies)), process);
    default:
      return wish satisfies never;
  }
};

process.exitCode = await run(wishOf(process.argv.slice(2)));
