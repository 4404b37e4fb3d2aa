// What real copies of a process have on this machine, found without asking them: processes that work in their folders,
// the folders themselves, and loop devices over files in them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Folders are named after the process that made them. */
const prefixOf = (pid: number): string => `transship-${pid}-`;

const read = (path: string): string => {
  try {
    return path.endsWith('cwd') ? readlinkSync(path) : readFileSync(path, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
};

export interface Running {
  readonly pid: number;
  readonly name: string;
  /** The program and its arguments, joined by spaces. */
  readonly command: string;
}

/** The processes that work in folders of the process. */
export const processesFor = (pid: number): readonly Running[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/cwd`).includes(`/${prefixOf(pid)}`))
    .map((name) => ({
      pid: Number(name),
      name: read(`/proc/${name}/comm`).trim(),
      command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' '),
    }));

const foldersOf = (pid: number): readonly string[] =>
  ['/dev/shm', tmpdir()]
    .filter((parent) => existsSync(parent))
    .flatMap((parent) => readdirSync(parent).filter((name) => name.startsWith(prefixOf(pid))));

const devicesOf = (pid: number): readonly string[] => {
  const { stdout } = spawnSync('losetup', ['--list', '--noheadings', '--output', 'NAME,BACK-FILE'], {
    encoding: 'utf8',
  });
  return (stdout ?? '').split('\n').filter((line) => line.includes(`/${prefixOf(pid)}`));
};

/** Everything that is left of the process's copies; empty when nothing is. */
export const remainsOf = (pid: number): readonly string[] => [
  ...processesFor(pid).map(({ command }) => command),
  ...foldersOf(pid),
  ...devicesOf(pid),
];
