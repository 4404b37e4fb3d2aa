// What a machine must have for real copies, besides what the demo needs anyway.
import { spawnSync } from 'node:child_process';

const programs = [
  { name: 'rsync', debian: 'rsync' },
  { name: 'stunnel', debian: 'stunnel4' },
];

const isThere = (name: string): boolean => spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;

/** Why there can be no real copies here, and what to do about it; undefined: there can. */
export const lackOfRealCopies = (): string | undefined => {
  if (process.platform !== 'linux')
    return '--real-copies needs Linux: every copy pod gets a loopback address of its own';
  const lacking = programs.filter(({ name }) => !isThere(name));
  if (lacking.length === 0) return undefined;
  const names = lacking.map(({ name }) => name).join(' and ');
  const packages = lacking.map(({ debian }) => debian).join(' ');
  return `--real-copies needs ${names} (Debian: apt-get install ${packages})`;
};
