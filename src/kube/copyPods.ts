// The pods of an offline copy as manifests: one server that mounts the targets of a transfer group, one client for
// each disk that mounts its source. Names, labels and annotations are what the stores recognise them by; nothing from
// the cluster is ever put into a shell. File systems are copied without privileges (Pod Security `restricted`).
import type { RecordedDisk } from '../core/storageMigration.ts';
import type { KubeObject, OwnerReference } from './api.ts';
import { annotations, clientPodName, labels, roles, serverPodName } from './names.ts';
import { resources } from './resources.ts';

export interface CopyOwner {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface CopyOptions {
  /** Image that holds rsync and the entry programs; server and client are the same image. */
  readonly image: string;
  /** Most bytes per second of one client, as a Kubernetes quantity. */
  readonly bandwidthLimit: string | undefined;
  readonly verify: boolean;
}

type VolumeMode = 'Filesystem' | 'Block';

/** One claim as a pod mounts it. */
export interface MountedClaim {
  readonly claim: string;
  readonly volumeMode: VolumeMode;
}

/** KubeVirt's images belong to this user and group (contract §8). */
const guestUser = 107;

const ownerReference = (owner: CopyOwner): OwnerReference => ({
  apiVersion: `${resources.storageMigrations.group}/${resources.storageMigrations.version}`,
  kind: resources.storageMigrations.kind,
  name: owner.name,
  uid: owner.uid,
  controller: true,
});

const mountsOf = (claims: readonly MountedClaim[], readOnly: boolean) => ({
  volumes: claims.map(({ claim }, index) => ({
    name: `disk-${index}`,
    persistentVolumeClaim: { claimName: claim, ...(readOnly ? { readOnly: true } : {}) },
  })),
  volumeMounts: claims.flatMap(({ volumeMode }, index) =>
    volumeMode === 'Filesystem' ? [{ name: `disk-${index}`, mountPath: `/disks/disk-${index}` }] : [],
  ),
  volumeDevices: claims.flatMap(({ volumeMode }, index) =>
    volumeMode === 'Block' ? [{ name: `disk-${index}`, devicePath: `/devices/disk-${index}` }] : [],
  ),
});

const podOf = (
  owner: CopyOwner,
  name: string,
  role: string,
  notes: Readonly<Record<string, string>>,
  options: CopyOptions,
  args: readonly string[],
  claims: readonly MountedClaim[],
): KubeObject => {
  const { volumes, volumeMounts, volumeDevices } = mountsOf(claims, role === roles.client);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: owner.namespace,
      labels: { [labels.role]: role, [labels.migrationUid]: owner.uid, 'app.kubernetes.io/managed-by': 'transship' },
      annotations: { [annotations.migration]: owner.name, ...notes },
      ownerReferences: [ownerReference(owner)],
    },
    spec: {
      // A copy that failed is judged and begun anew by the daemon, never by the kubelet.
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 10,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: guestUser,
        runAsGroup: guestUser,
        fsGroup: guestUser,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'copy',
          image: options.image,
          args,
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          terminationMessagePolicy: 'File',
          ...(volumeMounts.length > 0 ? { volumeMounts } : {}),
          ...(volumeDevices.length > 0 ? { volumeDevices } : {}),
        },
      ],
      volumes,
    },
  };
};

/** The server of a group; `machine` is given where it serves one machine alone. */
export const copyServerPod = (
  owner: CopyOwner,
  machine: string | undefined,
  targets: readonly MountedClaim[],
  options: CopyOptions,
): KubeObject =>
  podOf(
    owner,
    serverPodName(owner, machine),
    roles.server,
    machine === undefined ? {} : { [annotations.virtualMachine]: machine },
    options,
    ['copy-server', ...targets.map(({ claim }, index) => `--disk=disk-${index}=${claim}`)],
    targets,
  );

/** The client of one disk. */
export const copyClientPod = (
  owner: CopyOwner,
  machine: string,
  disk: RecordedDisk,
  copyId: string,
  server: string,
  sourceMode: VolumeMode,
  options: CopyOptions,
): KubeObject =>
  podOf(
    owner,
    clientPodName(owner, machine, disk.volume),
    roles.client,
    {
      [annotations.virtualMachine]: machine,
      [annotations.volume]: disk.volume,
      [annotations.copyId]: copyId,
      [annotations.source]: disk.source,
      [annotations.target]: disk.target,
      [annotations.server]: server,
    },
    options,
    [
      'copy-client',
      `--server=${server}`,
      `--module=${disk.target}`,
      ...(options.bandwidthLimit === undefined ? [] : [`--bandwidth-limit=${options.bandwidthLimit}`]),
      ...(options.verify ? ['--verify'] : []),
    ],
    [{ claim: disk.source, volumeMode: sourceMode }],
  );
