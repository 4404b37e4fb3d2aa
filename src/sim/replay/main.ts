// `npm run replay -- FILE...`: plays recordings of a real KubeVirt to the daemon and prints what it would have done.
// Ends 1 if a law was broken or a variation ended otherwise, 2 if a file cannot be read.
import { readFileSync } from 'node:fs';
import { errorMessage } from '../../core/errorMessage.ts';
import { reportOf } from './report.ts';
import { readTape, type Tape } from './tape.ts';
import { exitCodeOf, verdictOn, verdictText } from './verdict.ts';

const usage = `Usage: npm run replay -- [--brief] FILE...
  FILE: a recording of KubeVirt's watches (JSON lines); --brief: only the verdicts`;

const read = (file: string): Tape | string => {
  try {
    return readTape(readFileSync(file, 'utf8'));
  } catch (failure) {
    return errorMessage(failure);
  }
};

const list = (heading: string, lines: readonly string[]): void => {
  if (lines.length === 0) return;
  console.log(`${heading}:`);
  for (const line of lines) console.log(`  ${line}`);
};

/** Prints one replay; the exit code it asks for. */
const show = (file: string, isBrief: boolean): number => {
  const tape = read(file);
  if (typeof tape === 'string') {
    console.error(`${file}: cannot be replayed: ${tape}`);
    return 2;
  }
  const verdict = verdictOn(tape);
  if (!isBrief) {
    console.log(file);
    for (const { name, disks } of tape.machines) {
      console.log(`${name}: ${disks.map((disk) => `${disk.volume} from ${disk.source} to ${disk.target}`).join(', ')}`);
    }
    for (const name of tape.leftOut) console.log(`${name}: left out, no claim stands beside one of its disks`);
    for (const line of reportOf(verdict.played.told)) console.log(line);
  }
  list('Laws broken', verdict.broken);
  list('Ended otherwise', verdict.different);
  console.log(`${file}: ${verdictText(verdict)}`);
  return exitCodeOf(verdict);
};

const files = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = process.argv.slice(2).filter((argument) => argument.startsWith('--') && argument !== '--brief');
if (files.length === 0 || unknown.length > 0) {
  console.error(usage);
  process.exitCode = 2;
} else {
  process.exitCode = Math.max(...files.map((file) => show(file, process.argv.includes('--brief'))));
}
