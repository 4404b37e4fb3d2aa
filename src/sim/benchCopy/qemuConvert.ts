// qemu-img convert to a qemu-nbd on the other side, in TLS with a key: an engine that asks for holes instead of reading
// them. Both use the page cache as the others do, and the target is flushed at the end.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { CopyMethod, Ready, Task } from './copyMethod.ts';
import { listening, mustRun, start } from './programs.ts';

const port = 10_809;
const user = 'hand';

const credentials = (endpoint: 'server' | 'client', folder: string): readonly string[] => [
  '--object',
  `tls-creds-psk,id=tls,endpoint=${endpoint},dir=${folder}${endpoint === 'client' ? `,username=${user}` : ''}`,
];

const prepare = async ({ source, target, folder, address }: Task): Promise<Ready> => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/keys.psk`, `${user}:${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  if (target.kind === 'file') await mustRun('truncate', [`--size=${target.bytes}`, target.path]);
  const serving = start('qemu-nbd', [
    ...credentials('server', folder),
    ...['--tls-creds=tls', '--persistent', `--bind=${address}`, `--port=${port}`, '--format=raw', '--shared=1'],
    ...['--discard=unmap', '--detect-zeroes=unmap', '--cache=writeback', target.path],
  ]);
  await listening(address, port, serving);
  const nbd = `driver=raw,file.driver=nbd,file.server.type=inet,file.server.host=${address},file.server.port=${port}`;
  const command = [
    'convert',
    ...credentials('client', folder),
    ...['-n', '-W', '-m', '16', '-t', 'writeback'],
    ...['--image-opts', `driver=raw,file.driver=file,file.filename=${source}`],
    ...['--target-image-opts', `${nbd},file.tls-creds=tls`],
  ];
  // Without -n, --target-image-opts is refused: the target is there.
  return { copy: async () => void (await mustRun('qemu-img', command)), close: serving.stop };
};

export const qemuConvert = (target: 'file' | 'block', lacking: string | undefined): CopyMethod => ({
  ...{ name: 'qemu-img convert over NBD', target, isOurs: false, wanted: undefined, lacking },
  prepare,
});
