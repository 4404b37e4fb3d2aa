// The copy benchmark, run small as people run it: that every way really copied and was compared. Never how fast any was.
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { folder } from '../main/process.ts';
import { expectPrograms, mustRun } from './programs.ts';

const program = fileURLToPath(new URL('../../src/sim/benchCopy/main.ts', import.meta.url));

interface Row {
  readonly name: string;
  readonly target: 'file' | 'block';
  readonly lacking?: string;
  readonly seconds: readonly number[];
  readonly identical: readonly boolean[];
  readonly allocatedMiB: number;
  readonly isDevice: boolean;
}

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const bench = (args: readonly string[], path = process.env['PATH']): Promise<Run> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env: { PATH: path } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });

const leftovers = (): readonly string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('transship-bench-'));

const qemuIsThere = spawnSync('qemu-img', ['--version']).error === undefined;

test('every way of copying copies, is compared byte for byte, and leaves nothing behind', async () => {
  expectPrograms();
  const before = new Set(leftovers());
  const json = `${folder()}/numbers.json`;
  const { code, stdout, stderr } = await bench(['--size', '32Mi', '--rounds', '2', '--json', json]);
  expect(code, stdout + stderr).toBe(0);
  const { rows, faults, firstByte, ratios } = JSON.parse(readFileSync(json, 'utf8'));
  expect(faults).toEqual([]);
  const realDevice = rows.some(({ isDevice }: Row) => isDevice);
  expect(rows.map(({ target, name }: Row) => `${target}: ${name}`)).toEqual([
    ...[
      'file: transship',
      'file: rsync by hand, -W',
      'file: qemu-img convert over NBD',
      'file: cp --sparse, no network',
    ],
    ...['block: transship', ...(realDevice ? ['block: rsync by hand, --no-W'] : []), 'block: rsync by hand, -W'],
    ...['block: qemu-img convert over NBD', 'block: cp --sparse, no network'],
  ]);
  const measured = (rows as readonly Row[]).filter(({ name }) => qemuIsThere || !name.startsWith('qemu-img'));
  for (const { name, target, identical, seconds, allocatedMiB, isDevice } of measured) {
    expect(identical, name).toEqual([true, true]);
    for (const each of seconds) expect(each).toBeGreaterThan(0);
    // Nine of the 32 MiB are data; who does not look for zeros fills a device.
    const full = target === 'block' && isDevice && /-W$|^cp/.test(name) && !name.endsWith('--no-W');
    expect(Math.round(allocatedMiB / 10), `${name} onto ${target}`).toBe(full ? 3 : 1);
  }
  expect(ratios).toHaveLength(measured.length - 2);
  expect(firstByte).toMatchObject({ machines: 2, faults: [] });
  expect(stdout).toContain('VM stopped -> first byte on the wire');
  expect(leftovers().filter((name) => !before.has(name))).toEqual([]);
});

/** A folder that has nothing but what the benchmark cannot do without, and this program. */
const poorPath = (name: string, script: string): string => {
  const path = folder();
  const needed = [
    'rsync',
    'stunnel',
    'cmp',
    'sync',
    'mknod',
    'losetup',
    'blkdiscard',
    'blockdev',
    'mkfifo',
    'sh',
    'dd',
  ];
  for (const each of needed) symlinkSync(mustRun('which', [each]), `${path}/${each}`);
  symlinkSync(mustRun('which', ['cp']), `${path}/honest-cp`);
  writeFileSync(`${path}/${name}`, script);
  chmodSync(`${path}/${name}`, 0o755);
  return path;
};

/** Copies, but for one byte in a hole. */
const lyingCp = `#!/bin/sh
honest-cp "$@"
printf x | dd of="$3" bs=1 seek=1500000 conv=notrunc status=none
`;

test('a copy that differs in one byte is a fault and ends it with 1; what is not installed is named, and the rest measured', async () => {
  expectPrograms();
  const json = `${folder()}/numbers.json`;
  const { code, stdout } = await bench(['--size', '32Mi', '--rounds', '1', '--json', json], poorPath('cp', lyingCp));
  expect(code, stdout).toBe(1);
  const { rows, faults } = JSON.parse(readFileSync(json, 'utf8'));
  expect(faults).toEqual(
    ['file', 'block'].map((target) => expect.stringMatching(`^cp .*-> ${target}: .*(?:byte|char) 1500001`)),
  );
  for (const { name, identical, lacking } of rows as readonly Row[]) {
    if (name.startsWith('qemu-img')) expect({ identical, lacking }).toEqual({ identical: [], lacking: 'qemu-utils' });
    else expect(identical, name).toEqual([!name.startsWith('cp')]);
  }
  expect(stdout).toContain('not measured: install the Debian package qemu-utils');
});

test.each([
  [['--size', 'large'], '--size: "large" is not a size of whole MiB, at least 32Mi'],
  [['--size', '1Mi'], '--size: "1Mi" is not a size of whole MiB, at least 32Mi'],
  [['--rounds', '0'], '--rounds: "0" is not a number from 1'],
  [['--fast'], "Unknown option '--fast'"],
])('%s is refused with what is wrong with it', async (args, message) => {
  const { code, stderr } = await bench(args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
