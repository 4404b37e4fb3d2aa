// A disk that is copied arrives whole, whatever it lies on, and takes up no more room than it must. Real programs.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DiskKind } from '../../src/copy/paths.ts';
import { full, halfEmpty, image, mebibyte, sha256 } from './disks.ts';
import { expectPrograms } from './programs.ts';
import { deviceHolding, holding, openSockets, processesOf, transferGroup } from './stage.ts';

beforeAll(expectPrograms);

const ways: readonly (readonly [DiskKind, DiskKind])[] = [
  ['file', 'file'],
  ['block', 'block'],
  ['file', 'block'],
  ['block', 'file'],
];

const disk = (kind: DiskKind, content: Buffer) => (kind === 'file' ? holding(content) : deviceHolding(content));

describe.each(ways)('from %s to %s', (source, target) => {
  test('every byte arrives, is flushed, and is read again on both sides', async () => {
    const content = halfEmpty(16 * mebibyte);
    const group = transferGroup();
    const arrived = target === 'file' ? group.fileTarget('web-1') : group.deviceTarget('web-1', content.length).path;
    group.server();
    const { code, record } = await group.client({
      source,
      target,
      args: ['--fresh', '--verify'],
      disk: disk(source, content),
    }).ended;
    expect(record).toEqual({
      t: 'end',
      stage: 'done',
      rc: 0,
      files: 1,
      literal: expect.any(Number),
      matched: expect.any(Number),
      size: content.length,
      problem: '',
      flushed: true,
      sourceDigest: sha256(content),
      targetDigest: sha256(content),
      wireBytes: expect.any(Number),
      err: '',
    });
    expect(Number(record['literal']) + Number(record['matched'])).toBe(content.length);
    expect(code).toBe(0);
    expect(readFileSync(arrived).equals(content)).toBe(true);
  });

  test('what the target held before does not matter', async () => {
    const content = halfEmpty(8 * mebibyte);
    const group = transferGroup();
    const before = full(content.length + (target === 'file' ? 3 * mebibyte : 0));
    let arrived = '';
    if (target === 'file') {
      arrived = group.fileTarget('web-1');
      image(arrived, before);
    } else {
      const device = group.deviceTarget('web-1', content.length);
      device.write(before);
      arrived = device.path;
    }
    group.server();
    const { record } = await group.client({ source, target, disk: disk(source, content) }).ended;
    expect(record).toMatchObject({ stage: 'done', files: 1, size: content.length });
    expect(readFileSync(arrived).equals(content)).toBe(true);
  });
});

