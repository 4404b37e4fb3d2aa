// The ways in which rsync ends with code 0 and has not copied the disk (data plane §2). Each is first shown with the
// command that somebody would have written: code 0, and another content. Then what ours makes of the same disks.
import {
  chmodSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Disk, lookAt } from '../../src/copy/disk.ts';
import { notWhole } from '../../src/copy/endRecord.ts';
import type { DiskKind } from '../../src/copy/paths.ts';
import { statisticsOf } from '../../src/copy/statistics.ts';
import { prepareTarget, proveTarget } from '../../src/copy/target.ts';
import { folder } from '../main/process.ts';
import { device, full, image, mebibyte, tmpfs } from './disks.ts';
import { reaching, rsync, within } from './naive.ts';
import { expectPrograms } from './programs.ts';
import { deviceHolding, holding, transferGroup } from './stage.ts';

beforeAll(expectPrograms);

const size = 4 * mebibyte;
const stop = new AbortController().signal;

/** Gives both the same time in whole seconds, as a copy and a guest within one second do. */
const sameTime = (...paths: readonly string[]): void => {
  for (const path of paths) utimesSync(path, 1_700_000_000, 1_700_000_000);
};

const diskAt = async (path: string, kind: DiskKind): Promise<Disk> => {
  const looked = await lookAt(path, kind, constants.O_RDWR, false);
  if (looked.kind === 'none') throw new Error(looked.why);
  return looked.disk;
};

const judged = (out: string): string | undefined => notWhole(statisticsOf(out), size);

test('a disk of the same size and time is skipped; ours copies it', async () => {
  const content = full(size);
  const group = transferGroup();
  const target = group.fileTarget('web-1');
  image(target, full(size));
  await group.serving();
  const source = `${folder()}/disk.img`;
  image(source, content);
  sameTime(source, target);

  const { code, out } = rsync(...reaching(group, 'web-1'), '--inplace', '--stats', source, within('web-1', 'disk.img'));
  expect(code).toBe(0);
  expect(readFileSync(target).equals(content)).toBe(false);
  expect(judged(out)).toBe('rsync transferred 0 files, expected 1');

  const { record } = await group.client({ disk: holding(content) }).ended;
  expect(record).toMatchObject({ stage: 'done', files: 1 });
  expect(readFileSync(target).equals(content)).toBe(true);
});

test('the same for a device', async ({ skip }) => {
  const content = full(size);
  const path = folder();
  const target = device(`${path}/disk`, size);
  if (!target.real) skip('needs a loop device');
  target.write(full(size));
  image(`${path}/disk.img`, content);
  sameTime(`${path}/disk.img`, target.path);
  const { code, out } = rsync('--write-devices', '--times', '--stats', `${path}/disk.img`, target.path);
  expect(code).toBe(0);
  expect(target.content().equals(content)).toBe(false);
  expect(judged(out)).toBe('rsync transferred 0 files, expected 1');
});

test('a device node is replaced by a file in the container; ours writes the device', async ({ skip }) => {
  const content = full(size);
  const group = transferGroup();
  const target = group.deviceTarget('web-1', size);
  if (!target.real) skip('needs a loop device');
  await group.serving();

  const { record } = await group.client({ target: 'block', disk: holding(content) }).ended;
  expect(record).toMatchObject({ stage: 'done' });
  expect(target.content().equals(content)).toBe(true);
  expect(statSync(target.path).isBlockDevice()).toBe(true);

  const source = `${folder()}/disk.img`;
  image(source, full(size));
  const { code, out } = rsync('-I', '--stats', source, target.path);
  expect(code).toBe(0);
  expect(statSync(target.path).isBlockDevice()).toBe(false);
  // The numbers agree: only looking at the target tells.
  expect(judged(out)).toBeUndefined();
  // What ours makes of it stands below.
});

test('a device is skipped as a source; ours reads it', async ({ skip }) => {
  const content = full(size);
  const group = transferGroup();
  const target = group.fileTarget('web-1');
  await group.serving();
  const source = device(`${folder()}/disk`, size);
  if (!source.real) skip('needs a loop device');
  source.write(content);

  const { code, out } = rsync(...reaching(group, 'web-1'), '-I', '--stats', source.path, within('web-1', 'disk.img'));
  expect(code).toBe(0);
  expect(out).toContain('skipping non-regular file');
  expect(judged(out)).toBe('rsync transferred 0 files, expected 1');

  const { record } = await group.client({ source: 'block', disk: deviceHolding(content) }).ended;
  expect(record).toMatchObject({ stage: 'done', files: 1 });
  expect(readFileSync(target).equals(content)).toBe(true);
});

