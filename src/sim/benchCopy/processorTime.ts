// Processor time of every program that this process has started and that has ended, with what those have started: it is
// told apart from waiting, so that other work on the machine makes it hardly longer.
import { readFileSync } from 'node:fs';

/** As Linux counts for programs, on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** Seconds so far; NaN where the kernel does not tell. */
export const childrenSeconds = (): number => {
  try {
    // The name in brackets may hold anything; user and system time of ended children are the 14th and 15th after it.
    const fields = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
};
