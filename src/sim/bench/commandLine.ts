// The benchmark's command line taken apart: how large, how often, what to show; or what is wrong with it. Pure.
import { type CommandLine, mistake, readArguments } from './readArguments.ts';

export interface Wish {
  readonly machines: number;
  readonly migrating: number;
  /** How often the first sync is measured, each time by a new daemon. */
  readonly runs: number;
  /** How long the daemon is left alone before its memory is read. */
  readonly idleSeconds: number;
  readonly json: boolean;
  /** Folder for CPU profiles of the daemon. */
  readonly profile: string | undefined;
}

const options = {
  machines: { type: 'string', default: '10000' },
  migrating: { type: 'string', default: '1000' },
  runs: { type: 'string', default: '3' },
  idle: { type: 'string', default: '5' },
  profile: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const help = `Usage: npm run bench -- [--machines N] [--migrating N] [--runs N] [--idle SECONDS] [--json] [--profile DIR]

Measures Transship, built as for its image, against a simulated API server with that many machines: how long the first
sync takes and what memory it needs, how soon a machine that is stopped in the middle of a live migration is taken
back, and how many requests a migration costs. Needs no cluster and no network but loopback; leaves nothing behind.

  --machines N    Machines in the cluster, each with VM, VMI, virt-launcher and two claims. Default 10000.
  --migrating N   Of these, machines with a live migration under way. Default 1000.
  --runs N        How often the first sync is measured. Default 3.
  --idle SECONDS  Wait before memory is read. Default 5.
  --json          Print the numbers as one JSON object.
  --profile DIR   Write a CPU profile of each daemon there, for Chrome's or VS Code's viewer.
  --help          This.

Exit code: 0 when everything that was measured was also right, 1 when not, 2 when an option is wrong. A target that is
missed is said, and no failure: machines differ.
`;

const wholeFrom = (text: string, least: number): number | undefined =>
  /^[0-9]{1,6}$/.test(text) && Number(text) >= least ? Number(text) : undefined;

/** What the arguments after the program's name ask for; the first mistake, if there is one. */
export const commandLineOf = (args: readonly string[]): CommandLine<Wish> =>
  readArguments(args, options, (values) => {
    const machines = wholeFrom(values.machines, 1);
    const migrating = wholeFrom(values.migrating, 1);
    const runs = wholeFrom(values.runs, 1);
    const idleSeconds = wholeFrom(values.idle, 0);
    if (machines === undefined) return mistake(`--machines: "${values.machines}" is not a number from 1`);
    if (migrating === undefined) return mistake(`--migrating: "${values.migrating}" is not a number from 1`);
    if (runs === undefined) return mistake(`--runs: "${values.runs}" is not a number from 1`);
    if (idleSeconds === undefined) return mistake(`--idle: "${values.idle}" is not a number of seconds`);
    if (migrating > machines) return mistake('--migrating: more than there are --machines');
    return {
      kind: 'run',
      wish: {
        machines,
        migrating,
        runs,
        idleSeconds,
        json: values.json,
        profile: values.profile,
      },
    };
  });
