// The program of the copy pods as the image has it: built, because Node would otherwise have to take the types out of
// every source at each start, which no pod does.
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from './programs.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Builds the sources below `folder`; gives the entry program as a file for Node. */
export const builtProgram = async (folder: string): Promise<string> => {
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  const target = join(folder, 'dist');
  const project = join(repository, 'tsconfig.build.json');
  await mustRun(process.execPath, [compiler, '--project', project, '--noCheck', '--outDir', target]);
  symlinkSync(join(repository, 'package.json'), join(folder, 'package.json'));
  return join(target, 'copy/main.js');
};
