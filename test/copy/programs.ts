// The programs that the copy is made of, and the tests with it. A test that lacks one fails and says what to install.
import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';

const packages: Readonly<Record<string, string>> = {
  rsync: 'rsync',
  stunnel: 'stunnel4',
  blockdev: 'util-linux',
  blkdiscard: 'util-linux',
};

/** Fails unless every program is there. */
export const expectPrograms = (): void => {
  const missing = Object.entries(packages).filter(
    ([program]) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined,
  );
  const install = missing.map(([program, name]) => `${program}: install the Debian package ${name}`);
  expect(install, 'programs that the copy pods run').toEqual([]);
};

/** Runs a program to its end; its code and everything that it said. */
export const run = (program: string, args: readonly string[]): { readonly code: number; readonly out: string } => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { code: status ?? -1, out: `${stdout}${stderr}` };
};

/** The same for a program that has to end well. */
export const mustRun = (program: string, args: readonly string[]): string => {
  const { code, out } = run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${out}`);
  return out.trim();
};
