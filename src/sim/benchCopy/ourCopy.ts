// Our way: the two programs of the copy pods, built as for the image and run as the pods run them, each in a folder that
// is laid out as its container's. Under the clock is the whole life of the client: its start, the control
// conversation, the copy, the proof.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { controlPort, rsyncPort } from '../../copy/paths.ts';
import type { CopyMethod, Task } from './copyMethod.ts';
import { listening, run, start } from './programs.ts';

const claim = 'target';

/** The folder of a container with its Secret and one claim. */
const podFolder = (root: string, secrets: Readonly<Record<string, string>>, mountPath: string, disk: string): void => {
  for (const each of ['tmp', 'dev', 'secrets', dirname(mountPath)]) mkdirSync(`${root}/${each}`, { recursive: true });
  for (const [name, value] of Object.entries(secrets)) writeFileSync(`${root}/secrets/${name}`, value, { mode: 0o400 });
  symlinkSync(dirname(disk), `${root}/${mountPath}`);
};

const prepare = async (program: string, { source, target, folder, address }: Task) => {
  const [server, client] = [`${folder}/server`, `${folder}/client`];
  const [psk, password] = [randomBytes(32).toString('hex'), randomBytes(24).toString('base64url')];
  const targetPath = `${target.kind === 'file' ? 'disks' : 'devices'}/${claim}`;
  podFolder(server, { psk, [`password.${claim}`]: password }, targetPath, target.path);
  podFolder(client, { psk, password }, `disks/${claim}`, source);
  const serving = start(process.execPath, [program, 'server', `--disk=${claim}:${target.kind}`], {
    directory: server,
    env: { TRANSSHIP_ROOT: server, POD_IP: address },
  });
  await listening(address, rsyncPort, serving);
  await listening(address, controlPort, serving);
  const where = [`--server=${address}`, `--module=${claim}`, '--source=file', `--target=${target.kind}`, '--fresh'];
  return {
    copy: async () => {
      const { code, text } = await run(process.execPath, [program, 'client', ...where], {
        directory: client,
        env: { TRANSSHIP_ROOT: client },
      });
      if (code !== 0) throw new Error(`the client ended with ${code}: ${text.trim().slice(-2000)}`);
      const { stage } = JSON.parse(readFileSync(`${client}/dev/termination-log`, 'utf8')) as { readonly stage: string };
      if (stage !== 'done') throw new Error(`the client ended at stage ${stage}`);
    },
    close: serving.stop,
  };
};

/** `program`: what the image has as `transship-copy`, as a file for Node. */
export const ourCopy = (target: 'file' | 'block', program: string): CopyMethod => ({
  ...{ name: 'transship', target, isOurs: true, wanted: undefined, lacking: undefined },
  prepare: (task) => prepare(program, task),
});
