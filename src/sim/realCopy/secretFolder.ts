// A Secret as a kubelet mounts it: the files lie in a folder with a time for its name, `..data` leads to that folder,
// and each key is a symbolic link through it, so that a new version takes the place of the old all at once.
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecretData, SecretSource } from '../nodes/secretMounts.ts';
import type { GuestUser } from './guestUser.ts';

const usualMode = 0o644;

/** `2026-01-02T03:04:05.678Z` as kubelets write it. */
const folderNameAt = (ms: number): string =>
  `..${new Date(ms).toISOString().replace('Z', '000000').replaceAll('-', '_').replace('T', '_').replaceAll(':', '_')}`;

/** Makes the folder at `path`; its files belong to root and the group of `owner`. */
export const secretFolder = (
  path: string,
  source: SecretSource,
  data: SecretData,
  owner: GuestUser | undefined,
  nowMs: number,
): void => {
  const version = folderNameAt(nowMs);
  mkdirSync(join(path, version), { recursive: true });
  symlinkSync(version, join(path, '..data'));
  const items: NonNullable<SecretSource['items']> =
    source.items ?? Object.keys(data).map((key) => ({ key, path: key }));
  for (const { key, path: name, mode } of items) {
    const file = join(path, version, name);
    writeFileSync(file, Buffer.from(data[key] ?? '', 'base64'));
    chmodSync(file, mode ?? source.defaultMode ?? usualMode);
    if (owner !== undefined) chownSync(file, 0, owner.gid);
    symlinkSync(join('..data', name), join(path, name));
  }
};
