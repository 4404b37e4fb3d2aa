// Ends receivers that nobody needs any more. rsync's own time-out does not: as long as the kernel takes its signs of
// life, a receiver whose client is frozen or whose node was lost waits on, holds the module and may still write.
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const lookAgainMs = 20;
/** Looks before one that does not listen is killed: about half a second. */
const patience = 25;

const entries = (path: string): readonly string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

const isOpen = (pid: string, file: string): boolean =>
  entries(`/proc/${pid}/fd`).some((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`) === file;
    } catch {
      return false;
    }
  });

/** Processes that have a file open. rsync has its module's lock file open for as long as it lives. */
const holders = (file: string): readonly number[] =>
  entries('/proc')
    .filter((name) => /^\d+$/.test(name) && isOpen(name, file))
    .map(Number);

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended in the meantime.
  }
};

/** Ends every rsync of a module, which has this lock file; settles when none is left that could write. */
export const endReceivers = async (lockFile: string): Promise<void> => {
  for (let looks = 0; ; looks += 1) {
    const left = holders(lockFile);
    if (left.length === 0) return;
    for (const pid of left) signal(pid, looks < patience ? 'SIGTERM' : 'SIGKILL');
    await sleep(lookAgainMs);
  }
};
