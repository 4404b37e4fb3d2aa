// The Pod Security Standards, as far as a pod of ours could break them: what the admission of a namespace with the label
// `pod-security.kubernetes.io/enforce` says. From the published rules of each level (Kubernetes 1.30).
import type { KubeObject } from '../../src/kube/api.ts';
import { at } from '../sim/sight.ts';

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const allowedVolumes = new Set(
  ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim'].concat(['projected', 'secret']),
);
const allowedCapabilities = new Set<unknown>(
  ['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP'].concat([
    'SETGID',
    'SETPCAP',
    'SETUID',
    'SYS_CHROOT',
  ]),
);
const allowedProfiles = new Set<unknown>(['RuntimeDefault', 'Localhost']);

const containersOf = (pod: KubeObject): readonly unknown[] =>
  ['containers', 'initContainers', 'ephemeralContainers'].flatMap((kind) => listOf(at(pod, 'spec', kind)));

/** What `baseline` refuses in the pod. */
export const againstBaseline = (pod: KubeObject): readonly string[] => [
  ...['hostNetwork', 'hostPID', 'hostIPC'].filter((name) => at(pod, 'spec', name) === true),
  ...listOf(at(pod, 'spec', 'volumes')).flatMap((volume) => (at(volume, 'hostPath') === undefined ? [] : ['hostPath'])),
  ...listOf(at(pod, 'spec', 'securityContext', 'sysctls')).map(() => 'sysctls'),
  ...containersOf(pod).flatMap((container) => [
    ...(at(container, 'securityContext', 'privileged') === true ? ['privileged'] : []),
    ...listOf(at(container, 'securityContext', 'capabilities', 'add'))
      .filter((name) => !allowedCapabilities.has(name))
      .map((name) => `capability ${String(name)}`),
    ...(at(container, 'securityContext', 'procMount') === undefined ? [] : ['procMount']),
    ...listOf(at(container, 'ports')).flatMap((port) => (at(port, 'hostPort') === undefined ? [] : ['hostPort'])),
  ]),
];

/** What `restricted` refuses in the pod. */
export const againstRestricted = (pod: KubeObject): readonly string[] => {
  const shared = at(pod, 'spec', 'securityContext');
  const ofContainer = (container: unknown): readonly string[] => {
    const own = at(container, 'securityContext');
    const inherited = (name: string): unknown => at(own, name) ?? at(shared, name);
    return [
      ...(at(own, 'allowPrivilegeEscalation') === false ? [] : ['allowPrivilegeEscalation']),
      ...(listOf(at(own, 'capabilities', 'drop')).includes('ALL') ? [] : ['capabilities are kept']),
      ...listOf(at(own, 'capabilities', 'add'))
        .filter((name) => name !== 'NET_BIND_SERVICE')
        .map((name) => `capability ${String(name)} is added`),
      ...(inherited('runAsNonRoot') === true ? [] : ['runAsNonRoot']),
      ...(inherited('runAsUser') === 0 ? ['runAsUser'] : []),
      ...(allowedProfiles.has(at(inherited('seccompProfile'), 'type')) ? [] : ['seccompProfile']),
    ];
  };
  return [
    ...againstBaseline(pod),
    ...listOf(at(pod, 'spec', 'volumes')).flatMap((volume) => {
      const kinds = Object.keys(volume as object).filter((key) => key !== 'name');
      return kinds.every((kind) => allowedVolumes.has(kind)) ? [] : kinds;
    }),
    ...containersOf(pod).flatMap(ofContainer),
  ];
};
