// Pod as it is kept: only those that mount a claim, because they may write to it, and our own copy pods.
import type { Pod, PodPhase, PodRole } from '../../core/objects.ts';
import { annotations, labels, roles } from '../names.ts';
import { condition, entries, type Fields, projection, section, share, text, whole } from './fields.ts';

const phases: ReadonlySet<string> = new Set<PodPhase>(['Pending', 'Running', 'Succeeded', 'Failed']);

/** A pod without a phase was just made; a phase that is not known counts as one in which it may be writing. */
const phaseOf = (status: Fields): PodPhase => {
  const phase = text(status, 'phase', 'status');
  if (phase === '') return 'Pending';
  return phases.has(phase) ? (share(phase) as PodPhase) : 'Unknown';
};

const roleOf = (label: Fields): PodRole => {
  if (label[labels.role] === roles.server) return 'copyServer';
  if (label[labels.role] === roles.client) return 'copyClient';
  if (label['kubevirt.io'] === 'virt-launcher') return 'launcher';
  return label['kubevirt.io'] === 'hotplug-disk' ? 'hotplug' : 'other';
};

/** Claims that the pod mounts; a generic ephemeral volume's claim is named after the pod and the volume. */
const claimsOf = (spec: Fields, podName: string): readonly string[] => {
  const claims = entries(spec, 'volumes', 'spec').flatMap((volume, index) => {
    const at = `spec.volumes[${index}]`;
    if (volume['ephemeral'] !== undefined && volume['ephemeral'] !== null) {
      return [`${podName}-${text(volume, 'name', at)}`];
    }
    const claim = text(section(volume, 'persistentVolumeClaim', at), 'claimName', `${at}.persistentVolumeClaim`);
    return claim === '' ? [] : [claim];
  });
  return [...new Set(claims)];
};

/** The kubelet sorts statuses by container name, so the first container is looked up by its name in the spec. */
const endedOf = (spec: Fields, status: Fields): Pod['ended'] => {
  const statuses = entries(status, 'containerStatuses', 'status');
  const first = entries(spec, 'containers', 'spec')[0]?.['name'];
  const container = statuses.find((each) => each['name'] === first) ?? (first === undefined ? statuses[0] : undefined);
  if (container === undefined) return undefined;
  const at = 'status.containerStatuses[].state';
  const terminated = section(container, 'state', 'status.containerStatuses[]')['terminated'];
  if (terminated === undefined || terminated === null) return undefined;
  const end = section({ terminated }, 'terminated', at);
  return {
    exitCode: whole(end, 'exitCode', `${at}.terminated`),
    message: text(end, 'message', `${at}.terminated`),
  };
};

const ordinaryWaits: ReadonlySet<unknown> = new Set(['ContainerCreating', 'PodInitializing']);

const sentence = (reason: string, message: string): string =>
  reason !== '' && message !== '' ? `${reason}: ${message}` : reason || message;

const troubleOf = (status: Fields, phase: PodPhase): string => {
  if (phase === 'Succeeded') return '';
  const own = sentence(text(status, 'reason', 'status'), text(status, 'message', 'status'));
  if (own !== '' || phase === 'Failed') return own;
  for (const name of ['initContainerStatuses', 'containerStatuses']) {
    for (const container of entries(status, name, 'status')) {
      const at = `status.${name}[].state`;
      const waiting = section(section(container, 'state', `status.${name}[]`), 'waiting', at);
      const reason = text(waiting, 'reason', `${at}.waiting`);
      if (reason !== '' && !ordinaryWaits.has(reason))
        return sentence(reason, text(waiting, 'message', `${at}.waiting`));
    }
  }
  const scheduled = condition(status, 'PodScheduled');
  return scheduled?.status === 'False' ? sentence(scheduled.reason, scheduled.message) : '';
};

const ownerUidOf = (metadata: Fields): string => {
  const owner = entries(metadata, 'ownerReferences', 'metadata').find((each) => each['controller'] === true);
  return owner === undefined ? '' : text(owner, 'uid', 'metadata.ownerReferences[]');
};

/** Pods that mount no claim are ignored, but for ours and virt-launchers: all disks of a machine may be hotplugged. */
export const projectPod = projection<Pod>('Pod', (raw, identity) => {
  const metadata = section(raw, 'metadata', '');
  const label = section(metadata, 'labels', 'metadata');
  const spec = section(raw, 'spec', '');
  const role = roleOf(label);
  const ours = role === 'copyServer' || role === 'copyClient';
  const claims = claimsOf(spec, identity.name);
  if (claims.length === 0 && !ours && role !== 'launcher') return undefined;
  const status = section(raw, 'status', '');
  const note = ours ? section(metadata, 'annotations', 'metadata') : {};
  const phase = phaseOf(status);
  return {
    ...identity,
    phase,
    role,
    nodeName: share(text(spec, 'nodeName', 'spec')),
    claims,
    ownerUid: ownerUidOf(metadata),
    ready: condition(status, 'Ready')?.status === 'True',
    migrationUid: ours ? text(label, labels.migrationUid, 'metadata.labels') : '',
    vmName: text(note, annotations.virtualMachine, 'metadata.annotations'),
    volumeName: text(note, annotations.volume, 'metadata.annotations'),
    copyId: text(note, annotations.copyId, 'metadata.annotations'),
    ended: ours ? endedOf(spec, status) : undefined,
    createdAt: ours ? text(metadata, 'creationTimestamp', 'metadata') : '',
    goneBy: ours ? text(metadata, 'deletionTimestamp', 'metadata') : '',
    address: ours ? text(status, 'podIP', 'status') : '',
    keys: text(note, annotations.keys, 'metadata.annotations'),
    trouble: troubleOf(status, phase),
  };
});