describe('room', () => {
  test.each(['file', 'block'] as const)('a sparse disk from %s stays sparse in a file', async (source) => {
    const content = halfEmpty(32 * mebibyte);
    const group = transferGroup();
    const arrived = group.fileTarget('web-1');
    group.server();
    const { record } = await group.client({ source, disk: disk(source, content) }).ended;
    expect(record['stage']).toBe('done');
    expect(readFileSync(arrived).equals(content)).toBe(true);
    expect(statSync(arrived).blocks * 512).toBeLessThan(18 * mebibyte);
  });

  test('a device that can discard is discarded for a fresh copy and stays thin', async ({ skip }) => {
    const content = halfEmpty(32 * mebibyte);
    const group = transferGroup();
    const arrived = group.deviceTarget('web-1', content.length);
    if (!arrived.real) skip('needs a loop device');
    arrived.write(full(content.length));
    expect(arrived.allocated()).toBeGreaterThan(31 * mebibyte);
    group.server();
    const { record } = await group.client({ target: 'block', args: ['--fresh'], disk: holding(content) }).ended;
    expect(record['stage']).toBe('done');
    expect(arrived.content().equals(content)).toBe(true);
    expect(arrived.allocated()).toBeLessThan(18 * mebibyte);
  });

  test('nothing is discarded unless the copy is a fresh one', async () => {
    const content = full(8 * mebibyte);
    const group = transferGroup();
    const arrived = group.deviceTarget('web-1', content.length);
    arrived.write(content);
    group.server();
    const { record } = await group.client({ target: 'block', disk: holding(content) }).ended;
    // What is there already is matched where the device could have been discarded.
    expect(record).toMatchObject({ stage: 'done', ...(arrived.real ? { literal: 0, matched: content.length } : {}) });
  });

  test('a slow line is spared what the target has already', async () => {
    const content = full(8 * mebibyte);
    const group = transferGroup();
    image(group.fileTarget('web-1'), Buffer.concat([content.subarray(0, 6 * mebibyte), full(2 * mebibyte)]));
    group.server();
    const { record } = await group.client({
      args: [`--bandwidth-limit=${20 * mebibyte}`],
      disk: holding(content),
    }).ended;
    expect(record['stage']).toBe('done');
    // All but what shares a block with something new.
    expect(Number(record['matched'])).toBeGreaterThan(5.9 * mebibyte);
    expect(Number(record['wireBytes'])).toBeLessThan(3 * mebibyte);
  });

  test('a disk of an odd size arrives whole', async () => {
    const content = halfEmpty(5 * mebibyte + 777);
    const group = transferGroup();
    const arrived = group.fileTarget('web-1');
    group.server();
    const { record } = await group.client({ args: ['--verify'], disk: holding(content) }).ended;
    expect(record).toMatchObject({ stage: 'done', size: content.length });
    expect(readFileSync(arrived).equals(content)).toBe(true);
  });
});

test('an image is made with the rights that KubeVirt needs', async () => {
  const group = transferGroup();
  const arrived = group.fileTarget('web-1');
  group.server();
  await group.client({ disk: holding(full(mebibyte)) }).ended;
  expect(statSync(arrived).mode & 0o7777).toBe(0o660);
});

test('a claim may have any name that Kubernetes allows', async () => {
  for (const name of ['global', '0', 'a.b-c.d', ['x'.repeat(240), 'y'.repeat(3)].join('.')]) {
    const content = full(mebibyte);
    const group = transferGroup();
    const arrived = group.fileTarget(name);
    group.server();
    const { record } = await group.client({ module: name, disk: holding(content) }).ended;
    expect(record['stage'], name).toBe('done');
    expect(readFileSync(arrived).equals(content)).toBe(true);
  }
});

test('several clients are served at once, each into its own target', async () => {
  const contents = new Map(['web-1', 'web-2', 'db-1'].map((name) => [name, halfEmpty(8 * mebibyte)]));
  const group = transferGroup();
  const arrived = new Map([...contents.keys()].map((name) => [name, group.fileTarget(name)]));
  group.server();
  const clients = [...contents].map(([module, content]) => group.client({ module, disk: holding(content) }));
  for (const client of clients) expect((await client.ended).record['stage']).toBe('done');
  for (const [name, content] of contents) expect(readFileSync(arrived.get(name) ?? '').equals(content)).toBe(true);
});

test('root needs no more rights than its manifest asks for, also for a file beside the device', async ({ skip }) => {
  if (process.getuid?.() !== 0) skip('needs root');
  const content = full(mebibyte);
  const group = transferGroup(undefined, 0);
  const device = group.deviceTarget('web-1', content.length);
  const file = group.fileTarget('db-1');
  // As whoever made the claim may have left it: the group may write.
  image(file, full(2 * mebibyte));
  group.server();
  const toDevice = group.client({ target: 'block', args: ['--fresh'], disk: holding(content) });
  const toFile = group.client({ module: 'db-1', source: 'block', disk: deviceHolding(content) });
  expect((await toDevice.ended).record).toMatchObject({ stage: 'done' });
  expect((await toFile.ended).record).toMatchObject({ stage: 'done' });
  expect(device.content().equals(content)).toBe(true);
  expect(readFileSync(file).equals(content)).toBe(true);
});

test('pods may have IPv6 addresses', async () => {
  const group = transferGroup('::1');
  group.fileTarget('web-1');
  group.server();
  const { record } = await group.client({ disk: holding(full(mebibyte)) }).ended;
  expect(record['stage']).toBe('done');
});

