// What claims are on this machine: a folder of each that holds disk.img, or the device `disk`. Where no loop device can
// be had, or no device node can be opened, a plain file stands in for the device.
// Guarantees: whoever mounts one sees the disk itself and nothing of other claims.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { model } from '../kubevirt/model.ts';
import type { Claim } from '../kubevirt/objects.ts';
import type { GuestUser } from './guestUser.ts';
import { type LoopDevice, loopDevice } from './loopDevice.ts';

export interface ClaimFolder {
  /** What is mounted. */
  readonly folder: string;
  /** The image or the device in it. The image exists once somebody has written it. */
  readonly disk: string;
  readonly kind: 'image' | 'device';
}

export interface ClaimFolders {
  /** The folder of a claim (`namespace/claim`), made when it is first asked for. */
  of(claim: string): ClaimFolder;
  /** Forgets a claim with everything on it. */
  remove(claim: string): void;
  /** Lets go of all devices; the folders are the caller's. */
  close(): void;
}

interface Held extends ClaimFolder {
  readonly device: LoopDevice | undefined;
}

/** A node for the device that can be opened; false where the file system is mounted without devices. */
const makeNode = (path: string, { major, minor }: LoopDevice): boolean => {
  if (spawnSync('mknod', [path, 'b', String(major), String(minor)]).status !== 0) return false;
  try {
    closeSync(openSync(path, 'r+'));
    return true;
  } catch {
    rmSync(path, { force: true });
    return false;
  }
};

/** Keeps the folders below `base`; a device has `deviceBytes`. */
export const claimFolders = (
  server: ApiServer,
  base: string,
  deviceBytes: number,
  user: GuestUser | undefined,
): ClaimFolders => {
  const made = new Map<string, Held>();

  const makeDevice = (folder: string, disk: string): LoopDevice | undefined => {
    const backing = `${folder}.backing`;
    closeSync(openSync(backing, 'w'));
    truncateSync(backing, deviceBytes);
    const device = loopDevice(backing);
    if (device !== undefined && makeNode(disk, device)) return device;
    device?.detach();
    renameSync(backing, disk);
    return undefined;
  };

  const make = (claim: string): Held => {
    const [namespace = '', name = ''] = claim.split('/');
    const found = model.maybe<Claim>(server.read(resources.persistentVolumeClaims, { namespace, name }));
    const folder = join(base, namespace, name);
    mkdirSync(folder, { recursive: true });
    if (user !== undefined) {
      // As a kubelet leaves a volume to the pod's fsGroup.
      chownSync(folder, 0, user.gid);
      chmodSync(folder, 0o2775);
    }
    if (found?.spec.volumeMode !== 'Block') {
      return { folder, disk: join(folder, 'disk.img'), kind: 'image', device: undefined };
    }
    const disk = join(folder, 'disk');
    return { folder, disk, kind: 'device', device: makeDevice(folder, disk) };
  };

  return {
    of: (claim) => {
      const held = made.get(claim) ?? make(claim);
      made.set(claim, held);
      return held;
    },
    remove: (claim) => {
      const held = made.get(claim);
      if (held === undefined) return;
      made.delete(claim);
      held.device?.detach();
      for (const path of [held.folder, `${held.folder}.backing`]) rmSync(path, { recursive: true, force: true });
    },
    close: () => {
      for (const { device } of made.values()) device?.detach();
      made.clear();
    },
  };
};
