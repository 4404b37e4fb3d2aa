// The pure parts of the copy programs: what is read from rsync's words, what is written into configuration files and on
// command lines, and what the end is called.
import { describe, expect, test } from 'vitest';
import { parseClient, parseServer } from '../../src/copy/arguments.ts';
import { endRecordLine, explanation, notWhole, rsyncProblem, tunnelProblem } from '../../src/copy/endRecord.ts';
import { pathsBelow } from '../../src/copy/paths.ts';
import { progressOf, progressReader } from '../../src/copy/progressLines.ts';
import { rsyncCommand } from '../../src/copy/rsyncCommand.ts';
import { rsyncdConfig } from '../../src/copy/rsyncdConfig.ts';
import { unfitFormat } from '../../src/copy/sourceFormat.ts';
import { statisticsOf } from '../../src/copy/statistics.ts';
import { clientTunnel, serverTunnel } from '../../src/copy/stunnelConfig.ts';
import { parseCopyEndRecord } from '../../src/core/copyEndRecord.ts';

describe('progress', () => {
  test.each([
    // A rate of nothing gives no time, which rsync writes as none left.
    ['      32,768   0%    0.00kB/s    0:00:00  ', { bytes: 32_768, percent: 0, bytesPerSecond: 0, secondsLeft: null }],
    [
      '   2,984,509,440  69%  712.09MB/s    1:02:03  ',
      { bytes: 2_984_509_440, percent: 69, bytesPerSecond: 746_680_484, secondsLeft: 3723 },
    ],
    // The last record has the time that it took.
    [
      '   4,294,967,296 100%    1.50GB/s    0:00:05 (xfr#1, to-chk=0/1)',
      { bytes: 4_294_967_296, percent: 100, bytesPerSecond: 1_610_612_736, secondsLeft: 0 },
    ],
    ['  1,024   1%    5.00kB/s  ??:??:??  ', { bytes: 1024, percent: 1, bytesPerSecond: 5120, secondsLeft: null }],
  ])('is read from %j', (record, progress) => {
    expect(progressOf(record)).toEqual(progress);
  });

  test.each(['', 'Number of files: 1 (reg: 1)', 'total size is 16,777,216  speedup is 3.93', '100%'])(
    'is not read from %j',
    (record) => {
      expect(progressOf(record)).toBeUndefined();
    },
  );

  test('is the same in whatever pieces it comes, and the statistics are left over', () => {
    const said = [
      '\r         32,768   0%    0.00kB/s    0:00:00  ',
      '\r     16,777,216 100%    1.20GB/s    0:00:00 (xfr#1, to-chk=0/1)\r\n',
      '\nNumber of regular files transferred: 1\nLiteral data: 16,777,216 bytes\n',
    ].join('');
    for (let length = 1; length <= said.length; length += 1) {
      const reader = progressReader();
      const seen = [];
      for (let at = 0; at < said.length; at += length) {
        const progress = reader.take(said.slice(at, at + length));
        if (progress !== undefined) seen.push(progress);
      }
      expect(seen.at(-1), `pieces of ${length}`).toMatchObject({ bytes: 16_777_216, percent: 100, secondsLeft: 0 });
      expect(statisticsOf(reader.rest())).toMatchObject({ files: 1, literal: 16_777_216 });
    }
  });

  test('of any length takes no more memory than a little', () => {
    const reader = progressReader();
    for (let index = 0; index < 1000; index += 1) reader.take('x'.repeat(1000));
    expect(reader.rest().length).toBeLessThan(25_000);
  });
});

