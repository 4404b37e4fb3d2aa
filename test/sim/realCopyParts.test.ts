// What real copies are made of, with a tiny program in place of the copy programs: containers as processes, mounts as
// folders, claims as images and devices. The real parts of the machine are used: processes, loop devices, file modes.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, type Observable, ReplaySubject, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { labels, roles } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import { apiServer } from '../../src/sim/apiServer/apiServer.ts';
import type { ApiServer } from '../../src/sim/cluster.ts';
import type { Pod } from '../../src/sim/kubevirt/objects.ts';
import type { ContainerEnd } from '../../src/sim/nodes/containerRunner.ts';
import { type Disks, disksOf } from '../../src/sim/nodes/disks.ts';
import { nextLoopbackAddress } from '../../src/sim/realCopy/loopbackAddresses.ts';
import { type RealCopies, realCopies } from '../../src/sim/realCopy/realCopies.ts';
import type { RunCopies } from '../../src/sim/realCopy/runCopies.ts';
import { at, claim, claims, pod as podManifest, pods } from './apiServerFixtures.ts';
import { remainsOf } from './realCopyRemains.ts';

/** Says what it was given, and then does what its first argument says. `child` starts one that would live for ever. */
const tinyProgram = `
import { spawn } from 'node:child_process';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
const root = process.env.TRANSSHIP_ROOT;
const [act, ...rest] = process.argv.slice(2);
const child = act === 'child' ? spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']) : undefined;
process.on('SIGTERM', () => { if (act !== 'deaf') { console.log('asked to end'); process.exit(20); } });
const { PATH, ...env } = process.env;
console.log(JSON.stringify({ args: [act, ...rest], env, uid: process.getuid(), child: child?.pid, pid: process.pid }));
if (act === 'read') console.log(rest.map((path) => readFileSync(root + path, 'utf8')).join(','));
if (act === 'write') writeFileSync(root + rest[0], rest[1]);
if (act === 'last words') writeFileSync(root + '/dev/termination-log', rest[1]);
if (act === 'complain') for (let line = 1; line <= 100; line += 1) console.error('complaint ' + line);
if (act === 'end' || act === 'read' || act === 'write') process.exitCode = Number(0);
else if (act === 'last words' || act === 'complain') process.exitCode = Number(rest[0]);
else if (act === 'die') process.kill(process.pid, 'SIGSEGV');
else setInterval(() => {}, 1000);
`;

const isRoot = process.getuid?.() === 0;

let directory = '';
let server: ApiServer;
let real: RealCopies;
let disks: Disks;
let copies: RunCopies;
const cleanUp: (() => void)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'transship-test-'));
  const file = join(directory, 'tiny.mjs');
  writeFileSync(file, tinyProgram);
  server = apiServer();
  // The folder is ours alone, so everything runs as us.
  real = realCopies(server, { program: [process.execPath, file], size: { blocks: 4, bytesEach: 64 * 1024 } });
  disks = disksOf(server, { kept: real.blocks, writeMs: 0 });
  copies = real.run(disks);
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const step of cleanUp.splice(0)) step();
  real.close();
  rmSync(directory, { recursive: true, force: true });
});

const copyPod = (args: readonly string[], container: object = {}, volumes: readonly object[] = []): Pod => {
  const containers = [{ name: 'copy', image: 'x', command: ['transship-copy'], args, ...container }];
  const made = podManifest('copy', { containers, volumes, nodeName: 'node1' });
  server.create(pods, made, 'user');
  const body = { status: { podIP: '127.1.2.3' } };
  return server.patch(pods, at('copy'), { type: 'merge', body }, 'kubelet', { subresource: 'status' }) as Pod;
};

interface Run {
  readonly ended: Promise<ContainerEnd>;
  readonly stop$: Subject<void>;
  /** Waits for the container's first line, which says what it was given. */
  said(): Promise<{
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly pid: number;
    readonly child?: number;
  }>;
  kill(): void;
}

const patience = { timeout: 30_000, interval: 20 };

const run = (pod: Pod): Run => {
  const stop$ = new Subject<void>();
  const run$ = copies.runner(pod, stop$) as Observable<ContainerEnd>;
  const end$ = new ReplaySubject<ContainerEnd>();
  const subscription = run$.subscribe(end$);
  return {
    stop$,
    ended: firstValueFrom(end$, { defaultValue: { exitCode: -1 } }),
    kill: () => subscription.unsubscribe(),
    said: () =>
      vi.waitFor(() => {
        const [line = '', ...more] = (copies.log(pod) ?? '').split('\n');
        expect(more.length).toBeGreaterThan(0);
        return JSON.parse(line);
      }, patience),
  };
};

