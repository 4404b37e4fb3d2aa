// Transship as the image has it, for what is measured: built, because Node would otherwise have to take the types out of
// every source at each start, and with what the image tells Node and the C library about memory. test/deploy holds the
// image to it.
import { execFile } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * A first sync makes far more garbage than it keeps. Young objects get little room, and what is freed goes back at once,
 * so that the memory of that moment is not the process's for ever: a third less, and no slower.
 */
export const memorySettings = {
  nodeOptions: ['--max-semi-space-size=4'],
  environment: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' },
} as const;

/** Builds the sources below `folder`; gives the folder with main.js and copy/main.js. */
export const builtProgram = async (folder: string): Promise<string> => {
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  const target = join(folder, 'dist');
  const project = join(repository, 'tsconfig.build.json');
  await promisify(execFile)(process.execPath, [compiler, '--project', project, '--noCheck', '--outDir', target]);
  for (const each of ['package.json', 'node_modules']) symlinkSync(join(repository, each), join(folder, each));
  return target;
};
