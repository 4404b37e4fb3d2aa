// What is refused, by which side, and the name that the daemon is told for it. Real programs throughout: who has no key
// gets no word, who has one gets no further than its own target, and nobody reads a disk back.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { controlPort } from '../../src/copy/paths.ts';
import { afterwards, folder } from '../main/process.ts';
import { full, image, mebibyte, tmpfs } from './disks.ts';
import { reaching, rsync, tunnelTo, within } from './naive.ts';
import { expectPrograms, mustRun, run } from './programs.ts';
import { deviceHolding, holding, mount, processesOf, transferGroup } from './stage.ts';

beforeAll(expectPrograms);

const small = full(mebibyte);

describe('keys and passwords', () => {
  test('another key is refused at once', async () => {
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    await group.serving();
    const { code, record } = await group.client({ psk: '0'.repeat(64), disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'connect', problem: 'AccessRefused', rc: 0, flushed: false });
    expect(record['err']).toContain('SSL_connect');
    expect(code).toBe(1);
    expect(existsSync(target)).toBe(false);
  });

  test('another password is refused at once, by control as by rsync', async () => {
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    await group.serving();
    const password = 'x'.repeat(32);
    const { record } = await group.client({ password, disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'connect', problem: 'AccessRefused' });
    const source = `${folder()}/disk.img`;
    image(source, small);
    const { code, out } = rsync(...reaching(group, 'web-1', { password }), source, within('web-1', 'disk.img'));
    expect({ code, out }).toMatchObject({ code: 5, out: expect.stringContaining('auth failed') });
    expect(existsSync(target)).toBe(false);
  });

  test("a client cannot write to another client's target", async () => {
    const group = transferGroup();
    group.fileTarget('web-1');
    const other = group.fileTarget('web-2');
    await group.serving();
    const password = group.passwordOf('web-1');
    const { record } = await group.client({ module: 'web-2', password, disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'connect', problem: 'AccessRefused' });
    const source = `${folder()}/disk.img`;
    image(source, small);
    const call = reaching(group, 'web-1');
    for (const user of ['web-1', 'web-2']) {
      expect(rsync(...call, source, within('web-2', 'disk.img', user)).code).toBe(5);
    }
    expect(rsync(...call, '-I', source, within('web-1', '../web-2/disk.img')).code).not.toBe(0);
    expect(existsSync(other)).toBe(false);
  });

  test('a module that the server does not have is refused', async () => {
    const group = transferGroup();
    group.fileTarget('web-1');
    await group.serving();
    const { record } = await group.client({ module: 'web-9', disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'connect', problem: 'AccessRefused' });
  });

  test('a server with a certificate and without the key is told nothing', async () => {
    const group = transferGroup();
    const keys = folder();
    const subject = ['-subj', '/CN=server', '-days', '1', '-nodes'];
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    mustRun('openssl', ['req', '-x509', ...newKey, ...subject, '-keyout', `${keys}/key`, '-out', `${keys}/cert`]);
    let heard = '';
    const impostor = createServer(
      { key: readFileSync(`${keys}/key`), cert: readFileSync(`${keys}/cert`) },
      (socket) => {
        socket
          .on('error', () => undefined)
          .on('data', (data: Buffer) => {
            heard += data.toString();
          });
      },
    ).listen(controlPort, group.address);
    await once(impostor, 'listening');
    afterwards(() => impostor.close());
    const { record } = await group.client({ disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'connect', problem: 'AccessRefused' });
    expect(heard).toBe('');
  });

  test.each([
    ['a key that is none', { psk: 'secret' }],
    ['a password that could end a line', { password: `${'x'.repeat(20)}\nroot:x` }],
    ['a password that is too short to be one', { password: 'x' }],
  ])('%s is refused before anything is tried', async (_, secrets) => {
    const { record } = await transferGroup().client({ ...secrets, disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'secrets', problem: 'BadSecrets' });
    for (const secret of Object.values(secrets)) expect(record['err']).not.toContain(secret);
  });

  test('a server whose keys are missing says so and ends', async () => {
    const group = transferGroup();
    group.fileTarget('web-1');
    mkdirSync(`${group.serverRoot}/gone`);
    const server = group.server();
    rmSync(`${group.serverRoot}/secrets/psk`);
    expect(await server.ended).toMatchObject({ code: 1, record: { t: 'end', problem: 'BadSecrets' } });
  });
});

