// Columns of `kubectl get` that a server computes for core kinds, because no single field holds them.
import type { KubeObject, Resource } from '../../kube/api.ts';
import { json } from '../apiServer/json.ts';
import type { PrinterColumn } from '../cluster.ts';
import { humanDuration } from './humanDuration.ts';

export interface ComputedColumn {
  readonly name: string;
  readonly type: PrinterColumn['type'];
  readonly priority: number;
  readonly cell: (object: KubeObject, nowMs: number) => unknown;
}

const column = (name: string, cell: ComputedColumn['cell'], priority = 0): ComputedColumn => ({
  name,
  type: 'string',
  priority,
  cell,
});

const spec = (object: KubeObject) => json.object(object['spec']);
const status = (object: KubeObject) => json.object(object['status']);
const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const orNone = (value: unknown): string => text(value) || '<none>';
const size = (value: unknown): number => Object.keys(json.object(value)).length;

const since = (timestamp: unknown, nowMs: number): string =>
  text(timestamp) === '' ? '<unknown>' : humanDuration(nowMs - Date.parse(text(timestamp)));

const age = column('Age', (object, nowMs) => since(object.metadata.creationTimestamp, nowMs));

const containers = (pod: KubeObject) => json.array(status(pod)['containerStatuses']).map(json.object);

/** Why a container is not running: the reason it gives, else its signal or exit code. */
const reasonOf = (container: ReturnType<typeof containers>[number]): string => {
  const state = json.object(container['state']);
  const ended = json.object(state['terminated']);
  const waiting = text(json.object(state['waiting'])['reason']);
  if (waiting !== '' || state['terminated'] === undefined) return waiting;
  if (text(ended['reason']) !== '') return text(ended['reason']);
  return ended['signal'] ? `Signal:${text(ended['signal'])}` : `ExitCode:${text(ended['exitCode'])}`;
};

const podStatus = (pod: KubeObject): string => {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const reasons = containers(pod)
    .map(reasonOf)
    .filter((reason) => reason !== '');
  const isRunning = containers(pod).some((container) => json.object(container['state'])['running'] !== undefined);
  const reason = reasons.at(0) ?? text(status(pod)['reason']);
  if (reason === 'Completed' && isRunning) return 'Running';
  return reason || text(status(pod)['phase']);
};

const accessModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

const modesOf = (modes: unknown): string =>
  json
    .array(modes)
    .map((mode) => accessModes[text(mode)] ?? text(mode))
    .join(',');

const pods: readonly ComputedColumn[] = [
  column('Ready', (pod) => {
    const ready = containers(pod).filter((container) => container['ready'] === true).length;
    return `${ready}/${json.array(spec(pod)['containers']).length}`;
  }),
  column('Status', podStatus),
  column('Restarts', (pod) =>
    text(containers(pod).reduce((sum, container) => sum + Number(container['restartCount'] ?? 0), 0)),
  ),
  age,
  column('IP', (pod) => orNone(status(pod)['podIP']), 1),
  column('Node', (pod) => orNone(spec(pod)['nodeName']), 1),
];

const claims: readonly ComputedColumn[] = [
  column('Status', (claim) =>
    claim.metadata.deletionTimestamp === undefined ? text(status(claim)['phase']) : 'Terminating',
  ),
  column('Volume', (claim) => text(spec(claim)['volumeName'])),
  column('Capacity', (claim) => text(json.object(status(claim)['capacity'])['storage'])),
  column('Access Modes', (claim) => modesOf(status(claim)['accessModes'])),
  column('StorageClass', (claim) => text(spec(claim)['storageClassName'])),
  age,
  column('VolumeMode', (claim) => text(spec(claim)['volumeMode']), 1),
];

const volumes: readonly ComputedColumn[] = [
  column('Capacity', (volume) => text(json.object(spec(volume)['capacity'])['storage'])),
  column('Access Modes', (volume) => modesOf(spec(volume)['accessModes'])),
  column('Reclaim Policy', (volume) => text(spec(volume)['persistentVolumeReclaimPolicy'])),
  column('Status', (volume) => text(status(volume)['phase'])),
  column('Claim', (volume) => {
    const claim = json.object(spec(volume)['claimRef']);
    return text(claim['name']) === '' ? '' : `${text(claim['namespace'])}/${text(claim['name'])}`;
  }),
  column('StorageClass', (volume) => text(spec(volume)['storageClassName'])),
  age,
];

const nodes: readonly ComputedColumn[] = [
  column('Status', (node) => {
    const conditions = json.array(status(node)['conditions']).map(json.object);
    const ready = conditions.find((condition) => condition['type'] === 'Ready')?.['status'];
    const word = ready === 'True' ? 'Ready' : ready === undefined ? 'Unknown' : 'NotReady';
    return spec(node)['unschedulable'] === true ? `${word},SchedulingDisabled` : word;
  }),
  age,
  column('Version', (node) => text(json.object(status(node)['nodeInfo'])['kubeletVersion'])),
];

const events: readonly ComputedColumn[] = [
  column('Last Seen', (event, nowMs) =>
    since(
      event['lastTimestamp'] ??
        json.object(event['series'])['lastObservedTime'] ??
        event['eventTime'] ??
        event.metadata.creationTimestamp,
      nowMs,
    ),
  ),
  column('Type', (event) => text(event['type'])),
  column('Reason', (event) => text(event['reason'])),
  column('Object', (event) => {
    const about = json.object(event['involvedObject'] ?? event['regarding']);
    return `${text(about['kind']).toLowerCase()}/${text(about['name'])}`;
  }),
  column('Message', (event) => text(event['message'] ?? event['note']).trim()),
];

const deployments: readonly ComputedColumn[] = [
  column('Ready', (one) => `${status(one)['readyReplicas'] ?? 0}/${spec(one)['replicas'] ?? 1}`),
  column('Up-to-date', (one) => status(one)['updatedReplicas'] ?? 0),
  column('Available', (one) => status(one)['availableReplicas'] ?? 0),
  age,
];

const computed: Readonly<Record<string, readonly ComputedColumn[]>> = {
  pods,
  persistentvolumeclaims: claims,
  persistentvolumes: volumes,
  nodes,
  events,
  secrets: [column('Type', (secret) => text(secret['type'])), column('Data', (secret) => size(secret['data'])), age],
  configmaps: [column('Data', (map) => size(map['data']) + size(map['binaryData'])), age],
  serviceaccounts: [column('Secrets', (account) => json.array(account['secrets']).length), age],
};

/** The computed columns of a kind, after its name; undefined for kinds whose columns are plain fields. */
export const computedColumns = ({ group, plural }: Resource): readonly ComputedColumn[] | undefined => {
  if (group === '' || group === 'events.k8s.io') return computed[plural];
  return group === 'apps' && plural === 'deployments' ? deployments : undefined;
};