const isAlive = (pid: number): boolean => {
  try {
    // One that was killed and that nobody has asked for yet is a zombie.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const untilDead = (pid: number | undefined) => vi.waitFor(() => expect(isAlive(pid ?? 0)).toBe(false), patience);

describe('a container', () => {
  test('gets the arguments and the environment of its manifest, its root, and nothing of ours', async () => {
    const env = [
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'GIVEN', value: 'as it is' },
    ];
    const { ended, said } = run(copyPod(['end', '--with=$(this) & that'], { env }));
    expect(await ended).toEqual({ exitCode: 0, message: '' });
    const { args, env: got } = await said();
    expect(args).toEqual(['end', '--with=$(this) & that']);
    expect(got).toEqual({ POD_IP: '127.1.2.3', GIVEN: 'as it is', TRANSSHIP_ROOT: expect.any(String) });
  });

  test('of another kind is not run here', () => {
    const containers = [{ name: 'main', image: 'x', command: ['sleep'] }];
    expect(copies.runner(podManifest('other', { containers }) as Pod, new Subject())).toBeUndefined();
  });

  test('ends with its exit code and with its last words, whether it failed or not', async () => {
    expect(await run(copyPod(['last words', '7', '{"t":"end"}'])).ended).toEqual({
      exitCode: 7,
      message: '{"t":"end"}',
    });
  });

  test('that a signal ended has 128 and the signal’s number for an exit code', async () => {
    expect(await run(copyPod(['die'])).ended).toMatchObject({ exitCode: 139 });
  });

  test.each([
    ['that failed without last words leaves the end of its log, if it is to', 'FallbackToLogsOnError', '3', 81],
    ['that failed without last words leaves none, if it is not to', 'File', '3', 1],
    ['that ended well without last words leaves none', 'FallbackToLogsOnError', '0', 1],
  ])('%s', async (_rule, terminationMessagePolicy, code, lines) => {
    const { exitCode, message = '' } = await run(copyPod(['complain', code], { terminationMessagePolicy })).ended;
    expect(exitCode).toBe(Number(code));
    expect(message.split('\n').length).toBe(lines);
    expect(message.length).toBeLessThanOrEqual(2048);
    if (lines > 1) expect(message.endsWith('complaint 100\n')).toBe(true);
  });

  test('that cannot be started has failed, and its log says why', async () => {
    const nothing = realCopies(server, { program: [join(directory, 'none')] });
    cleanUp.push(nothing.close);
    const pod = copyPod([]);
    const started = nothing.run(disks);
    const run$ = started.runner(pod, new Subject()) as Observable<ContainerEnd>;
    expect(await firstValueFrom(run$)).toMatchObject({ exitCode: 128 });
    expect(started.log(pod)).toContain('ENOENT');
  });

  test('is asked to end by a signal that it can answer', async () => {
    const { ended, said, stop$ } = run(copyPod(['stay']));
    await said();
    stop$.next();
    expect((await ended).exitCode).toBe(20);
  });

  test('that is deaf is killed with everything it has started', async () => {
    const { said, stop$, kill } = run(copyPod(['child']));
    const { pid, child } = await said();
    const deaf = run(copyPodNamed('deaf', ['deaf']));
    const { pid: deafPid } = await deaf.said();
    stop$.next();
    deaf.stop$.next();
    expect(isAlive(deafPid)).toBe(true);
    deaf.kill();
    kill();
    for (const each of [pid, child, deafPid]) await untilDead(each);
  });

  test('that has ended has nothing running any more', async () => {
    const { ended, said, stop$ } = run(copyPod(['child']));
    const { child } = await said();
    expect(isAlive(child ?? 0)).toBe(true);
    stop$.next();
    await ended;
    expect(isAlive(child ?? 0)).toBe(false);
  });

  test('ends with the copies it belongs to, and its folder is gone', async () => {
    const { said } = run(copyPod(['stay']));
    const { pid, env } = await said();
    expect(existsSync(env['TRANSSHIP_ROOT'] ?? '')).toBe(true);
    real.close();
    await untilDead(pid);
    expect(existsSync(env['TRANSSHIP_ROOT'] ?? '')).toBe(false);
  });
});

const copyPodNamed = (name: string, args: readonly string[], role?: string): Pod => {
  const containers = [{ name: 'copy', image: 'x', command: ['transship-copy'], args }];
  const own = role === undefined ? {} : { labels: { [labels.role]: role } };
  const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: 'b' } }];
  return server.create(pods, podManifest(name, { containers, volumes, nodeName: 'node1' }, own), 'user') as Pod;
};