describe('statistics', () => {
  test('are read from what rsync says at its end', () => {
    const said = [
      'Number of files: 1 (reg: 1)',
      'Number of regular files transferred: 1',
      'Literal data: 4,274,169 bytes',
      'Matched data: 12,503,047 bytes',
      'Total bytes sent: 4,274,169',
      'Total bytes received: 39',
    ].join('\n');
    expect(statisticsOf(said)).toEqual({ files: 1, literal: 4_274_169, matched: 12_503_047, wireBytes: 4_274_208 });
  });

  test('that rsync did not give are 0, and nothing is believed', () => {
    const none = statisticsOf('rsync: nothing');
    expect(none).toEqual({ files: 0, literal: 0, matched: 0, wireBytes: 0 });
    expect(notWhole(none, 1)).toBe('rsync transferred 0 files, expected 1');
  });

  test.each([
    [{ files: 1, literal: 600, matched: 400 }, undefined],
    [{ files: 0, literal: 600, matched: 400 }, 'rsync transferred 0 files, expected 1'],
    [{ files: 2, literal: 600, matched: 400 }, 'rsync transferred 2 files, expected 1'],
    [{ files: 1, literal: 599, matched: 400 }, 'rsync covered 999 of 1000 bytes'],
    [{ files: 1, literal: 601, matched: 400 }, 'rsync covered 1001 of 1000 bytes'],
  ])('%j of 1000 bytes: %s', (statistics, why) => {
    expect(notWhole(statistics, 1000)).toBe(why);
  });
});

describe('the end', () => {
  test.each([
    [5, '@ERROR: max connections (1) reached -- try again later', 'Busy'],
    [5, '@ERROR: auth failed on module claim-web-1', 'AccessRefused'],
    [5, "@ERROR: Unknown module 'claim-web-1'", 'AccessRefused'],
    [5, 'LOG3[0]: SSL_connect: error:0A000417:SSL routines::sslv3 alert illegal parameter', 'AccessRefused'],
    [5, 'LOG3[0]: s_connect: connect 10.0.0.1:8874: Connection refused (111)', 'ServerUnreachable'],
    [5, 'rsync: did not see server greeting', 'PeerSilent'],
    [10, '', 'PeerSilent'],
    [11, 'rsync: [receiver] write failed on "/disk.img": No space left on device (28)', 'TargetFull'],
    [12, 'rsync: connection unexpectedly closed', 'PeerSilent'],
    [20, 'rsync error: received SIGINT, SIGTERM, or SIGHUP', 'PeerSilent'],
    [23, 'rsync: [sender] send_files failed to open "/disks/web-1/disk.img": Permission denied (13)', 'SourceMissing'],
    [23, 'rsync: [sender] read errors mapping "/disk.img": Input/output error (5)', 'SourceMissing'],
    [23, 'rsync: [receiver] open "/disk.img" (in claim-web-1) failed: Permission denied (13)', 'TargetMissing'],
    [30, 'rsync error: timeout in data send/receive', 'PeerSilent'],
    [4, 'rsync: The server is configured to refuse --delete', 'RsyncFailed'],
    [137, '', 'RsyncFailed'],
  ])('of rsync with code %d and %j is called %3$s', (code, said, problem) => {
    expect(rsyncProblem(code, said)).toBe(problem);
  });

  test('of a tunnel that a server ended while it went away is no refusal', () => {
    expect(tunnelProblem('SSL_connect: error:0A000126:SSL routines::unexpected eof while reading')).toBeUndefined();
  });

  test('is a record that fits into a termination message whatever was said, and that core can read', () => {
    const numbers = { rc: 11, files: 1, literal: 1, matched: 2, size: 3, wireBytes: 4 };
    for (const noise of ['"', '\\', '\u0000', '\u2028', 'ü', '\n', 'x']) {
      const line = endRecordLine({
        stage: 'copy',
        ...numbers,
        problem: 'TargetFull',
        flushed: false,
        sourceDigest: `sha256:${'0'.repeat(64)}`,
        targetDigest: `sha256:${'0'.repeat(64)}`,
        err: noise.repeat(100_000),
      });
      expect(Buffer.byteLength(line)).toBeLessThan(4096);
      expect(parseCopyEndRecord(line)).toMatchObject({ stage: 'copy', ...numbers, problem: 'TargetFull' });
    }
  });

  test('is explained by its last lines, not by those that are always said', () => {
    const lines = ['first', '', 'No space left', 'rsync error: code 11'];
    expect(explanation(lines)).toBe('first\nNo space left');
    expect(explanation(['rsync error: code 11'])).toBe('rsync error: code 11');
  });
});

