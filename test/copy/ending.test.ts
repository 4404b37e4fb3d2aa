// How the programs end: when they are told to, when the other side is gone or frozen, when a module is taken. Each time
// with a record that says so, with nothing left behind, and so that the same command finishes the work.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterwards, folder, until } from '../main/process.ts';
import { full, image, mebibyte, podUser } from './disks.ts';
import { reaching, within } from './naive.ts';
import { expectPrograms } from './programs.ts';
import { holding, type Line, processesOf, type RunningPod, transferGroup } from './stage.ts';

beforeAll(expectPrograms);

/** Slow enough to be caught in the middle. */
const slowly = `--bandwidth-limit=${2 * mebibyte}`;

const inTheMiddle = (line: Line): boolean => line['t'] === 'progress';

/** A copy that has just begun. `args` are both sides', the limit is the client's. */
const interrupted = (args: readonly string[] = [], limit = slowly) => {
  const content = full(8 * mebibyte);
  const group = transferGroup();
  const target = group.fileTarget('web-1');
  const server = group.server(args);
  const client = group.client({ args: [limit, ...args], disk: holding(content) });
  /** Runs the same again to its end, without a limit. */
  const again = async () => {
    const { record } = await group.client({ root: client.root }).ended;
    expect(record, JSON.stringify(record)).toMatchObject({ stage: 'done', size: content.length });
    expect(readFileSync(target).equals(content)).toBe(true);
  };
  return { content, group, target, server, client, again };
};

/** Waits until a pod has nothing running, as a kubelet does. */
const gone = (pod: RunningPod) => until(() => processesOf(pod.pid).length === 0);

describe('the same command finishes what was begun', () => {
  test('after the client was killed', async () => {
    const { client, again } = interrupted();
    await client.printed(inTheMiddle);
    client.killAll();
    await client.ended;
    await again();
  });

  test("after the client's rsync was killed", async () => {
    const { client, again } = interrupted();
    await client.printed(inTheMiddle);
    process.kill(await client.running('rsync'), 'SIGKILL');
    const { code, record } = await client.ended;
    expect(record).toMatchObject({ stage: 'copy', problem: 'RsyncFailed', rc: 137, flushed: false });
    expect(code).toBe(137);
    await again();
  });

  test("after the server's rsync was killed", async () => {
    const { client, server, again } = interrupted();
    await client.printed(inTheMiddle);
    process.kill(await server.running('rsync'), 'SIGKILL');
    expect((await client.ended).record).toMatchObject({ stage: 'copy', problem: 'PeerSilent', flushed: false });
    await again();
  });

  test("after the server's stunnel was killed, which ends the server", async () => {
    const { client, server, group, again } = interrupted();
    await client.printed(inTheMiddle);
    process.kill(await server.running('stunnel'), 'SIGKILL');
    expect((await client.ended).record).toMatchObject({ stage: 'copy', problem: 'PeerSilent' });
    expect(await server.ended).toMatchObject({ code: 137, record: { t: 'end', rc: 137, problem: 'TunnelEnded' } });
    await gone(server);
    group.server();
    await again();
  });

  test('after the server was told to end, which it does when nothing can write any more', async () => {
    const { client, server, group, again } = interrupted();
    await client.printed(inTheMiddle);
    server.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, record: {} });
    expect(processesOf(server.pid)).toEqual([]);
    expect((await client.ended).record).toMatchObject({ stage: 'copy', problem: 'PeerSilent' });
    group.server();
    await again();
  });

  test('after the client was cancelled; what was written is kept', async () => {
    const { client, target, again, content } = interrupted();
    await client.printed((line) => inTheMiddle(line) && Number(line['bytes']) > mebibyte);
    client.kill('SIGTERM');
    const { code, record } = await client.ended;
    expect(record).toMatchObject({ stage: 'copy', rc: 20, problem: 'Cancelled', size: content.length, flushed: false });
    expect(code).toBe(20);
    expect(readFileSync(target).subarray(0, 4096).equals(content.subarray(0, 4096))).toBe(true);
    await again();
  });
});

test('a log that nobody takes any more ends neither side', async () => {
  const { client, server, content, target } = interrupted();
  await client.printed(inTheMiddle);
  client.hangUp();
  server.hangUp();
  expect(await client.ended).toMatchObject({ code: 0, record: { stage: 'done' } });
  expect(readFileSync(target).equals(content)).toBe(true);
});