test('appending leaves a target of the same length as it was; the server refuses to append', async () => {
  const group = transferGroup();
  const target = group.fileTarget('web-1');
  image(target, full(size));
  await group.serving();
  const content = full(size);
  const source = `${folder()}/disk.img`;
  image(source, content);
  const append = ['-I', '--append-verify', '--stats'];

  const beside = `${folder()}/disk.img`;
  image(beside, full(size));
  const naive = rsync(...append, source, beside);
  expect(naive.code).toBe(0);
  expect(readFileSync(beside).equals(content)).toBe(false);
  expect(judged(naive.out)).toBe('rsync transferred 0 files, expected 1');

  const refused = rsync(...reaching(group, 'web-1'), ...append, source, within('web-1', 'disk.img'));
  expect(refused.code).toBe(4);
  expect(refused.out).toContain('refuse --append');
});

test('a device larger than the source keeps what lay behind; ours makes zeros of it', async () => {
  const content = full(size);
  const group = transferGroup();
  const target = group.deviceTarget('web-1', size + 3 * mebibyte + 512);
  target.write(full(size + 3 * mebibyte + 512));
  await group.serving();
  const source = `${folder()}/disk.img`;
  image(source, content);
  const tail = () => target.content().subarray(size);

  const { code, out } = rsync(
    ...reaching(group, 'web-1'),
    ...['-I', '--write-devices', '--stats', source, within('web-1', 'disk')],
  );
  expect(code).toBe(0);
  expect(judged(out)).toBeUndefined();
  if (target.real) expect(tail().equals(Buffer.alloc(tail().length))).toBe(false);

  // Not a fresh copy: nothing is discarded, and the tail is cleared all the same.
  target.write(full(size));
  const { record } = await group.client({ target: 'block', disk: holding(content) }).ended;
  expect(record).toMatchObject({ stage: 'done' });
  expect(target.content().subarray(0, size).equals(content)).toBe(true);
  if (target.real) expect(tail().length).toBe(3 * mebibyte + 512);
  expect(tail().equals(Buffer.alloc(tail().length))).toBe(true);
});

test('a device that is written whole takes up all its room; ours stays thin', async ({ skip }) => {
  const content = Buffer.concat([full(mebibyte), Buffer.alloc(15 * mebibyte)]);
  const group = transferGroup();
  const target = group.deviceTarget('web-1', content.length);
  if (!target.real) skip('needs a loop device');
  await group.serving();
  const source = `${folder()}/disk.img`;
  image(source, content);
  const { code } = rsync(
    ...reaching(group, 'web-1'),
    ...['-I', '--whole-file', '--write-devices', source, within('web-1', 'disk')],
  );
  expect(code).toBe(0);
  expect(target.allocated()).toBeGreaterThan(15 * mebibyte);

  const { record } = await group.client({ target: 'block', args: ['--fresh'], disk: holding(content) }).ended;
  expect(record).toMatchObject({ stage: 'done' });
  expect(target.allocated()).toBeLessThan(3 * mebibyte);
});

test('a target that is not what was prepared is never proved', async () => {
  const path = folder();
  const target = { path: `${path}/disk.img`, folder: path, kind: 'file', standIn: false } as const;
  expect(await prepareTarget(target, size, true)).toMatchObject({ kind: 'prepared' });
  const disk = await diskAt(target.path, 'file');
  const prove = () => proveTarget(target, { size, disk }, false, stop);
  expect(await prove()).toMatchObject({ kind: 'refused', problem: 'NotWhole' });
  truncateSync(target.path, size - 1);
  expect(await prove()).toMatchObject({ problem: 'NotWhole', err: expect.stringContaining(`${size - 1} bytes`) });
  truncateSync(target.path, size + 1);
  expect(await prove()).toMatchObject({ problem: 'NotWhole' });
  truncateSync(target.path, size);
  expect(await prove()).toEqual({ kind: 'proved', flushed: true, digest: '' });
  // Another file of the same size in its place, while rsync wrote the one that has no name any more.
  image(`${path}/other`, full(size));
  renameSync(`${path}/other`, target.path);
  expect(await prove()).toMatchObject({ kind: 'refused', problem: 'NotWhole' });
});

