// rsync as somebody sets it up by hand who knows its options well: a daemon on the loopback address, a stunnel on both
// sides that is already running, TLS 1.3 with a key. Under the clock is rsync's client alone.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { CopyMethod, Ready, Task } from './copyMethod.ts';
import { type Background, listening, mustRun, start } from './programs.ts';

const ports = { daemon: 8730, server: 8874, client: 8873 } as const;
const user = 'hand';

const daemonConfig = (address: string, { folder, path }: { readonly folder: string; readonly path: string }): string =>
  [
    `address = ${address}`,
    `port = ${ports.daemon}`,
    'use chroot = no',
    ...(process.getuid?.() === 0 ? ['uid = 0', 'gid = 0'] : []),
    'reverse lookup = no',
    'timeout = 300',
    `log file = ${folder}/rsyncd.log`,
    '[target]',
    `path = ${path}`,
    'read only = no',
    `auth users = ${user}`,
    `secrets file = ${folder}/rsyncd.secrets`,
    // Daemons refuse it unless told otherwise.
    'refuse options = !write-devices',
    '',
  ].join('\n');

const tunnelConfig = (lines: readonly string[], folder: string): string =>
  [
    'foreground = yes',
    'pid =',
    'syslog = no',
    'debug = warning',
    'socket = l:TCP_NODELAY=1',
    'socket = r:TCP_NODELAY=1',
    'sslVersionMin = TLSv1.3',
    'ciphersuites = TLS_AES_128_GCM_SHA256',
    `PSKsecrets = ${folder}/stunnel.psk`,
    'TIMEOUTclose = 0',
    '[rsync]',
    ...lines,
    '',
  ].join('\n');

const layOut = ({ folder, address, target }: Task): void => {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(`${folder}/${name}`, text, { mode: 0o600 });
  const password = randomBytes(24).toString('base64url');
  write('rsyncd.secrets', `${user}:${password}\n`);
  write('password', `${password}\n`);
  write('stunnel.psk', `${user}:${randomBytes(32).toString('hex')}\n`);
  write('rsyncd.conf', daemonConfig(address, { folder, path: target.folder }));
  const server = [`accept = ${address}:${ports.server}`, `connect = ${address}:${ports.daemon}`];
  write('server.conf', tunnelConfig(server, folder));
  const client = ['client = yes', `accept = ${address}:${ports.client}`, `connect = ${address}:${ports.server}`];
  write('client.conf', tunnelConfig([...client, `PSKidentity = ${user}`], folder));
};

/** Data plane §3. */
const optionsFor = (target: 'file' | 'block', whole: boolean): readonly string[] => [
  ...['--contimeout=10', '--timeout=300', '-I', '--stats', '--info=progress2,name0,flist0', '--outbuf=L', '--fsync'],
  ...(target === 'file' ? ['--inplace', '--sparse'] : ['--write-devices']),
  whole ? '-W' : '--no-W',
  ...['-z', '--zc=lz4'],
];

const prepare = async (task: Task, whole: boolean): Promise<Ready> => {
  const { folder, address, source, target } = task;
  layOut(task);
  const running: Background[] = [];
  const serve = async (port: number, file: string, ...args: readonly string[]): Promise<void> => {
    const background = start(file, args, { directory: folder });
    running.unshift(background);
    await listening(address, port, background);
  };
  const close = async (): Promise<void> => {
    for (const each of running) await each.stop();
  };
  try {
    await serve(ports.daemon, 'rsync', '--daemon', '--no-detach', `--config=${folder}/rsyncd.conf`);
    await serve(ports.server, 'stunnel', `${folder}/server.conf`);
    await serve(ports.client, 'stunnel', `${folder}/client.conf`);
  } catch (error) {
    await close();
    throw error;
  }
  const disk = target.kind === 'file' ? 'disk.img' : 'disk';
  const command = [
    `--password-file=${folder}/password`,
    ...optionsFor(target.kind, whole),
    source,
    `rsync://${user}@${address}:${ports.client}/target/${disk}`,
  ];
  return { copy: async () => void (await mustRun('rsync', command)), close };
};

/** `whole`: everything is sent; otherwise what the target has already is not, and a device that is new stays thin. */
export const rsyncByHand = (target: 'file' | 'block', whole: boolean, wanted: number | undefined): CopyMethod => ({
  ...{ name: `rsync by hand, ${whole ? '-W' : '--no-W'}`, target, isOurs: false, wanted, lacking: undefined },
  prepare: (task) => prepare(task, whole),
});