describe('the command line of rsync', () => {
  const command = (options: Partial<Parameters<typeof rsyncCommand>[0]>) =>
    rsyncCommand({
      ...{ module: 'web-1', source: 'file', target: 'file', path: '/disks/web-1/disk.img', passwordFile: 'password' },
      ...{ tunnel: 'tunnel.conf', timeoutSeconds: 300, bandwidthLimit: undefined, canDiscard: false },
      ...options,
    });

  test('always looks at the content, flushes, compresses, and names one disk', () => {
    for (const source of ['file', 'block'] as const) {
      for (const target of ['file', 'block'] as const) {
        const words = command({ source, target });
        expect(words).toEqual(
          expect.arrayContaining(['--ignore-times', '--fsync', '--compress-choice=lz4', '--stats']),
        );
        expect(words.includes('--copy-devices')).toBe(source === 'block');
        expect(words.includes('--write-devices')).toBe(target === 'block');
        expect(words.includes('--inplace') && words.includes('--sparse')).toBe(target === 'file');
        expect(words.slice(-3)).toEqual([
          '--',
          '/disks/web-1/disk.img',
          `web-1@server::claim-web-1/${target === 'file' ? 'disk.img' : 'disk'}`,
        ]);
      }
    }
  });

  test.each([
    ['a fast line', {}, '--whole-file'],
    ['a slow line', { bandwidthLimit: 79 * 1024 ** 2 }, '--no-whole-file'],
    ['a line that is limited and fast', { bandwidthLimit: 80 * 1024 ** 2 }, '--whole-file'],
    ['a thin device', { target: 'block', canDiscard: true }, '--no-whole-file'],
    ['another device', { target: 'block', canDiscard: false }, '--whole-file'],
  ] as const)('for %s says so', (_, options, word) => {
    const words = command(options);
    expect(words).toContain(word);
    expect(words.filter((each) => each.endsWith('whole-file'))).toHaveLength(1);
  });

  test('never takes a small limit for none', () => {
    expect(command({ bandwidthLimit: 1 })).toContain('--bwlimit=1');
    expect(command({ bandwidthLimit: 10 * 1024 })).toContain('--bwlimit=10');
  });

  test('never takes a large limit for a small one, as rsync does with what 32 bits cannot hold', () => {
    expect(command({ bandwidthLimit: 2 ** 42 + 1024 })).toContain(`--bwlimit=${2 ** 31 - 1}`);
    expect(command({ bandwidthLimit: Number.MAX_SAFE_INTEGER })).toContain(`--bwlimit=${2 ** 31 - 1}`);
  });
});

describe('arguments', () => {
  const least = ['--server=10.0.0.1', '--module=web-1', '--source=file', '--target=block'];

  test('of a client are read', () => {
    expect(parseClient([...least, '--fresh', '--bandwidth-limit=1048576', '--verify', '--timeout=60'])).toEqual({
      kind: 'arguments',
      arguments: {
        ...{ server: '10.0.0.1', module: 'web-1', source: 'file', target: 'block' },
        ...{ fresh: true, bandwidthLimit: 1_048_576, verify: true, timeoutSeconds: 60 },
      },
    });
    expect(parseClient(least)).toMatchObject({
      arguments: { fresh: false, bandwidthLimit: undefined, verify: false, timeoutSeconds: 300 },
    });
  });

  test('of a server are read', () => {
    expect(parseServer(['--disk=web-1:file', '--disk=db-1:block'], 'fd00::1')).toEqual({
      kind: 'arguments',
      arguments: {
        address: 'fd00::1',
        disks: [
          { name: 'web-1', kind: 'file' },
          { name: 'db-1', kind: 'block' },
        ],
        timeoutSeconds: 300,
      },
    });
  });

  test.each([
    '--server=host',
    '--server=10.0.0.1\nexec = /bin/sh',
    '--server=fe80::1%eth0',
    '--server=',
    '--module=',
    '--module=Web',
    '--module=a/b',
    '--module=..',
    '--module=a]\n[b',
    `--module=${'a'.repeat(254)}`,
    '--source=dir',
    '--target=',
    '--bandwidth-limit=-1',
    '--bandwidth-limit=1e9',
    '--bandwidth-limit=99999999999999999',
    '--timeout=0',
    '--timeout=100000',
    '--unknown',
    'word',
  ])('of a client may not be %j', (word) => {
    expect(parseClient([...least, word])).toMatchObject({ kind: 'mistakes', mistakes: [expect.any(String)] });
  });

  test('of a server tell every mistake at once', () => {
    expect(parseServer(['--disk=web-1:file', '--disk=web-1:block', '--disk=:file', '--disk=a:b'], 'localhost')).toEqual(
      {
        kind: 'mistakes',
        mistakes: [
          expect.stringContaining('found ":file"'),
          expect.stringContaining('found "a:b"'),
          expect.stringContaining('twice'),
          expect.stringContaining('POD_IP'),
        ],
      },
    );
    expect(parseServer([], '10.0.0.1')).toMatchObject({ kind: 'mistakes' });
    expect(parseServer(['--disk=a:file'], undefined)).toMatchObject({ kind: 'mistakes' });
  });
});

