// The pods KubeVirt makes for a VMI: virt-launchers, of which a live migration has two, and the attachment pods that
// hold hotplugged claims, owned by a launcher pod (contract §2.5). A launcher mounts what the VMI names when it is made.
import type { KubeObject } from '../../kube/api.ts';
import { model } from './model.ts';
import type { Pod, Vmi, Vmim, Volume } from './objects.ts';

const grace = (vmi: Vmi): number => (vmi.spec.terminationGracePeriodSeconds ?? 30) + 30;

const claimVolume = (volume: Volume): object => ({
  name: volume.name,
  persistentVolumeClaim: { claimName: model.claimOf(volume) },
});

const emptyDirectories = ['private', 'public', 'sockets', 'virt-bin-share-dir', 'libvirt-runtime', 'ephemeral-disks'];
const emptyDir = (name: string): object => ({ name, emptyDir: {} });

/** Volumes of the VMI that are attached through a pod of their own. */
const hotplugged = (vmi: Vmi): readonly Volume[] =>
  (vmi.spec.volumes ?? []).filter((volume) => model.isHotplug(volume) && model.claimOf(volume) !== '');

const antiAffinity = (vmi: Vmi): object => ({
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      {
        labelSelector: {
          matchExpressions: [{ key: 'kubevirt.io/created-by', operator: 'In', values: [vmi.metadata.uid] }],
        },
        topologyKey: 'kubernetes.io/hostname',
      },
    ],
  },
});

const base = (vmi: Vmi): KubeObject => {
  const { name, namespace, uid, labels, annotations } = vmi.metadata;
  const {
    'kubevirt.io/latest-observed-api-version': _l,
    'kubevirt.io/storage-observed-api-version': _s,
    ...own
  } = annotations ?? {};
  const mounted = (vmi.spec.volumes ?? []).filter((volume) => !model.isHotplug(volume) && model.claimOf(volume) !== '');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: `virt-launcher-${name}-`,
      namespace,
      labels: {
        ...labels,
        'kubevirt.io': 'virt-launcher',
        'kubevirt.io/created-by': uid,
        'vm.kubevirt.io/name': typeof vmi.spec['hostname'] === 'string' ? vmi.spec['hostname'] : name,
        'vmi.kubevirt.io/id': name,
      },
      annotations: { ...own, 'kubevirt.io/domain': name },
      ownerReferences: [model.controlledBy(vmi)],
    },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: grace(vmi),
      containers: [{ name: 'compute', image: 'virt-launcher:simulated' }],
      volumes: [...emptyDirectories.map(emptyDir), ...mounted.map(claimVolume), emptyDir('hotplug-disks')],
    },
  };
};

/** The launcher in which the VMI's guest is started. */
const source = (vmi: Vmi): KubeObject => base(vmi);

/** The launcher a live migration copies the guest to: never on the node the VMI is on. */
const target = (vmi: Vmi, vmim: Vmim): KubeObject => {
  const pod = base(vmi);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata.labels, 'kubevirt.io/migrationJobUID': vmim.metadata.uid },
      annotations: { ...pod.metadata.annotations, 'kubevirt.io/migrationJobName': vmim.metadata.name },
    },
    spec: { ...(pod['spec'] as object), affinity: antiAffinity(vmi) },
  };
};

/** The pod through which the VMI's hotplugged claims are attached on the launcher's node. */
const attachment = (vmi: Vmi, launcher: Pod): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: '',
    generateName: 'hp-volume-',
    namespace: vmi.metadata.namespace,
    labels: { 'kubevirt.io': 'hotplug-disk' },
    annotations: {
      'kubevirt.io/owner-vmi-name': vmi.metadata.name,
      'kubevirt.io/owner-vmi-uid': vmi.metadata.uid,
    },
    ownerReferences: [model.controlledBy(launcher)],
  },
  spec: {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'hotplug-disk', image: 'virt-launcher:simulated' }],
    nodeSelector: { 'kubernetes.io/hostname': launcher.spec.nodeName ?? '' },
    volumes: [emptyDir('hotplug-disks'), ...hotplugged(vmi).map(claimVolume)],
  },
});

export const launcherPod = { source, target, attachment, hotplugged };
