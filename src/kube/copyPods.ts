// The pods of an offline copy as manifests: one server that mounts the targets of a transfer group, one client for
// each disk that mounts its source. What runs in them is src/copy; arguments are agreed with it. Names, labels and
// annotations are what the stores recognise them by; nothing from the cluster is ever put into a shell.
// Guarantees: a client mounts the key of its own module alone.
import type { RecordedDisk } from '../core/storageMigration.ts';
import type { KubeObject } from './api.ts';
import { type CopyOwner, copyPod, type VolumeMode } from './copyPod.ts';
import { annotations, clientPodName, roles, serverPodName } from './names.ts';

/** One claim as a server mounts it. */
export interface MountedClaim {
  readonly claim: string;
  readonly volumeMode: VolumeMode;
}

export interface CopyServer {
  /** The machine that has this server to itself; absent where a group shares it. */
  readonly machine: string | undefined;
  readonly targets: readonly MountedClaim[];
  /** Name of the Secret with the keys of the group. */
  readonly keys: string;
}

export interface CopyClient {
  readonly machine: string;
  readonly disk: RecordedDisk;
  readonly copyId: string;
  /** Pod name and address of the server, and the Secret with its keys. */
  readonly server: { readonly name: string; readonly address: string; readonly keys: string };
  readonly sourceMode: VolumeMode;
  readonly targetMode: VolumeMode;
  /** Nothing was ever copied to the target: what it holds is of no use. */
  readonly fresh: boolean;
  /** Most bytes per second; undefined: as many as there are. */
  readonly bytesPerSecond: number | undefined;
  readonly verify: boolean;
}

const kindOf = (mode: VolumeMode): 'file' | 'block' => (mode === 'Block' ? 'block' : 'file');

/** The server of a group. */
export const copyServerPod = (owner: CopyOwner, { machine, targets, keys }: CopyServer, image: string): KubeObject =>
  copyPod(owner, image, {
    name: serverPodName(owner, machine),
    role: roles.server,
    notes: { [annotations.keys]: keys, ...(machine === undefined ? {} : { [annotations.virtualMachine]: machine }) },
    args: ['server', ...targets.map(({ claim, volumeMode }) => `--disk=${claim}:${kindOf(volumeMode)}`)],
    disks: targets.map((target) => ({ module: target.claim, ...target })),
    keys,
    keyFiles: undefined,
  });

/** The client of one disk. */
export const copyClientPod = (owner: CopyOwner, client: CopyClient, image: string): KubeObject => {
  const { machine, disk, server } = client;
  return copyPod(owner, image, {
    name: clientPodName(owner, machine, disk.volume),
    role: roles.client,
    notes: {
      [annotations.virtualMachine]: machine,
      [annotations.volume]: disk.volume,
      [annotations.copyId]: client.copyId,
      [annotations.source]: disk.source,
      [annotations.target]: disk.target,
      [annotations.server]: server.name,
    },
    args: [
      'client',
      `--server=${server.address}`,
      `--module=${disk.target}`,
      `--source=${kindOf(client.sourceMode)}`,
      `--target=${kindOf(client.targetMode)}`,
      ...(client.fresh ? ['--fresh'] : []),
      ...(client.bytesPerSecond === undefined ? [] : [`--bandwidth-limit=${client.bytesPerSecond}`]),
      ...(client.verify ? ['--verify'] : []),
    ],
    disks: [{ module: disk.target, claim: disk.source, volumeMode: client.sourceMode }],
    keys: server.keys,
    keyFiles: { psk: 'psk', password: `password.${disk.target}` },
  });
};
