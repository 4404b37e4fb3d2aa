// What people read leads somewhere: every link of README.md and docs/ names a file that is there, and a heading in it;
// every option that these and the manifests name is one.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { options } from '../../src/configOptions.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const documents = globSync(['README.md', 'docs/*.md'], { cwd: repository });
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** Headings as links call them. */
const anchorsIn = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

test.each(documents)('every link in %s leads to what is there', (path) => {
  const links = [...read(path).matchAll(/\]\((?!https:)([^)#]*)(?:#([^)]*))?\)/g)];
  const lost = links.filter(([, file = '', anchor]) => {
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(repository, target))) return true;
    return anchor !== undefined && !anchorsIn(read(target)).includes(anchor);
  });
  expect(lost.map(([link]) => link)).toEqual([]);
});

test('every page of docs/ is named in README.md', () => {
  const pages = documents.filter((path) => path.startsWith('docs/'));
  expect(pages.filter((path) => !read('README.md').includes(`](${path})`))).toEqual([]);
});

/** Options of rsync, kubectl and `npm run explore`. */
const ofOtherPrograms = [
  ...['copy-devices', 'delete', 'inplace', 'no-W', 'write-devices'],
  ...['force', 'seconds', 'states', 'depth', 'windows'],
];

test('every option that is named by itself is one of the daemon or is known to be of another program', () => {
  const known = new Set<string>([...Object.values(options).map(({ flag }) => flag), ...ofOtherPrograms]);
  const named = [
    ...documents.flatMap((path) => [...read(path).matchAll(/`--([a-zA-Z][a-zA-Z-]*)/g)]),
    ...globSync('deploy/**/*.yaml', { cwd: repository }).flatMap((path) => [
      ...read(path).matchAll(/--([a-z][a-z-]*)/g),
    ]),
  ].map(([, flag = '']) => flag);
  expect(named.filter((flag) => !known.has(flag))).toEqual([]);
  expect(named).toContain('copy-image');
});
