// docs/needs-attention.md tells what to do about every reason that a person can be given, and about no other. Reasons are
// found in the sources by their spelling, so that none is missed however it gets from there into a status.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { copyProblems } from '../../src/core/copyEndRecord.ts';
import { canHeal } from '../../src/core/copyFailure.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(`${repository}${path}`, 'utf8');

/** Words in CamelCase that are no reasons to look anything up. */
const otherWords = new Set([
  // Phases of a machine.
  ...['CopyingLive', 'CopyingOffline', 'CuttingOver', 'NeedsAttention', 'SwitchedOver'],
  // Conditions that say that all is well or not yet done.
  ...['AllMoved', 'NoFailure', 'NotFinished', 'NothingToDecide'],
  // Stand-ins for the reason of the first of some entries, of which there always is one.
  ...['CopyFailing', 'GivenUp'],
  // Values in the spec of a StorageMigration, and of others.
  ...['DeleteSource', 'KeepSource', 'PerVirtualMachine', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'],
  ...['LiveMigrate', 'LiveUpdate', 'RerunOnFailure', 'WaitAsReceiver'],
  // What KubeVirt says of a guest and its migration.
  ...['GuestNotRunning', 'PodTerminating', 'PostCopy', 'WaitingForSync'],
]);

const words = new Set(
  [...globSync('src/core/*.ts', { cwd: repository }), 'src/effects/refuseUnreadable.ts'].flatMap((path) =>
    [...read(path).matchAll(/'([A-Z]\w*[a-z][A-Z]\w*)'/g)].map((match) => match[1] ?? ''),
  ),
);

/** Copies fail for reasons of one word, too. */
const reasons = new Set([...words, ...copyProblems].filter((word) => !otherWords.has(word)));

const page = read('docs/needs-attention.md');
const rowsIn = (text: string) => [...text.matchAll(/^\| `(\w+)` \| (.*) \| (.*) \|$/gm)];
const rows = rowsIn(page);

test('every reason that the sources know is told of once, and no other', () => {
  expect(rows.map((row) => row[1] ?? '').toSorted()).toEqual([...reasons].toSorted());
});

test('each row says what was found and what to do', () => {
  for (const [row, , ...texts] of rows) {
    expect(texts, row).toEqual([expect.stringMatching(/\.$/), expect.stringMatching(/\.$/)]);
  }
});

test('copies that are said to be tried again are those that may heal', () => {
  const [, failed = ''] = page.split('## Copies that failed');
  const [atOnce, again] = failed.split('Tried again').map((part) => rowsIn(part).map((row) => canHeal(row[1] ?? '')));
  expect([new Set(atOnce), new Set(again)]).toEqual([new Set([false]), new Set([true])]);
});

test('no word is set aside that the sources do not use', () => {
  expect([...otherWords].filter((word) => !words.has(word))).toEqual([]);
});
