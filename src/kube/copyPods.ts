// The pods of an offline copy as manifests: one server that mounts the targets of a transfer group, one client for
// each disk that mounts its source. What runs in them is src/copy; paths and arguments are agreed with it. Names,
// labels and annotations are what the stores recognise them by; nothing from the cluster is ever put into a shell.
// Guarantees: a client mounts the key of its own module alone, and file systems are copied under Pod Security `restricted`.
import type { RecordedDisk } from '../core/storageMigration.ts';
import type { KubeObject, OwnerReference } from './api.ts';
import { annotations, clientPodName, labels, roles, serverPodName } from './names.ts';
import { resources } from './resources.ts';

/** The StorageMigration that a copy belongs to. */
export interface CopyOwner {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

type VolumeMode = 'Filesystem' | 'Block';

/** One claim as a pod mounts it. */
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

/** KubeVirt's images belong to this user and group (contract §8). */
const guestUser = 107;

const ownerReference = (owner: CopyOwner): OwnerReference => ({
  apiVersion: `${resources.storageMigrations.group}/${resources.storageMigrations.version}`,
  kind: resources.storageMigrations.kind,
  name: owner.name,
  uid: owner.uid,
  controller: true,
});

interface Mounted {
  /** Name below /disks or /devices; the module of the disk. */
  readonly module: string;
  readonly claim: MountedClaim;
}

const mountsOf = (disks: readonly Mounted[], readOnly: boolean) => ({
  volumes: disks.map(({ claim }, index) => ({
    name: `disk-${index}`,
    persistentVolumeClaim: { claimName: claim.claim, ...(readOnly ? { readOnly: true } : {}) },
  })),
  volumeMounts: disks.flatMap(({ module, claim }, index) =>
    claim.volumeMode === 'Filesystem' ? [{ name: `disk-${index}`, mountPath: `/disks/${module}` }] : [],
  ),
  // A folder of its own that holds the device alone: rsync replaces what it does not find to be a device.
  volumeDevices: disks.flatMap(({ module, claim }, index) =>
    claim.volumeMode === 'Block' ? [{ name: `disk-${index}`, devicePath: `/devices/${module}/disk` }] : [],
  ),
});

/**
 * A block device belongs to root unless the container runtime is told otherwise, so whoever mounts one runs as root;
 * everyone else runs as the user that owns KubeVirt's images.
 */
const isRoot = (disks: readonly Mounted[]): boolean => disks.some(({ claim }) => claim.volumeMode === 'Block');

/** An rsync daemon that is root sets its groups for each client, and serves none when it may not. */
const capabilitiesOf = ({ role, disks }: PodPlan) => ({
  drop: ['ALL'],
  ...(role === roles.server && isRoot(disks) ? { add: ['SETGID'] } : {}),
});

interface PodPlan {
  readonly name: string;
  readonly role: string;
  readonly notes: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly disks: readonly Mounted[];
  readonly keys: string;
  /** Entries of the Secret that are mounted, by file name; undefined: all. */
  readonly keyFiles: Readonly<Record<string, string>> | undefined;
}

const podOf = (owner: CopyOwner, image: string, plan: PodPlan): KubeObject => {
  const { volumes, volumeMounts, volumeDevices } = mountsOf(plan.disks, plan.role === roles.client);
  const items = Object.entries(plan.keyFiles ?? {}).map(([path, key]) => ({ key, path }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: plan.name,
      namespace: owner.namespace,
      labels: {
        [labels.role]: plan.role,
        [labels.migrationUid]: owner.uid,
        'app.kubernetes.io/managed-by': 'transship',
      },
      annotations: { [annotations.migration]: owner.name, ...plan.notes },
      ownerReferences: [ownerReference(owner)],
    },
    spec: {
      // A copy that failed is judged and begun anew by the daemon, never by the kubelet.
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 10,
      securityContext: {
        ...(isRoot(plan.disks) ? { runAsUser: 0 } : { runAsNonRoot: true, runAsUser: guestUser }),
        runAsGroup: guestUser,
        fsGroup: guestUser,
        // Without this a kubelet changes the owner of every file of a large volume before it starts the pod.
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'copy',
          image,
          command: ['transship-copy'],
          args: plan.args,
          env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: capabilitiesOf(plan),
            readOnlyRootFilesystem: true,
          },
          // What a copy usually takes; without any it would be the first to be evicted. No limit: one that is reached would
          // throttle it, or kill it in the middle.
          resources: { requests: { cpu: '100m', memory: '128Mi' } },
          // A container that is killed writes no message: the last lines of its log say more than nothing.
          terminationMessagePolicy: 'FallbackToLogsOnError',
          volumeMounts: [
            { name: 'keys', mountPath: '/secrets', readOnly: true },
            { name: 'work', mountPath: '/tmp' },
            ...volumeMounts,
          ],
          ...(volumeDevices.length > 0 ? { volumeDevices } : {}),
        },
      ],
      volumes: [
        {
          name: 'keys',
          secret: { secretName: plan.keys, defaultMode: 0o440, ...(items.length > 0 ? { items } : {}) },
        },
        { name: 'work', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
        ...volumes,
      ],
    },
  };
};

const kindOf = (mode: VolumeMode): 'file' | 'block' => (mode === 'Block' ? 'block' : 'file');

/** The server of a group. */
export const copyServerPod = (owner: CopyOwner, { machine, targets, keys }: CopyServer, image: string): KubeObject =>
  podOf(owner, image, {
    name: serverPodName(owner, machine),
    role: roles.server,
    notes: { [annotations.keys]: keys, ...(machine === undefined ? {} : { [annotations.virtualMachine]: machine }) },
    args: ['server', ...targets.map(({ claim, volumeMode }) => `--disk=${claim}:${kindOf(volumeMode)}`)],
    disks: targets.map((claim) => ({ module: claim.claim, claim })),
    keys,
    keyFiles: undefined,
  });

/** The client of one disk. */
export const copyClientPod = (owner: CopyOwner, client: CopyClient, image: string): KubeObject => {
  const { machine, disk, server } = client;
  return podOf(owner, image, {
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
    disks: [{ module: disk.target, claim: { claim: disk.source, volumeMode: client.sourceMode } }],
    keys: server.keys,
    keyFiles: { psk: 'psk', password: `password.${disk.target}` },
  });
};
