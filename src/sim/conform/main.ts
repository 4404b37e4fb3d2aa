// `npm run conform -- FILE...`: says of each recording of the real KubeVirt whether the simulated one does the same, and
// if not, the first difference. Recordings of the same scenario in ../1 and ../2 count as well. Ends 1 if one differs.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errorMessage } from '../../core/errorMessage.ts';
import type { Difference } from './compare.ts';
import { conform } from './conform.ts';

const siblingsOf = (file: string): readonly string[] =>
  ['1', '2']
    .map((folder) => join(dirname(resolve(file)), '..', folder, basename(file)))
    .filter((path) => path !== resolve(file) && existsSync(path));

const shown = (values: readonly string[]): string => (values.length === 0 ? '(never seen)' : values.join(' -> '));

const differencesOf = (file: string): readonly Difference[] | string => {
  try {
    return conform(
      readFileSync(file, 'utf8'),
      siblingsOf(file).map((path) => readFileSync(path, 'utf8')),
    );
  } catch (failure) {
    return errorMessage(failure);
  }
};

const check = (file: string, all: boolean): boolean => {
  const found = differencesOf(file);
  if (typeof found === 'string') {
    console.log(`${file}: cannot be replayed: ${found}`);
    return false;
  }
  if (found.length === 0) {
    console.log(`${file}: agrees`);
    return true;
  }
  console.log(`${file}: differs in ${found.length} ${found.length === 1 ? 'field' : 'fields'}`);
  for (const { object, field, expected, got } of all ? found : found.slice(0, 1)) {
    console.log(`  ${object}, ${field}`);
    for (const values of expected) console.log(`    expected ${shown(values)}`);
    console.log(`    got      ${shown(got)}`);
  }
  return false;
};

const files = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
if (files.length === 0) {
  console.error(
    'Usage: npm run conform -- [--all] FILE...\n  FILE: a recording (JSON lines); --all: show every difference',
  );
  process.exitCode = 2;
} else {
  const all = process.argv.includes('--all');
  const agreeing = files.filter((file) => check(file, all));
  process.exitCode = agreeing.length === files.length ? 0 : 1;
}
