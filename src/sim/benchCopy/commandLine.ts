// The command line of the copy benchmark taken apart: how large a disk, how often, where numbers go; or what is wrong
// with it. Pure.
import { quantityBytes } from '../../core/quantity.ts';
import { type CommandLine, mistake, readArguments } from '../bench/readArguments.ts';

export interface Wish {
  /** Size of the disk that is copied, a multiple of 1 MiB. */
  readonly bytes: number;
  readonly rounds: number;
  /** File for the numbers as JSON. */
  readonly json: string | undefined;
}

const options = {
  size: { type: 'string', default: '4Gi' },
  rounds: { type: 'string', default: '5' },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const help = `Usage: npm run bench:copy -- [--size QUANTITY] [--rounds N] [--json FILE]

Copies a sparse disk as the copy pods do, and in the other ways that people know, all through TLS on this machine; says
how long each takes, whether the copy is the same byte for byte, and how much of the target it takes up. Then measures on
an embedded cluster how soon after a machine has stopped the first byte is sent. Needs rsync, stunnel4 and three times
the disk's size of room for temporary files; qemu-utils for the rows of qemu-img. Devices are loop devices, for which it
has to be root; plain files stand in for them otherwise. Leaves nothing behind.

  --size QUANTITY  Size of the disk, at least 32Mi, whole MiB. Default 4Gi.
  --rounds N       How often each way is measured, taking turns. Default 5.
  --json FILE      Write all numbers there as one JSON object.
  --help           This.

Exit code: 0 when every copy was the same byte for byte, 1 when not, 2 when an option is wrong. A target that is missed
is said, and no failure: machines differ.
`;

const mebibyte = 2 ** 20;

/** What the arguments after the program's name ask for; the first mistake, if there is one. */
export const commandLineOf = (args: readonly string[]): CommandLine<Wish> =>
  readArguments(args, options, (values) => {
    const bytes = quantityBytes(values.size);
    if (bytes === undefined || bytes < 32 * mebibyte || bytes % mebibyte !== 0) {
      return mistake(`--size: "${values.size}" is not a size of whole MiB, at least 32Mi`);
    }
    if (!/^[1-9][0-9]{0,2}$/.test(values.rounds)) return mistake(`--rounds: "${values.rounds}" is not a number from 1`);
    return { kind: 'run', wish: { bytes, rounds: Number(values.rounds), json: values.json } };
  });
