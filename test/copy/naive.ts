// rsync as somebody might call it who knows no better, or means no good: through a tunnel of its own to our server, or
// from disk to disk. What it prints and its exit code are all that such a one would look at.
import { writeFileSync } from 'node:fs';
import { rsyncPort } from '../../src/copy/paths.ts';
import { moduleName } from '../../src/copy/rsyncdConfig.ts';
import { pskFileOf, writePrivate } from '../../src/copy/secrets.ts';
import { clientTunnel, files, nobodysCertificate } from '../../src/copy/stunnelConfig.ts';
import { folder } from '../main/process.ts';
import { run } from './programs.ts';
import type { transferGroup } from './stage.ts';

type Group = ReturnType<typeof transferGroup>;

export interface Caller {
  readonly psk?: string;
  readonly user?: string;
  readonly password?: string;
}

/** A tunnel to a port of the group's server, for who has its key; the path of its configuration. */
export const tunnelTo = (group: Group, psk = group.psk, port = rsyncPort): string => {
  const path = folder();
  writePrivate(`${path}/${files.psk}`, pskFileOf(psk));
  writePrivate(`${path}/${files.nobody}`, nobodysCertificate);
  const config = clientTunnel(group.address, port, 60)
    .replace(`= ${files.psk}`, `= ${path}/${files.psk}`)
    .replace(`= ${files.nobody}`, `= ${path}/${files.nobody}`);
  writeFileSync(`${path}/tunnel.conf`, config);
  return `${path}/tunnel.conf`;
};

/** What rsync needs before its options to reach the server. */
export const reaching = (group: Group, module: string, caller: Caller = {}): readonly string[] => {
  const passwordFile = `${folder()}/password`;
  writePrivate(passwordFile, caller.password ?? group.passwordOf(module));
  return [`--rsh=stunnel ${tunnelTo(group, caller.psk)}`, `--password-file=${passwordFile}`];
};

/** Where a file of a module is, for rsync. */
export const within = (module: string, file: string, user = module): string =>
  `${user}@server::${moduleName(module)}/${file}`;

export const rsync = (...args: readonly string[]) => run('rsync', args);
