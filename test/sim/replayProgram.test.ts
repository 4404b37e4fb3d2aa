// `npm run replay`: what it prints, how it ends, and what it says of a file that it cannot read.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { asRecorded } from '../../src/sim/replay/perturbations.ts';
import { replay } from '../../src/sim/replay/replay.ts';
import { reportOf } from '../../src/sim/replay/report.ts';
import { readTape } from '../../src/sim/replay/tape.ts';
import { acts, recordingOf } from './scenes.ts';

const folder = mkdtempSync(join(tmpdir(), 'replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fileOf = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const run = (...files: readonly string[]) => {
  const program = join(import.meta.dirname, '../../src/sim/replay/main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...files], { encoding: 'utf8' });
  return { status, stdout, stderr };
};

const scene = recordingOf(
  [
    acts.create(0, { name: 'web', disks: [{ claim: 'web-src', target: 'web-dst' }] }),
    acts.patch(3, 'web', ['web-dst']),
  ],
  12,
);

describe('the program', () => {
  test('plays a file it has never seen and ends 0', () => {
    const { status, stdout } = run(fileOf('good.jsonl', scene));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^web: disk0 from web-src to web-dst$/m);
    expect(stdout).toMatch(/good: played in \d+ variations, no law broken, the same end each time$/m);
  });

  test('ends 2 for what it cannot read, and says why; the other files are played all the same', () => {
    const noObject = scene.replace('"resourceVersion":"', '"version":"');
    const cases = [
      ['absent.jsonl', undefined, /no such file/],
      ['words.jsonl', 'once upon a time', /line 1 of the recording is not JSON/],
      ['null.jsonl', 'null', /line 1 of the recording/],
      ['other.jsonl', '{"t": 1, "what": "else"}', /line 1 of the recording is neither an event nor an act/],
      ['empty.jsonl', '', /the recording holds no event/],
      ['versionless.jsonl', noObject, /has no metadata with name, uid and resourceVersion/],
      ['targetless.jsonl', scene.replaceAll('web-dst', 'web-src'), /has no VM on a claim with a target beside it/],
      ['timeless.jsonl', scene.replace(/"t":\d+/, '"t":"noon"'), /has no time "t"/],
    ] as const;
    const files = cases.map(([name, text]) => (text === undefined ? join(folder, name) : fileOf(name, text)));
    const { status, stdout, stderr } = run('--brief', ...files, fileOf('good.jsonl', scene));
    expect(status).toBe(2);
    const messages = stderr.trim().split('\n');
    cases.forEach(([name, , message], index) => {
      expect(messages[index]).toMatch(new RegExp(`${name}: cannot be replayed: .*${message.source}`));
    });
    expect(stdout).toMatch(/good.jsonl: good/);
  });

  test('says how it is used when it is given nothing, or what it does not know', () => {
    expect(run()).toMatchObject({ status: 2, stderr: expect.stringMatching(/^Usage: npm run replay/) });
    expect(run('--loud', 'x')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^Usage: npm run replay/) });
  });
});

test('the report is in columns, with the acts between the moments of change', () => {
  const lines = reportOf(replay(readTape(scene), asRecorded).told);
  const headings = lines[0] ?? '';
  const columns = ['VM names', 'guest on', 'switched', 'KubeVirt', 'mode', 'the daemon would'].map((heading) =>
    headings.indexOf(heading),
  );
  expect(Math.min(...columns)).toBeGreaterThan(0);
  const rows = lines.slice(1).filter((line) => !line.includes('  > '));
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    for (const column of columns)
      expect([row.slice(column - 2, column), row.charAt(column)].join('|')).toMatch(/^ {2}\|\S/);
  }
  const told = (time: string): string | undefined => lines.find((line) => line.trim().startsWith(time));
  expect(told('3.000s')).toMatch(/^ *3\.000s {2}web {2}> patch volumes to web-dst to Migration$/);
  expect(rows.filter((row) => row.includes('record switchedOver'))).toHaveLength(1);
  expect(rows.at(-1)).toMatch(/target +target +recorded +- +done +nothing \(Moved\)$/);
  expect(new Set(rows).size).toBe(rows.length);
});
