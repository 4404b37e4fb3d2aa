// One pod of an offline copy as a manifest: what both kinds have in common. What runs in them is src/copy; paths are
// agreed with it. Guarantees: file systems are copied under Pod Security `restricted`, and devices with no right more
// than they need; nothing of the pod can be written but its claims and a folder in memory.
import type { KubeObject, OwnerReference } from './api.ts';
import { annotations, copyLabels, roles } from './names.ts';
import { resources } from './resources.ts';

/** The StorageMigration that a copy belongs to. */
export interface CopyOwner {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export type VolumeMode = 'Filesystem' | 'Block';

/** One claim as a pod mounts it. */
export interface Mounted {
  /** Name below /disks or /devices; the module of the disk. */
  readonly module: string;
  readonly claim: string;
  readonly volumeMode: VolumeMode;
}

/** What a pod is to do. */
export interface PodPlan {
  readonly name: string;
  readonly role: (typeof roles)[keyof typeof roles];
  readonly notes: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly disks: readonly Mounted[];
  readonly keys: string;
  /** Entries of the Secret that are mounted, by file name; undefined: all. */
  readonly keyFiles: Readonly<Record<string, string>> | undefined;
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

const mountsOf = (disks: readonly Mounted[], readOnly: boolean) => ({
  volumes: disks.map(({ claim }, index) => ({
    name: `disk-${index}`,
    persistentVolumeClaim: { claimName: claim, ...(readOnly ? { readOnly: true } : {}) },
  })),
  volumeMounts: disks.flatMap(({ module, volumeMode }, index) =>
    volumeMode === 'Filesystem' ? [{ name: `disk-${index}`, mountPath: `/disks/${module}` }] : [],
  ),
  // A folder of its own that holds the device alone: rsync replaces what it does not find to be a device.
  volumeDevices: disks.flatMap(({ module, volumeMode }, index) =>
    volumeMode === 'Block' ? [{ name: `disk-${index}`, devicePath: `/devices/${module}/disk` }] : [],
  ),
});

/**
 * A block device belongs to root unless the container runtime is told otherwise, so whoever mounts one runs as root;
 * everyone else runs as the user that owns KubeVirt's images.
 */
const isRoot = (disks: readonly Mounted[]): boolean => disks.some(({ volumeMode }) => volumeMode === 'Block');

/** An rsync daemon that is root sets its groups for each client, and serves none when it may not. */
const capabilitiesOf = ({ role, disks }: PodPlan) => ({
  drop: ['ALL'],
  ...(role === roles.server && isRoot(disks) ? { add: ['SETGID'] } : {}),
});

/** Whom the pod runs as. */
const userOf = ({ disks }: PodPlan) => ({
  ...(isRoot(disks) ? { runAsUser: 0 } : { runAsNonRoot: true, runAsUser: guestUser }),
  runAsGroup: guestUser,
  fsGroup: guestUser,
  // Without this a kubelet changes the owner of every file of a large volume before it starts the pod.
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
});

const containerOf = (image: string, plan: PodPlan, { volumeMounts, volumeDevices }: ReturnType<typeof mountsOf>) => ({
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
});

/**
 * How service meshes are told to stay away. A container that one puts beside the copy goes on when the copy has ended: the
 * pod would never end, and the move wait for ever. The traffic is in TLS already.
 */
const noMesh = {
  labels: { 'sidecar.istio.io/inject': 'false', 'istio.io/dataplane-mode': 'none' },
  // Older versions of Istio look here.
  annotations: { 'sidecar.istio.io/inject': 'false', 'linkerd.io/inject': 'disabled' },
};

/** The pod of a plan, made in the name of its StorageMigration. */
export const copyPod = (owner: CopyOwner, image: string, plan: PodPlan): KubeObject => {
  const mounts = mountsOf(plan.disks, plan.role === roles.client);
  const items = Object.entries(plan.keyFiles ?? {}).map(([path, key]) => ({ key, path }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: plan.name,
      namespace: owner.namespace,
      labels: { ...copyLabels(plan.role, owner.uid), ...noMesh.labels },
      annotations: { [annotations.migration]: owner.name, ...plan.notes, ...noMesh.annotations },
      ownerReferences: [ownerReference(owner)],
    },
    spec: {
      // A copy that failed is judged and begun anew by the daemon, never by the kubelet.
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 10,
      securityContext: userOf(plan),
      containers: [containerOf(image, plan, mounts)],
      volumes: [
        {
          name: 'keys',
          secret: { secretName: plan.keys, defaultMode: 0o440, ...(items.length > 0 ? { items } : {}) },
        },
        { name: 'work', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
        ...mounts.volumes,
      ],
    },
  };
};
