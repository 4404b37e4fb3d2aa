// `npm run bench`: measures what design §8 promises. Ends 1 if something that was measured was not right.
import { commandLineOf, help } from './commandLine.ts';
import { jsonOf, tableOf } from './results.ts';
import { runBenchmark } from './run.ts';

const asked = commandLineOf(process.argv.slice(2));
switch (asked.kind) {
  case 'help':
    process.stdout.write(help);
    break;
  case 'mistake':
    process.stderr.write(`bench: ${asked.message}\n`);
    process.exitCode = 2;
    break;
  case 'run': {
    const results = await runBenchmark(asked.wish, (doing) => process.stderr.write(`bench: ${doing}\n`));
    process.stdout.write(asked.wish.json ? jsonOf(results) : tableOf(results));
    process.exitCode = results.faults.length === 0 ? 0 : 1;
    break;
  }
  default:
    asked satisfies never;
}
