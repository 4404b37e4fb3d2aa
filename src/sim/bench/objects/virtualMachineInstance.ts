// The VMI of a machine as a cluster in use holds it, and the status that it gets while its disks are copied live.
import type { KubeObject } from '../../../kube/api.ts';
import { resources } from '../../../kube/resources.ts';
import type { Json } from '../../cluster.ts';
import { disksOf, launcherName, type Machine, targetNode, targetOf } from '../machine.ts';
import { claimInfo, migratedVolumes } from './migratedVolumes.ts';
import { condition, objectOf, ownedBy, runningWell, since } from './parts.ts';
import { templateSpec } from './templateSpec.ts';

export const virtualMachineInstance = (machine: Machine, vmUid: string): KubeObject => {
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
    conditions: [...runningWell, ...(migrating ? [changing] : [])],
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
  sourcePod: launcherName(machine, 'source'),
  startTimestamp: since,
  targetDirectMigrationNodePorts: { '38213': 0, '41033': 49152, '45179': 49153 },
  targetNode: targetNode(machine),
  targetNodeAddress: '10.129.0.41',
  targetNodeDomainDetected: true,
  targetPod: launcherName(machine, 'target'),
});

/** The status that virt-handler writes once the copy runs. */
export const copyingStatus = (machine: Machine, instance: KubeObject, attemptUid: string): KubeObject => ({
  ...instance,
  status: { ...(instance['status'] as Json), migrationState: migrationStateOf(machine, attemptUid) },
});