test('a device that has promised more room than there is takes bytes and loses them; ours has them flushed', async ({
  skip,
}) => {
  const room = folder();
  if (!tmpfs(room, 6)) skip('needs the right to mount');
  const content = full(12 * mebibyte);
  const group = transferGroup();
  const target = group.deviceTarget('web-1', content.length, room);
  if (!target.real) skip('needs a loop device');
  await group.serving();
  const source = `${folder()}/disk.img`;
  image(source, content);
  const { code, out } = rsync(
    ...reaching(group, 'web-1'),
    ...['-I', '--write-devices', '--stats', source, within('web-1', 'disk')],
  );
  expect({ code, judged: notWhole(statisticsOf(out), content.length) }).toEqual({ code: 0, judged: undefined });

  const { record } = await group.client({ target: 'block', disk: holding(content) }).ended;
  expect(record).toMatchObject({
    flushed: false,
    problem: expect.toBeOneOf(['NotFlushed', 'RsyncFailed', 'TargetFull']),
  });
});

describe('a client whose rsync leaves out what it was told', () => {
  /** A folder with an rsync that does not see one option. */
  const rsyncWithout = (option: string): string => {
    const programs = folder();
    const leaveOut = `for word; do shift; case $word in ${option}) ;; *) set -- "$@" "$word" ;; esac; done`;
    writeFileSync(`${programs}/rsync`, `#!/bin/sh\n${leaveOut}\nexec /usr/bin/rsync "$@"\n`, { mode: 0o755 });
    chmodSync(programs, 0o755);
    return programs;
  };

  test('ends with code 0 and is not believed where it skips the disk', async () => {
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    image(target, full(size));
    sameTime(target);
    await group.serving();
    const { code, record } = await group.client({
      programs: rsyncWithout('--ignore-times'),
      disk: (path) => {
        holding(full(size))(path);
        sameTime(`${path}/disk.img`);
      },
    }).ended;
    expect(record).toMatchObject({ stage: 'copy', rc: 0, files: 0, literal: 0, problem: 'NotWhole', flushed: false });
    expect(code).toBe(1);
  });

  test('ends with code 0 and is not believed where it skips the device', async ({ skip }) => {
    if (!device(`${folder()}/disk`, size).real) skip('needs a loop device');
    const group = transferGroup();
    group.fileTarget('web-1');
    await group.serving();
    const programs = rsyncWithout('--copy-devices');
    const { record } = await group.client({ programs, source: 'block', disk: deviceHolding(full(size)) }).ended;
    expect(record).toMatchObject({ stage: 'copy', rc: 0, files: 0, problem: 'NotWhole', flushed: false });
  });

  test('ends with code 0 and is not believed where it replaces the device', async ({ skip }) => {
    const group = transferGroup();
    const target = group.deviceTarget('web-1', size);
    if (!target.real) skip('needs a loop device');
    await group.serving();
    const programs = rsyncWithout('--write-devices');
    const { record } = await group.client({ programs, target: 'block', disk: holding(full(size)) }).ended;
    const numbers = { rc: 0, files: 1, literal: size, size };
    expect(record).toMatchObject({ ...numbers, stage: 'prove', problem: 'NotWhole', flushed: false });
  });
});

test('what was written and cannot be flushed is NotFlushed', async ({ skip }) => {
  const room = folder();
  if (!tmpfs(room, 6)) skip('needs the right to mount');
  const path = folder();
  const target = device(`${path}/disk`, 12 * mebibyte, room);
  if (!target.real) skip('needs a loop device');
  writeFileSync(target.path, full(12 * mebibyte), { flag: 'r+' });
  const proved = await proveTarget(
    { path: target.path, folder: path, kind: 'block', standIn: false },
    { size: 12 * mebibyte, disk: await diskAt(target.path, 'block') },
    false,
    stop,
  );
  expect(proved).toMatchObject({ kind: 'refused', problem: 'NotFlushed' });
});

describe('a source that changes while it is copied', () => {
  const changed = async (change: (path: string) => void) => {
    const group = transferGroup();
    group.fileTarget('web-1');
    group.server();
    const args = ['--verify', `--bandwidth-limit=${2 * mebibyte}`];
    const client = group.client({ args, disk: holding(full(size)) });
    await client.printed((line) => line['t'] === 'progress' && Number(line['bytes']) > 0);
    change(`${client.root}/disks/web-1/disk.img`);
    return (await client.ended).record;
  };

  test('is found out by its digest', async () => {
    const record = await changed((path) => {
      const disk = openSync(path, 'r+');
      writeSync(disk, full(512), 0, 512, 0);
      closeSync(disk);
    });
    expect(record).toMatchObject({ stage: 'prove', rc: 0, files: 1, literal: size, problem: 'DigestDiffers' });
    expect(record['sourceDigest']).not.toBe(record['targetDigest']);
  });

  test('is found out by its size', async () => {
    const record = await changed((path) => truncateSync(path, size + 512));
    expect(record).toMatchObject({ stage: 'copy', rc: 0, files: 1, literal: size, problem: 'NotWhole' });
  });
});