test('a server may write its claims from when it runs until it has ended: a guest on them meanwhile is a clash', async () => {
  server.create(claims, claim('b'), 'user');
  const { said, stop$, ended } = run(copyPodNamed('server', ['stay'], roles.server));
  await said();
  disks.boot(at('web'), 'uid', [{ volume: 'disk', claim: 'b' }]);
  expect(disks.clashes).toMatchObject([{ claim: 'default/b', writers: ['server', 'uid'] }]);
  disks.halt('uid');
  stop$.next();
  await ended;
  disks.boot(at('web'), 'uid', [{ volume: 'disk', claim: 'b' }]);
  expect(disks.clashes.length).toBe(1);
});

describe('mounts', () => {
  const secretPod = (secret: object): Pod => {
    const data = { psk: Buffer.from('key').toString('base64'), 'password.b': Buffer.from('word').toString('base64') };
    const metadata = { name: 'keys', namespace: 'default' };
    server.create(resources.secrets, { apiVersion: 'v1', kind: 'Secret', metadata, data }, 'user');
    return copyPod(['stay'], { volumeMounts: [{ name: 'keys', mountPath: '/secrets' }] }, [
      { name: 'keys', secret: { secretName: 'keys', ...secret } },
    ]);
  };

  test('a Secret is a folder of links through `..data`, its files with the mode that is asked for', async () => {
    const { said, kill } = run(secretPod({ defaultMode: 0o440 }));
    const folder = join((await said()).env['TRANSSHIP_ROOT'] ?? '', 'secrets');
    const version = readlinkSync(join(folder, '..data'));
    expect(version).toMatch(/^\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d{9}$/);
    expect(readdirSync(folder).sort()).toEqual([version, '..data', 'password.b', 'psk'].sort());
    expect(readlinkSync(join(folder, 'psk'))).toBe('..data/psk');
    expect(readFileSync(join(folder, 'psk'), 'utf8')).toBe('key');
    expect(statSync(join(folder, 'psk')).mode & 0o777).toBe(0o440);
    kill();
  });

  test('of a Secret only the keys that are asked for are there, under the names that are asked for', async () => {
    const { said, kill } = run(secretPod({ items: [{ key: 'password.b', path: 'password', mode: 0o400 }] }));
    const folder = join((await said()).env['TRANSSHIP_ROOT'] ?? '', 'secrets');
    expect(readdirSync(folder).filter((name) => !name.startsWith('..'))).toEqual(['password']);
    expect(readFileSync(join(folder, 'password'), 'utf8')).toBe('word');
    kill();
  });

  test('a claim is its folder, an empty directory can be written to, and neither claim nor its content goes with the pod', async () => {
    server.create(claims, claim('files'), 'user');
    const mounted = {
      volumeMounts: [
        { name: 'disk', mountPath: '/disks/b' },
        { name: 'work', mountPath: '/tmp' },
      ],
    };
    const volumes = [
      { name: 'disk', persistentVolumeClaim: { claimName: 'files' } },
      { name: 'work', emptyDir: {} },
    ];
    const first = run(copyPod(['write', '/disks/b/disk.img', 'content'], mounted, volumes));
    expect((await first.ended).exitCode).toBe(0);
    server.remove(pods, at('copy'), 'user', { gracePeriodSeconds: 0 });
    const second = run(copyPod(['write', '/tmp/file', 'x'], mounted, volumes));
    expect((await second.ended).exitCode).toBe(0);
    server.remove(pods, at('copy'), 'user', { gracePeriodSeconds: 0 });
    const pod = copyPod(['read', '/disks/b/disk.img'], mounted, volumes);
    expect((await run(pod).ended).exitCode).toBe(0);
    expect(copies.log(pod)).toMatch(/\ncontent\n$/);
  });
});