test('a client may be there before its server', async () => {
  const group = transferGroup();
  group.fileTarget('web-1');
  const client = group.client({ disk: holding(full(mebibyte)) });
  await client.printed((line) => String(line['message']).includes('Connection refused'));
  group.server();
  expect((await client.ended).record['stage']).toBe('done');
});

describe('what is to be seen from outside', () => {
  test('progress is told at once, in lines that the daemon can read', async () => {
    const content = full(16 * mebibyte);
    const group = transferGroup();
    group.fileTarget('web-1');
    group.server();
    const client = group.client({ disk: holding(content) });
    await client.ended;
    expect(client.lines.find((line) => line['t'] === 'progress')).toEqual({
      t: 'progress',
      bytes: expect.any(Number),
      total: content.length,
      percent: expect.any(Number),
      bytesPerSecond: expect.any(Number),
      secondsLeft: expect.toBeOneOf([expect.any(Number), null]),
    });
    expect(client.lines.filter((line) => 'unreadable' in line)).toEqual([]);
    expect(client.lines.at(-1)).toMatchObject({ t: 'end', stage: 'done' });
  });

  test('no secret is printed, on a command line, in the environment, or in a file that others can read', async () => {
    const group = transferGroup();
    group.fileTarget('web-1');
    const server = group.server();
    const client = group.client({ disk: holding(full(8 * mebibyte)), args: [`--bandwidth-limit=${2 * mebibyte}`] });
    await client.printed((line) => line['t'] === 'progress');
    const secrets = [group.psk, group.passwordOf('web-1')];
    for (const pod of [server, client]) {
      for (const { pid } of processesOf(pod.pid)) {
        const seen = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join();
        for (const secret of secrets) expect(seen).not.toContain(secret);
      }
    }
    const written = ['stunnel.psk', 'rsyncd.secrets', 'rsyncd.conf', 'stunnel-server.conf', 'rsyncd.log'];
    for (const name of written) expect(statSync(`${server.root}/tmp/${name}`).mode & 0o077, name).toBe(0);
    for (const name of ['stunnel.psk', 'rsync.password', 'stunnel-rsync.conf', 'stunnel-control.conf']) {
      expect(statSync(`${client.root}/tmp/${name}`).mode & 0o077, name).toBe(0);
    }
    expect((await client.ended).record['stage']).toBe('done');
    for (const secret of secrets) expect(server.stdout() + client.stdout()).not.toContain(secret);
  });

  test('no port is open but the two of the server, on its own address, and both speak TLS', async () => {
    const group = transferGroup();
    group.fileTarget('web-1');
    const server = group.server();
    const client = group.client({ disk: holding(full(8 * mebibyte)), args: [`--bandwidth-limit=${2 * mebibyte}`] });
    await client.printed((line) => line['t'] === 'progress');
    const hex = group.address
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .toReversed()
      .join('');
    const listening = ['tcp', 'tcp6'].flatMap((name) =>
      [server, client].flatMap((pod) => {
        const inodes = new Set(processesOf(pod.pid).flatMap(({ pid }) => openSockets(pid)));
        return readFileSync(`/proc/net/${name}`, 'utf8')
          .split('\n')
          .map((line) => line.trim().split(/\s+/))
          .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
          .map((fields) => fields[1]);
      }),
    );
    expect(listening.toSorted()).toEqual([`${hex.toUpperCase()}:22AA`, `${hex.toUpperCase()}:22AB`]);
  });

  test('a work folder that is used again is no trouble', async () => {
    const group = transferGroup();
    group.fileTarget('web-1');
    writeFileSync(`${group.serverRoot}/tmp/control.sock`, '');
    writeFileSync(`${group.serverRoot}/tmp/rsyncd.log`, '');
    group.server();
    expect((await group.client({ disk: holding(full(mebibyte)) }).ended).record['stage']).toBe('done');
  });
});
