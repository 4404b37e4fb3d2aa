// The key of the tunnel and the passwords of the modules, as Secrets are mounted: files that are symbolic links. They
// are read once, judged, and written again where stunnel and rsync want them. They are never logged, nor put on a
// command line or into the environment.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { CopyError, codeOf } from './copyError.ts';
import { pskIdentity } from './stunnelConfig.ts';

const read = (path: string, what: string): string => {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new CopyError('BadSecrets', `${what} cannot be read: ${codeOf(error)}`);
  }
};

/** The tunnel's key: 64 hex digits. Throws `BadSecrets`, and never tells what it found. */
export const readPsk = (path: string): string => {
  const psk = read(path, 'the key of the tunnel');
  if (!/^[0-9a-fA-F]{64}$/.test(psk)) throw new CopyError('BadSecrets', 'the key of the tunnel is not 64 hex digits');
  return psk;
};

/** A module's password, of characters that mean nothing to rsync. Throws `BadSecrets`. */
export const readPassword = (path: string): string => {
  const password = read(path, 'the password');
  if (!/^[A-Za-z0-9_+/=.-]{16,256}$/.test(password)) {
    throw new CopyError('BadSecrets', 'the password is not 16 to 256 letters, digits or _+/=.-');
  }
  return password;
};

/** Writes a file that only we can read, whatever the umask; one that is there is replaced. */
export const writePrivate = (path: string, text: string): void => {
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
};

/** The file in which stunnel finds the key. */
export const pskFileOf = (psk: string): string => `${pskIdentity}:${psk}\n`;

/** The file in which the rsync daemon finds the password of each user; users are named after their modules. */
export const rsyncdSecretsOf = (passwords: ReadonlyMap<string, string>): string =>
  [...passwords].map(([name, password]) => `${name}:${password}\n`).join('');
