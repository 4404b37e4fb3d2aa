// A virt-launcher of a machine: the one its guest runs in, or the one it is migrated to.
import type { KubeObject } from '../../../kube/api.ts';
import { resources } from '../../../kube/resources.ts';
import { disksOf, launcherName, type Machine, targetNode, targetOf } from '../machine.ts';
import { condition, objectOf, ownedBy, since } from './parts.ts';

export const launcher = (machine: Machine, vmiUid: string, which: 'source' | 'target'): KubeObject => {
  const { name, namespace, node } = machine;
  const claims = which === 'target' ? [targetOf(machine)] : disksOf(machine).map(({ claim }) => claim);
  const metadata = {
    name: launcherName(machine, which),
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
