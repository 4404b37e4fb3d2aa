// The objects of one machine as a cluster in use holds them, a live migration under way or not: about as many fields
// and bytes as the real controllers leave, so that reading and keeping them costs what it costs in a real cluster.
import type { KubeObject } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { Json } from '../cluster.ts';

/** One machine and what it is called in the cluster. */
export interface Machine {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  /** A live migration of its one disk is under way; the others have two disks and are left alone. */
  readonly migrating: boolean;
}

/** uids that the server gave. */
export interface MachineUids {
  readonly vm: string;
  readonly vmi: string;
  readonly attempt: string;
}

const since = '2026-11-02T09:14:31Z';

const objectOf = (resource: (typeof resources)[keyof typeof resources], metadata: Json, rest: Json): KubeObject =>
  ({
    apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata,
    ...rest,
  }) as unknown as KubeObject;

const condition = (type: string, status: string, more: Json = {}): Json => ({
  type,
  status,
  lastProbeTime: null,
  lastTransitionTime: since,
  ...more,
});

const ownedBy = (kind: string, name: string, uid: string): Json => ({
  apiVersion: 'kubevirt.io/v1',
  kind,
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** Volume names, each with the claim it is on before anything is moved. */
export const disksOf = ({ name, migrating }: Machine): readonly { volume: string; claim: string }[] =>
  migrating
    ? [{ volume: 'rootdisk', claim: `${name}-root` }]
    : [
        { volume: 'rootdisk', claim: `${name}-root` },
        { volume: 'datadisk', claim: `${name}-data` },
      ];

/** The claim that the disk of a migrating machine is moved to. */
export const targetOf = ({ name }: Machine): string => `${name}-root-fast`;

/** The dataVolumeTemplates entry behind the root disk, which a revert has to restore. */
export const templateOf = ({ name }: Machine): Json => ({
  metadata: { name: `${name}-root` },
  spec: {
    sourceRef: { kind: 'DataSource', name: 'fedora', namespace: 'golden-images' },
    storage: { resources: { requests: { storage: '30Gi' } }, storageClassName: 'array-old' },
  },
});

/** The root disk's volume as its owner wrote it. */
export const rootEntryOf = ({ name }: Machine): Json => ({ name: 'rootdisk', dataVolume: { name: `${name}-root` } });

const volumesOf = (machine: Machine): readonly Json[] => {
  const cloudInit = { name: 'cloudinit', cloudInitNoCloud: { userDataSecretRef: { name: `${machine.name}-init` } } };
  if (machine.migrating) {
    return [{ name: 'rootdisk', persistentVolumeClaim: { claimName: targetOf(machine) } }, cloudInit];
  }
  const data = { name: 'datadisk', persistentVolumeClaim: { claimName: `${machine.name}-data` } };
  return [rootEntryOf(machine), data, cloudInit];
};

const domainOf = (machine: Machine): Json => ({
  cpu: { cores: 2, sockets: 1, threads: 1, model: 'host-model', maxSockets: 4 },
  devices: {
    disks: [...disksOf(machine).map(({ volume }) => volume), 'cloudinit'].map((name, index) => ({
      name,
      bootOrder: index + 1,
      disk: { bus: 'virtio' },
    })),
    interfaces: [{ name: 'default', masquerade: {}, model: 'virtio', macAddress: '02:f1:ef:00:00:0b' }],
    networkInterfaceMultiqueue: true,
    rng: {},
  },
  features: { acpi: { enabled: true }, smm: { enabled: true } },
  firmware: {
    bootloader: { efi: { secureBoot: true } },
    serial: `serial-of-${machine.name}`,
    uuid: '5d307ca9-b3ef-428c-8861-06e72d69f223',
  },
  machine: { type: 'pc-q35-rhel9.6.0' },
  memory: { guest: '4Gi', maxGuest: '16Gi' },
  resources: { requests: { memory: '4Gi' } },
});

const templateSpec = (machine: Machine): Json => ({
  architecture: 'amd64',
  domain: domainOf(machine),
  evictionStrategy: 'LiveMigrate',
  networks: [{ name: 'default', pod: {} }],
  terminationGracePeriodSeconds: 180,
  volumes: volumesOf(machine),
});

const claimInfo = (claimName: string): Json => ({
  accessModes: ['ReadWriteMany'],
  capacity: { storage: '30Gi' },
  claimName,
  filesystemOverhead: '0',
  requests: { storage: '30Gi' },
  volumeMode: 'Block',
});

const migratedVolumes = (machine: Machine): readonly Json[] => [
  {
    volumeName: 'rootdisk',
    sourcePVCInfo: claimInfo(`${machine.name}-root`),
    destinationPVCInfo: claimInfo(targetOf(machine)),
  },
];

const virtualMachine = (machine: Machine): KubeObject => {
  const { name, namespace, migrating } = machine;
  const metadata = {
    name,
    namespace,
    labels: { app: name, 'vm.kubevirt.io/template': 'fedora-server-small' },
    annotations: {
      'kubevirt.io/latest-observed-api-version': 'v1',
      'kubevirt.io/storage-observed-api-version': 'v1',
      'vm.kubevirt.io/validations': '[{"name":"minimal-required-memory","rule":"integer","min":1073741824}]',
    },
    finalizers: ['kubevirt.io/virtualMachineControllerFinalize'],
  };
  const spec = {
    runStrategy: 'Always',
    ...(migrating ? { updateVolumesStrategy: 'Migration' } : { dataVolumeTemplates: [templateOf(machine)] }),
    template: {
      metadata: { labels: { app: name, 'kubevirt.io/size': 'small' }, annotations: { 'vm.kubevirt.io/os': 'fedora' } },
      spec: templateSpec(machine),
    },
  };
  const status = {
    conditions: [
      condition('Ready', 'True'),
      condition('LiveMigratable', 'True'),
      condition('StorageLiveMigratable', 'True'),
      condition('AgentConnected', 'True'),
    ],
    created: true,
    desiredGeneration: 1,
    observedGeneration: 1,
    printableStatus: migrating ? 'Migrating' : 'Running',
    ready: true,
    runStrategy: 'Always',
    volumeSnapshotStatuses: disksOf(machine).map(({ volume }) => ({ enabled: true, name: volume })),
    ...(migrating
      ? { volumeUpdateState: { volumeMigrationState: { migratedVolumes: migratedVolumes(machine) } } }
      : {}),
  };
  return objectOf(resources.virtualMachines, metadata, { spec, status });
};

const podName = ({ name }: Machine, which: 'source' | 'target'): string =>
  `virt-launcher-${name}-${which === 'source' ? 'x7k2p' : 'd94tz'}`;

const targetNode = ({ node }: Machine): string => `${node}-b`;

const migrationStateOf = (machine: Machine, attemptUid: string): Json => ({
  migrationConfiguration: {
    allowAutoConverge: false,
    allowPostCopy: false,
    bandwidthPerMigration: '0',
    completionTimeoutPerGiB: 150,
    parallelMigrationsPerCluster: 5,
    parallelOutboundMigrationsPerNode: 2,
    progressTimeout: 150,
    unsafeMigrationOverride: false,
  },
  migrationUid: attemptUid,
  mode: 'PreCopy',
  sourceNode: machine.node,
  sourcePod: podName(machine, 'source'),
  startTimestamp: since,
  targetDirectMigrationNodePorts: { '38213': 0, '41033': 49152, '45179': 49153 },
  targetNode: targetNode(machine),
  targetNodeAddress: '10.129.0.41',
  targetNodeDomainDetected: true,
  targetPod: podName(machine, 'target'),
});

const virtualMachineInstance = (machine: Machine, vmUid: string): KubeObject => {
  const { name, namespace, node, migrating } = machine;
  const metadata = {
    name,
    namespace,
    labels: { app: name, 'kubevirt.io/nodeName': node, 'kubevirt.io/size': 'small' },
    annotations: { 'kubevirt.io/latest-observed-api-version': 'v1', 'kubevirt.io/vm-generation': '1' },
    finalizers: ['kubevirt.io/virtualMachineControllerFinalize', 'kubevirt.io/foregroundDeleteVirtualMachine'],
    ownerReferences: [ownedBy('VirtualMachine', name, vmUid)],
  };
  const changing = condition('VolumesChange', 'True', { message: 'migrate volumes' });
  const phases = ['Pending', 'Scheduling', 'Scheduled', 'Running'];
  const status = {
    conditions: [
      condition('Ready', 'True'),
      condition('LiveMigratable', 'True'),
      condition('StorageLiveMigratable', 'True'),
      condition('AgentConnected', 'True'),
      ...(migrating ? [changing] : []),
    ],
    currentCPUTopology: { cores: 2, sockets: 1, threads: 1 },
    guestOSInfo: { id: 'fedora', name: 'Fedora Linux', prettyName: 'Fedora Linux 42', versionId: '42' },
    interfaces: [
      { infoSource: 'domain, guest-agent', ipAddress: '10.128.3.77', mac: '02:f1:ef:00:00:0b', name: 'default' },
    ],
    launcherContainerImageVersion: 'virt-launcher:v1.9.0',
    memory: { guestAtBoot: '4Gi', guestCurrent: '4Gi', guestRequested: '4Gi', memoryOverhead: '288Mi' },
    ...(migrating ? { migratedVolumes: migratedVolumes(machine) } : {}),
    migrationMethod: 'BlockMigration',
    migrationTransport: 'Unix',
    nodeName: node,
    phase: 'Running',
    phaseTransitionTimestamps: phases.map((phase) => ({ phase, phaseTransitionTimestamp: since })),
    qosClass: 'Burstable',
    runtimeUser: 107,
    selinuxContext: 'system_u:object_r:container_file_t:s0:c12,c734',
    virtualMachineRevisionName: `revision-start-vm-${vmUid}-1`,
    volumeStatus: disksOf(machine).map(({ volume, claim }) => ({
      name: volume,
      persistentVolumeClaimInfo: claimInfo(migrating ? targetOf(machine) : claim),
      target: 'vda',
    })),
  };
  return objectOf(resources.virtualMachineInstances, metadata, { spec: templateSpec(machine), status });
};

/** The status that virt-handler writes once the copy runs. */
const copyingStatus = (machine: Machine, instance: KubeObject, attemptUid: string): KubeObject => ({
  ...instance,
  status: { ...(instance['status'] as Json), migrationState: migrationStateOf(machine, attemptUid) },
});

const attempt = ({ name, namespace }: Machine): KubeObject => {
  const metadata = {
    name: `kubevirt-workload-update-${name}`,
    namespace,
    labels: { 'kubevirt.io/vmi-name': name, 'kubevirt.io/volume-update-migration': name },
    annotations: { 'kubevirt.io/workloadUpdateMigration': '' },
    finalizers: ['kubevirt.io/migrationJobFinalize'],
  };
  const phases = ['Pending', 'Scheduling', 'Scheduled', 'PreparingTarget', 'TargetReady', 'Running'];
  const status = {
    phase: 'Running',
    phaseTransitionTimestamps: phases.map((phase) => ({ phase, phaseTransitionTimestamp: since })),
  };
  const spec = { priority: 'user-triggered', vmiName: name };
  return objectOf(resources.virtualMachineInstanceMigrations, metadata, { spec, status });
};

const launcher = (machine: Machine, vmiUid: string, which: 'source' | 'target'): KubeObject => {
  const { name, namespace, node } = machine;
  const claims = which === 'target' ? [targetOf(machine)] : disksOf(machine).map(({ claim }) => claim);
  const metadata = {
    name: podName(machine, which),
    namespace,
    labels: {
      app: name,
      'kubevirt.io': 'virt-launcher',
      'kubevirt.io/created-by': vmiUid,
      'vm.kubevirt.io/name': name,
    },
    annotations: {
      'kubevirt.io/domain': name,
      'kubevirt.io/memory-overhead-bytes': '301989888',
      'k8s.ovn.org/pod-networks': '{"default":{"ip_addresses":["10.128.3.77/23"],"mac_address":"0a:58:0a:80:03:4d"}}',
      'seccomp.security.alpha.kubernetes.io/pod': 'localhost/kubevirt/kubevirt.json',
    },
    ownerReferences: [ownedBy('VirtualMachineInstance', name, vmiUid)],
  };
  const scratch = ['private', 'public', 'sockets', 'virt-bin-share-dir', 'libvirt-runtime', 'ephemeral-disks'];
  const volumes = [
    ...scratch.map((volume) => ({ name: volume, emptyDir: {} })),
    ...claims.map((claimName, index) => ({ name: `disk-${index}`, persistentVolumeClaim: { claimName } })),
    { name: 'hotplug-disks', emptyDir: {} },
  ];
  const container = {
    name: 'compute',
    image: 'virt-launcher:v1.9.0',
    command: ['/usr/bin/virt-launcher-monitor', '--qemu-timeout', '312s', '--name', name, '--namespace', namespace],
    env: [{ name: 'XDG_CACHE_HOME', value: '/var/run/kubevirt-private' }],
    resources: { limits: { 'devices.kubevirt.io/kvm': '1' }, requests: { cpu: '200m', memory: '4516Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsUser: 107 },
    volumeMounts: scratch.map((volume) => ({ name: volume, mountPath: `/var/run/${volume}` })),
  };
  const spec = {
    nodeName: which === 'target' ? targetNode(machine) : node,
    containers: [container],
    volumes,
    restartPolicy: 'Never',
    nodeSelector: { 'kubernetes.io/arch': 'amd64', 'kubevirt.io/schedulable': 'true' },
    securityContext: { fsGroup: 107, runAsGroup: 107, runAsNonRoot: true, runAsUser: 107 },
    terminationGracePeriodSeconds: 195,
  };
  const conditions = [
    'PodScheduled',
    'Initialized',
    'Ready',
    'ContainersReady',
    'kubevirt.io/virtual-machine-unpaused',
  ];
  const status = {
    phase: 'Running',
    conditions: conditions.map((type) => condition(type, 'True')),
    podIP: '10.128.3.77',
    podIPs: [{ ip: '10.128.3.77' }],
    qosClass: 'Burstable',
    startTime: since,
    containerStatuses: [
      {
        name: 'compute',
        image: 'virt-launcher:v1.9.0',
        ready: true,
        restartCount: 0,
        state: { running: { startedAt: since } },
      },
    ],
  };
  return objectOf(resources.pods, metadata, { spec, status });
};

const claim = (machine: Machine, name: string, storageClassName: string): KubeObject => {
  const metadata = {
    name,
    namespace: machine.namespace,
    labels: { app: 'containerized-data-importer', 'app.kubernetes.io/managed-by': 'cdi-controller' },
    annotations: {
      'cdi.kubevirt.io/storage.condition.bound': 'true',
      'cdi.kubevirt.io/storage.pod.phase': 'Succeeded',
      'cdi.kubevirt.io/storage.pod.restarts': '0',
      'cdi.kubevirt.io/storage.preallocation.requested': 'false',
      'pv.kubernetes.io/bind-completed': 'yes',
      'volume.kubernetes.io/storage-provisioner': 'csi.storage.example',
    },
    finalizers: ['kubernetes.io/pvc-protection'],
  };
  const spec = {
    accessModes: ['ReadWriteMany'],
    dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'fedora-1b7' },
    resources: { requests: { storage: '30Gi' } },
    storageClassName,
    volumeMode: 'Block',
    volumeName: `pvc-of-${machine.namespace}-${name}`,
  };
  const status = { phase: 'Bound', accessModes: ['ReadWriteMany'], capacity: { storage: '30Gi' } };
  return objectOf(resources.persistentVolumeClaims, metadata, { spec, status });
};

export const machineObjects = { virtualMachine, virtualMachineInstance, copyingStatus, attempt, launcher, claim };
