// The file system of a copy container, laid out in a folder of its own: claims, Secrets and empty directories at their
// mount paths, and the file for the termination message.
// Guarantees: nothing of another pod is in it; removing it removes no claim.
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ApiServer } from '../cluster.ts';
import type { Pod, PodVolume } from '../kubevirt/objects.ts';
import { type SecretSource, secretData } from '../nodes/secretMounts.ts';
import type { ClaimFolders } from './claimFolders.ts';
import type { CopyContainer } from './copyContainer.ts';
import type { GuestUser } from './guestUser.ts';
import { secretFolder } from './secretFolder.ts';

export interface PodFolder {
  readonly root: string;
  /** What the container left as its last words; empty when it left none. */
  terminationMessage(): string;
  remove(): void;
}

export interface PodFolderParts {
  readonly server: ApiServer;
  readonly claims: ClaimFolders;
  /** Whom files belong to; undefined: ourselves. */
  readonly user: GuestUser | undefined;
}

/** Kubelets read no more. */
const longestMessage = 4096;

/** Removed although processes that were killed a moment ago may still be at it. */
const patience = { recursive: true, force: true, maxRetries: 10, retryDelay: 20 } as const;

/** Lays the folder out at `root`, which is empty or not there. */
export const podFolder = (root: string, pod: Pod, container: CopyContainer, parts: PodFolderParts): PodFolder => {
  const { server, claims, user } = parts;
  const { namespace } = pod.metadata;
  const give = (path: string): void => {
    if (user !== undefined) chownSync(path, user.uid, user.gid);
  };

  const link = (path: string, claim: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(claims.of(`${namespace}/${claim}`).folder, path);
  };
  const mount = (path: string, volume: PodVolume): void => {
    const secret = volume['secret'] as SecretSource | undefined;
    if (volume.persistentVolumeClaim !== undefined) {
      link(path, volume.persistentVolumeClaim.claimName);
    } else if (secret !== undefined) {
      secretFolder(path, secret, secretData(server, namespace, secret.secretName) ?? {}, user, server.now());
    } else {
      mkdirSync(path, { recursive: true });
      chmodSync(path, 0o777);
    }
  };

  mkdirSync(join(root, 'dev'), { recursive: true });
  const terminationLog = join(root, 'dev/termination-log');
  writeFileSync(terminationLog, '');
  give(terminationLog);
  for (const volume of pod.spec.volumes ?? []) {
    const isIts = ({ name }: { readonly name: string }): boolean => name === volume.name;
    for (const { mountPath } of container.volumeMounts?.filter(isIts) ?? []) mount(join(root, mountPath), volume);
    // The claim's folder holds the device under the name that pods know it by.
    for (const { devicePath } of container.volumeDevices?.filter(isIts) ?? []) {
      link(dirname(join(root, devicePath)), volume.persistentVolumeClaim?.claimName ?? '');
    }
  }

  return {
    root,
    terminationMessage: () => readFileSync(terminationLog, 'utf8').slice(0, longestMessage),
    remove: () => rmSync(root, patience),
  };
};