describe('what rsync may be asked for', () => {
  const asked = async (kind: 'file' | 'block', ...options: readonly string[]) => {
    const group = transferGroup();
    if (kind === 'file') image(group.fileTarget('web-1'), small);
    else group.deviceTarget('web-1', small.length);
    await group.serving();
    const source = folder();
    image(`${source}/disk.img`, small);
    return { group, result: rsync(...reaching(group, 'web-1'), ...options, `${source}/`, within('web-1', '')) };
  };

  test.each(['--delete', '--times', '--links', '--perms', '--append', '--remove-source-files', '--copy-dest=/'])(
    '%s is refused',
    async (option) => {
      const { result } = await asked('file', '--recursive', option);
      expect(result.code).toBe(4);
      expect(result.out).toMatch(/configured to refuse/);
    },
  );

  test('writing to devices is refused where the target is a file', async () => {
    const { result } = await asked('file', '--write-devices');
    expect(result).toMatchObject({ code: 4, out: expect.stringContaining('refuse --write-devices') });
  });

  test('no other file can be put beside the disk', async () => {
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    await group.serving();
    const source = `${folder()}/disk.img`;
    image(source, small);
    rsync(...reaching(group, 'web-1'), '-I', source, within('web-1', 'other.img'));
    expect(existsSync(target.replace('disk.img', 'other.img'))).toBe(false);
  });

  test.each(['file', 'block'] as const)('a %s cannot be read back', async (kind) => {
    const { group } = await asked(kind);
    const into = `${folder()}/stolen`;
    const name = kind === 'file' ? 'disk.img' : 'disk';
    const device = kind === 'file' ? [] : ['--copy-devices'];
    const { code } = rsync(...reaching(group, 'web-1'), ...device, within('web-1', name), into);
    expect(code).not.toBe(0);
    expect(existsSync(into)).toBe(false);
  });

  test('modules are not listed', async () => {
    const { group } = await asked('file');
    expect(rsync(`--rsh=stunnel ${tunnelTo(group)}`, 'web-1@server::').out).not.toContain('web-1');
  });
});

describe('what control may be asked for', () => {
  const hello = 'hello';

  /** Says these lines to the control port, `hello` as the client says it; gives what was answered before the end. */
  const say = async (...lines: readonly string[]): Promise<string> => {
    const group = transferGroup();
    image(group.fileTarget('web-1'), small);
    await group.serving();
    const introduction = JSON.stringify({ module: 'web-1', password: group.passwordOf('web-1') });
    const tunnel = spawn('stunnel', [tunnelTo(group, group.psk, controlPort)], { stdio: ['pipe', 'pipe', 'ignore'] });
    afterwards(() => tunnel.kill('SIGKILL'));
    let answer = '';
    tunnel.stdout.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    for (const line of lines) tunnel.stdin.write(`${line === hello ? introduction : line}\n`);
    await once(tunnel.stdout, 'end');
    return answer;
  };

  test.each([
    ['prove before prepare', '{"t":"prove","digest":true}'],
    ['prepare without a size', '{"t":"prepare","fresh":true}'],
    ['prepare of no bytes', '{"t":"prepare","size":0}'],
    ['prepare of a text', '{"t":"prepare","size":"../../etc"}'],
    ['something else', '{"t":"read","at":0,"length":4096}'],
    ['what is no message', 'GET / HTTP/1.1'],
    ['a line without an end', 'x'.repeat(10_000)],
  ])('%s is not answered but hung up on', async (_, line) => {
    // What is no message may be hung up on before the introduction is answered.
    expect(await say(hello, line)).toBeOneOf(['', '{"t":"welcome"}\n']);
  });

  test.each([
    ['no name', '{"password":"x"}'],
    ['names that are none', '{"module":{},"password":["x"]}'],
    ['a name that every object has', '{"module":"constructor","password":"x"}'],
  ])('%s is refused like a wrong password', async (_, line) => {
    expect(JSON.parse(await say(line))).toMatchObject({ t: 'refused', problem: 'AccessRefused' });
  });

  test('a digest is told only of a target that has the size that was prepared', async () => {
    const prepare = JSON.stringify({ t: 'prepare', size: small.length - 1 });
    const answer = await say(hello, prepare, '{"t":"prove","digest":true}', '{"t":"bye"}');
    expect(answer).toContain('"problem":"NotWhole"');
    expect(answer).not.toContain('sha256');
  });
});