describe.each(['Filesystem', 'Block'] as const)('disks on a claim with volumeMode %s', (volumeMode) => {
  const [web, volume] = [at('web'), 'disk'];
  beforeEach(() => {
    for (const name of ['a', 'b']) server.create(claims, claim(name, { volumeMode }), 'user');
    disks.install('default', 'web', volume, 'a');
  });

  /** Where the disk of a claim is, as a pod that mounts it finds out. */
  const pathOf = async (name: string): Promise<string> => {
    const mounted =
      volumeMode === 'Block'
        ? { volumeDevices: [{ name: 'disk', devicePath: '/devices/x/disk' }] }
        : { volumeMounts: [{ name: 'disk', mountPath: '/disks/x' }] };
    const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: name } }];
    const { said, kill } = run(copyPod(['stay'], mounted, volumes));
    const root = (await said()).env['TRANSSHIP_ROOT'] ?? '';
    const folder = readlinkSync(join(root, volumeMode === 'Block' ? 'devices/x' : 'disks/x'));
    kill();
    server.remove(pods, at('copy'), 'user', { gracePeriodSeconds: 0 });
    return join(folder, volumeMode === 'Block' ? 'disk' : 'disk.img');
  };

  const changeByte = async (name: string, position: number): Promise<void> => {
    const bytes = readFileSync(await pathOf(name));
    bytes[position] = (bytes[position] ?? 0) ^ 1;
    writeFileSync(await pathOf(name), bytes, { flag: 'r+' });
  };

  test('hold what the guest wrote, and an empty one holds nothing of it', () => {
    expect(disks.missing(web, volume, 'a')).toBe(0);
    expect(disks.missing(web, volume, 'b')).toBe(4);
    expect(disks.glance(web, volume, 'b')).toBe(4);
  });

  test('are compared byte for byte: one wrong byte anywhere is a block that is missing', async () => {
    for (const position of [0, 70_000, 4 * 64 * 1024 - 1]) {
      await changeByte('a', position);
      expect(disks.missing(web, volume, 'a')).toBe(1);
      await changeByte('a', position);
      expect(disks.missing(web, volume, 'a')).toBe(0);
    }
  });

  test('are mirrored for real: half of the blocks, then all, and what was there before is of no use', () => {
    disks.copyPart('default', 'a', 'b', 0, 1);
    expect(disks.missing(web, volume, 'b')).toBe(0);
    disks.boot(web, 'uid', [{ volume, claim: 'a' }]);
    disks.beginMirror('uid', [{ volume, claim: 'b' }]);
    expect(disks.missing(web, volume, 'b')).toBe(2);
    disks.switchOver('uid');
    expect(disks.missing(web, volume, 'b')).toBe(0);
  });

  test('are gone with their claim, and a claim made anew is empty', () => {
    const { uid } = server.read(claims, at('a'))?.metadata ?? {};
    server.remove(claims, at('a'), 'user', uid === undefined ? {} : { uid });
    server.create(claims, claim('a', { volumeMode }), 'user');
    expect(disks.missing(web, volume, 'a')).toBe(4);
  });

  test('leave nothing behind when the copies are closed', () => {
    disks.copyPart('default', 'a', 'b', 0, 1);
    expect(remainsOf(process.pid)).not.toEqual([]);
    real.close();
    expect(remainsOf(process.pid)).toEqual([]);
  });

  test.runIf(volumeMode === 'Block' && isRoot)('are devices where loop devices can be had', async () => {
    const { status } = spawnSync('losetup', ['--find']);
    const path = await pathOf('a');
    expect(lstatSync(path).isBlockDevice()).toBe(status === 0);
  });

  test.runIf(volumeMode === 'Block')('are plain files where loop devices cannot be had', async () => {
    vi.stubEnv('PATH', directory);
    disks.copyPart('default', 'a', 'b', 0, 1);
    vi.unstubAllEnvs();
    expect(lstatSync(await pathOf('b')).isFile()).toBe(true);
    expect(disks.missing(web, volume, 'b')).toBe(0);
  });

  test.runIf(volumeMode === 'Filesystem')('that are longer than what the guest wrote are not its disk', async () => {
    truncateSync(await pathOf('a'), 4 * 64 * 1024 + 1);
    expect(disks.missing(web, volume, 'a')).toBe(1);
  });
});

test('addresses are of this machine alone, and differ', () => {
  const given = Array.from({ length: 100 }, nextLoopbackAddress);
  expect(new Set(given).size).toBe(100);
  for (const address of given) expect(address).toMatch(/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/);
  expect(given.filter((address) => address.startsWith('127.0.0.') || address.startsWith('127.0.1.'))).toEqual([]);
});
