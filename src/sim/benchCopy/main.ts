// `npm run bench:copy`: measures copies against other ways to make them. Ends 1 if a copy was not the same as its source.
import { writeFileSync } from 'node:fs';
import { commandLineOf, help } from './commandLine.ts';
import { jsonOf, tableOf } from './results.ts';
import { runBenchmark } from './run.ts';

const interrupted = 130;

const asked = commandLineOf(process.argv.slice(2));
switch (asked.kind) {
  case 'help':
    process.stdout.write(help);
    break;
  case 'mistake':
    process.stderr.write(`bench:copy: ${asked.message}\n`);
    process.exitCode = 2;
    break;
  case 'run': {
    // What is left of processes, devices and files goes at the exit, which a second signal must not cut short.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(interrupted));
    const { json } = asked.wish;
    const results = await runBenchmark(asked.wish, (doing) => process.stderr.write(`bench:copy: ${doing}\n`));
    process.stdout.write(tableOf(results));
    if (json !== undefined) writeFileSync(json, jsonOf(results));
    process.exitCode = results.faults.length === 0 ? 0 : 1;
    break;
  }
  default:
    asked satisfies never;
}