describe('the source', () => {
  const without = async (disk: (path: string, root: string) => void, kinds = {}) => {
    const group = transferGroup();
    return (await group.client({ ...kinds, disk }).ended).record;
  };

  test.each<[string, (path: string) => void]>([
    ['is missing', () => undefined],
    ['is a folder', (path) => mkdirSync(`${path}/disk.img`)],
    ['is a link to another file', (path) => symlinkSync('/etc/hostname', `${path}/disk.img`)],
  ])('that %s is SourceMissing', async (_, disk) => {
    expect(await without(disk)).toMatchObject({ stage: 'source', problem: 'SourceMissing', size: 0 });
  });

  test('that cannot be read is SourceMissing', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('needs root, to make a file that the pod may not read');
    const disk = (path: string) => writeFileSync(`${path}/disk.img`, small, { mode: 0o600 });
    expect(await without(disk)).toMatchObject({
      stage: 'source',
      problem: 'SourceMissing',
      err: expect.stringContaining('EACCES'),
    });
  });

  test('that should be a device and is none is SourceMissing', async () => {
    expect(await without((path) => mkdirSync(`${path}/disk`), { source: 'block' })).toMatchObject({
      problem: 'SourceMissing',
      err: expect.stringContaining('not a block device'),
    });
  });

  test('of no bytes is SourceEmpty', async () => {
    expect(await without(holding(Buffer.alloc(0)))).toMatchObject({ stage: 'source', problem: 'SourceEmpty' });
  });

  const qcow2 = Buffer.concat([Buffer.from('514649fb00000003', 'hex'), small]);

  test('that is a qcow2 image is not put onto a device', async () => {
    expect(await without(holding(qcow2), { target: 'block' })).toMatchObject({
      stage: 'source',
      problem: 'SourceFormat',
      size: 0,
    });
  });

  test('that is a qcow2 image is copied to a file as it is', async () => {
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    group.server();
    const { record } = await group.client({ disk: holding(qcow2) }).ended;
    expect(record['stage']).toBe('done');
    expect(readFileSync(target).equals(qcow2)).toBe(true);
  });

  test('that is a device may hold a qcow2 image of its own', async () => {
    const content = Buffer.concat([qcow2.subarray(0, 512), full(mebibyte - 512)]);
    const group = transferGroup();
    const target = group.deviceTarget('web-1', content.length);
    group.server();
    const kinds = { source: 'block', target: 'block' } as const;
    const { record } = await group.client({ ...kinds, disk: deviceHolding(content) }).ended;
    expect(record['stage']).toBe('done');
    expect(target.content().equals(content)).toBe(true);
  });
});