describe('configuration files', () => {
  test('give each module its own user, lock, place and password, and refuse what is not named', () => {
    const text = rsyncdConfig(
      [
        { name: 'web-1', kind: 'file', folder: '/disks/web-1', lockFile: '/tmp/web-1.lock' },
        { name: 'db-1', kind: 'block', folder: '/devices/db-1', lockFile: '/tmp/db-1.lock' },
      ],
      '/tmp',
      undefined,
      300,
    );
    const [common = '', web = '', db = ''] = text.split(/^\[claim-.*\]$/m);
    expect(common).not.toMatch(/uid|gid/);
    for (const [section, name, place] of [
      [web, 'web-1', '/disks/web-1'],
      [db, 'db-1', '/devices/db-1'],
    ] as const) {
      expect(section).toContain(`path = ${place}\n`);
      expect(section).toContain(`auth users = ${name}\n`);
      expect(section).toContain(`lock file = /tmp/${name}.lock\n`);
      for (const line of ['max connections = 1', 'write only = yes', 'list = no']) expect(section).toContain(line);
      expect(section).toMatch(/^refuse options = \* !/m);
      expect(section).not.toMatch(/delete|block-size|append|links/);
    }
    expect(web).not.toContain('write-devices');
    expect(db).toContain('!write-devices');
  });

  test('make a daemon root only when it is', () => {
    expect(rsyncdConfig([], '/tmp', 107, 300)).toMatch(/^uid = 0\ngid = 107$/m);
  });

  test('have no port without TLS, and one address', () => {
    const server = serverTunnel('10.0.0.1', 300, '/usr/bin/rsync', '/tmp/rsyncd.conf');
    expect(server.match(/^accept = .*$/gm)).toEqual(['accept = 10.0.0.1:8874', 'accept = 10.0.0.1:8875']);
    const client = clientTunnel('10.0.0.1', 8874, 300);
    expect(client).not.toContain('accept');
    for (const text of [server, client]) {
      expect(text).toContain('sslVersionMin = TLSv1.3');
      expect(text).toContain('PSKsecrets = ');
    }
    // Without these any server with any certificate would be believed.
    expect(client).toMatch(/^verifyChain = yes$/m);
    expect(client).toMatch(/^CAfile = /m);
  });

  test.each(['relative', '/a b', '/a\nb', '/a%HOME%', '/a"b'])('never hold a root like %j', (root) => {
    expect(pathsBelow(root)).toBeUndefined();
  });

  test('hold the paths that the manifests mount', () => {
    const paths = pathsBelow(undefined);
    expect(paths?.diskOf('web-1', 'file')).toBe('/disks/web-1/disk.img');
    expect(paths?.diskOf('web-1', 'block')).toBe('/devices/web-1/disk');
    expect(paths?.passwordOf('web-1')).toBe('/secrets/password.web-1');
    expect(paths).toMatchObject({
      ...{ embedded: false, work: '/tmp', psk: '/secrets/psk', password: '/secrets/password' },
      terminationLog: '/dev/termination-log',
    });
    expect(pathsBelow('/tmp/pod')).toMatchObject({ embedded: true, work: '/tmp/pod/tmp' });
  });
});

test('a qcow2 file is unfit for a device alone', () => {
  const qcow2 = Uint8Array.of(0x51, 0x46, 0x49, 0xfb);
  expect(unfitFormat(qcow2, 'file', 'block')).toContain('qcow2');
  expect(unfitFormat(qcow2, 'file', 'file')).toBeUndefined();
  expect(unfitFormat(qcow2, 'block', 'block')).toBeUndefined();
  expect(unfitFormat(qcow2.subarray(0, 3), 'file', 'block')).toBeUndefined();
  expect(unfitFormat(new Uint8Array(4), 'file', 'block')).toBeUndefined();
});