describe('a client that is cancelled says so and ends by itself', () => {
  test('while it looks for the server', async () => {
    const client = transferGroup().client({ disk: holding(full(mebibyte)) });
    await client.printed((line) => String(line['message']).includes('Connection refused'));
    client.kill('SIGTERM');
    expect(await client.ended).toMatchObject({ code: 20, record: { stage: 'connect', rc: 20, problem: 'Cancelled' } });
  });

  test('while the server is frozen', async () => {
    const { client, server } = interrupted();
    await client.printed(inTheMiddle);
    process.kill(-server.pid, 'SIGSTOP');
    client.kill('SIGTERM');
    expect(await client.ended).toMatchObject({ code: 20, record: { stage: 'copy', rc: 20, problem: 'Cancelled' } });
  });

  test('and two signals are as good as one', async () => {
    const { client } = interrupted();
    await client.printed(inTheMiddle);
    client.kill('SIGTERM');
    client.kill('SIGTERM');
    expect((await client.ended).record).toMatchObject({ problem: 'Cancelled' });
  });
});

describe('a peer that is silent', () => {
  test('the client gives up a server that is frozen in the middle', async () => {
    const { client, server } = interrupted(['--timeout=2']);
    await client.printed(inTheMiddle);
    process.kill(-server.pid, 'SIGSTOP');
    const { record } = await client.ended;
    expect(record).toMatchObject({ stage: 'copy', problem: 'PeerSilent', flushed: false });
  });

  test('the client gives up a server of which rsync alone is frozen', async () => {
    const { client, server } = interrupted(['--timeout=2']);
    await client.printed(inTheMiddle);
    for (const { pid, program } of processesOf(server.pid)) if (program === 'rsync') process.kill(pid, 'SIGSTOP');
    const { record } = await client.ended;
    expect(record).toMatchObject({ stage: 'copy', problem: 'PeerSilent' });
  });

  test('the server lets go of a client that is frozen, and the next one is served', async () => {
    const { client, server, again } = interrupted(['--timeout=2']);
    await client.printed(inTheMiddle);
    process.kill(-client.pid, 'SIGSTOP');
    await server.printed((line) => line['message'] === 'A client has left');
    expect(processesOf(server.pid).filter(({ program }) => program === 'rsync')).toEqual([]);
    await again();
    client.killAll();
  });
});

describe('a module that is taken', () => {
  test.each([
    ['the owner of images', podUser],
    ['root', 0],
  ])('by a receiver that nobody needs any more is freed for the next client, where %s runs it', async (_, user) => {
    const content = full(4 * mebibyte);
    const group = transferGroup(undefined, user);
    const target = group.fileTarget('web-1');
    await group.serving();
    const source = `${folder()}/disk.img`;
    image(source, full(4 * mebibyte));
    const options = ['-I', '--inplace', '--bwlimit=512', '--info=progress2'];
    const other = spawn('rsync', [...reaching(group, 'web-1'), ...options, source, within('web-1', 'disk.img')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    afterwards(() => other.kill('SIGKILL'));
    await once(other.stdout, 'data');

    const client = group.client({ disk: holding(content) });
    expect((await client.ended).record).toMatchObject({ stage: 'done' });
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  test('stays taken; a server stays away; a server is frozen: after a while each is given up', async () => {
    const { client, group } = interrupted([], `--bandwidth-limit=${100 * 1024}`);
    await client.printed(inTheMiddle);
    const second = group.client({ args: ['--fresh'], disk: holding(full(mebibyte)) });
    const frozen = transferGroup();
    frozen.fileTarget('web-1');
    process.kill((await frozen.serving()).pid, 'SIGSTOP');
    const fourth = frozen.client({ disk: holding(full(mebibyte)) });
    const third = transferGroup().client({ disk: holding(full(mebibyte)) });
    expect(await second.ended).toMatchObject({ code: 1, record: { stage: 'connect', problem: 'Busy', rc: 0 } });
    expect(await third.ended).toMatchObject({
      code: 1,
      record: { stage: 'connect', problem: 'ServerUnreachable', err: expect.stringContaining('Connection refused') },
    });
    expect(await fourth.ended).toMatchObject({ code: 1, record: { stage: 'connect', problem: 'ServerUnreachable' } });
  });
});