describe('the target', () => {
  test('that is a device smaller than the source is TargetTooSmall, and nothing is written', async () => {
    const group = transferGroup();
    const before = full(3 * mebibyte);
    const target = group.deviceTarget('web-1', before.length);
    target.write(before);
    group.server();
    const { record } = await group.client({
      target: 'block',
      args: ['--fresh'],
      disk: holding(full(4 * mebibyte)),
    }).ended;
    expect(record).toMatchObject({ stage: 'prepare', problem: 'TargetTooSmall', size: 4 * mebibyte });
    expect(record['err']).toContain(`${4 * mebibyte} bytes`);
    expect(record['err']).toContain(`room for ${3 * mebibyte}`);
    expect(target.content().equals(before)).toBe(true);
  });

  test('in a file system smaller than the source is TargetTooSmall', async ({ skip }) => {
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    if (!tmpfs(target.replace('/disk.img', ''), 8)) skip('needs the right to mount');
    group.server();
    const { record } = await group.client({ disk: holding(full(9 * mebibyte)) }).ended;
    expect(record).toMatchObject({ stage: 'prepare', problem: 'TargetTooSmall' });
    expect(record['err']).toContain(`room for ${8 * mebibyte}`);
  });

  test('that holds the disk already has room for it', async ({ skip }) => {
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    if (!tmpfs(target.replace('/disk.img', ''), 8)) skip('needs the right to mount');
    image(target, full(6 * mebibyte));
    group.server();
    const { record } = await group.client({ disk: holding(full(7 * mebibyte)) }).ended;
    expect(record['stage']).toBe('done');
  });

  test('whose file system fills up in the middle is TargetFull', async ({ skip }) => {
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    const claim = target.replace('/disk.img', '');
    if (!tmpfs(claim, 16)) skip('needs the right to mount');
    group.server();
    const client = group.client({ args: [`--bandwidth-limit=${4 * mebibyte}`], disk: holding(full(12 * mebibyte)) });
    await client.printed((line) => line['t'] === 'progress');
    run('dd', ['if=/dev/zero', `of=${claim}/other`, 'bs=1M', 'count=12']);
    const { code, record } = await client.ended;
    expect(record).toMatchObject({ stage: 'copy', problem: 'TargetFull', rc: 11 });
    expect(record['err']).toContain('No space left on device');
    expect(code).toBe(11);
  });

  test('whose claim is not mounted is TargetMissing', async () => {
    const group = transferGroup();
    rmSync(group.fileTarget('web-1').replace('/disk.img', ''), { recursive: true });
    group.server();
    const { record } = await group.client({ disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'prepare', problem: 'TargetMissing' });
  });

  test('that is a link to another disk is TargetMissing, and that disk is left alone', async () => {
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    const other = group.fileTarget('web-2');
    const before = full(2 * mebibyte);
    image(other, before);
    symlinkSync(other, target);
    group.server();
    const { record } = await group.client({ disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'prepare', problem: 'TargetMissing' });
    expect(readFileSync(other).equals(before)).toBe(true);
  });

  test('that cannot be made is TargetMissing, and it is told why', async () => {
    const group = transferGroup();
    chmodSync(group.fileTarget('web-1').replace('/disk.img', ''), 0o555);
    group.server();
    const { record } = await group.client({ disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'prepare', problem: 'TargetMissing' });
    expect(record['err']).toContain('EACCES');
  });

  test('that may not be written is TargetMissing', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('needs root, to make a file that the pod may not write');
    const group = transferGroup();
    const target = group.fileTarget('web-1');
    image(target, small);
    chownSync(target, 0, 0);
    group.server();
    const { record } = await group.client({ disk: holding(small) }).ended;
    expect(record).toMatchObject({ stage: 'prepare', problem: 'TargetMissing' });
  });
});

describe('arguments', () => {
  test.each<[string, readonly string[]]>([
    ['a module that is a path', ['--module=../web-2']],
    ['a module that is two lines', ['--module=web-1\n[all]']],
    ['a server that is a name', ['--server=example.org']],
    ['a limit of nothing', ['--bandwidth-limit=0']],
    ['an option that nobody knows', ['--delete']],
  ])('%s is BadArguments, and nothing is started', async (_, args) => {
    const client = transferGroup().client({ args, disk: holding(small) });
    const { code, record } = await client.ended;
    expect(record).toMatchObject({ stage: 'arguments', problem: 'BadArguments' });
    expect(code).toBe(1);
    expect(processesOf(client.pid)).toEqual([]);
  });

  test('a server whose address is taken says so and ends', async () => {
    const group = transferGroup();
    group.fileTarget('web-1');
    await group.serving();
    const second = transferGroup(group.address);
    mount(second.serverRoot, 'web-1', 'file');
    second.fileTarget('web-2');
    expect((await second.server().ended).record).toMatchObject({
      t: 'end',
      problem: 'TunnelEnded',
      err: expect.stringContaining('in use'),
    });
  });
});
