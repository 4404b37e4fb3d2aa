// What a real server does by itself for the core kinds that matter here: the status a new object starts with, fields
// that are required, fields that may not change, the grace a pod is given. Kinds without rules are only stored.
import type { KubeObject, Resource } from '../../kube/api.ts';
import type { Json } from '../cluster.ts';
import { eventRules, leaseRules } from './eventRules.ts';
import { json } from './json.ts';

export interface KindRules {
  /** Fills in what the server sets on a new object. */
  readonly started?: (object: Json) => Json;
  /** Changes what must change when the object is marked for deletion. */
  readonly ending?: (object: Json) => Json;
  readonly errors?: (object: KubeObject, previous: KubeObject | undefined) => readonly string[];
  /** How long the object is left to end by itself when the caller does not say. */
  readonly graceSeconds?: (object: KubeObject) => number;
}

const none: KindRules = {};

const named = (value: unknown): string => {
  const name = json.object(value)['name'];
  return typeof name === 'string' ? name : '';
};

const containerErrors = (
  containers: readonly unknown[],
  path: string,
  volumes: ReadonlySet<string>,
): readonly string[] =>
  containers.flatMap((container, index) => {
    const place = `${path}[${index}]`;
    const errors = named(container) === '' ? [`${place}.name: Required value`] : [];
    if (typeof json.object(container)['image'] !== 'string') errors.push(`${place}.image: Required value`);
    for (const field of ['volumeMounts', 'volumeDevices']) {
      for (const [at, mount] of json.array(json.object(container)[field]).entries()) {
        if (!volumes.has(named(mount))) {
          errors.push(`${place}.${field}[${at}].name: Not found: ${JSON.stringify(named(mount))}`);
        }
      }
    }
    return errors;
  });

const duplicates = (items: readonly unknown[], path: string): readonly string[] =>
  items.flatMap((item, index) =>
    items.findIndex((other) => named(other) === named(item)) < index
      ? [`${path}[${index}].name: Duplicate value: ${JSON.stringify(named(item))}`]
      : [],
  );

/** A pod spec without what may change after creation: images, tolerations, the deadline, and the node once it is set. */
const fixedPodSpec = (spec: Json): Json => {
  const { nodeName: _n, tolerations: _t, activeDeadlineSeconds: _a, schedulingGates: _g, ...rest } = spec;
  const withoutImage = (container: unknown): Json => {
    const { image: _image, ...fixed } = json.object(container);
    return fixed;
  };
  return {
    ...rest,
    containers: json.array(spec['containers']).map(withoutImage),
    initContainers: json.array(spec['initContainers']).map(withoutImage),
  };
};

const podErrors = (pod: KubeObject, previous: KubeObject | undefined): readonly string[] => {
  const spec = json.object(pod['spec']);
  if (previous !== undefined) {
    const before = json.object(previous['spec']);
    if (before === spec) return [];
    const moved = before['nodeName'] !== undefined && before['nodeName'] !== spec['nodeName'];
    return !moved && json.equal(fixedPodSpec(before), fixedPodSpec(spec))
      ? []
      : [
          'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
        ];
  }
  const containers = json.array(spec['containers']);
  const initial = json.array(spec['initContainers']);
  const volumes = json.array(spec['volumes']);
  const known = new Set(volumes.map(named));
  return [
    ...(containers.length === 0 ? ['spec.containers: Required value'] : []),
    ...duplicates(volumes, 'spec.volumes'),
    ...duplicates([...containers, ...initial], 'spec.containers'),
    ...containerErrors(containers, 'spec.containers', known),
    ...containerErrors(initial, 'spec.initContainers', known),
  ];
};

const podGrace = (pod: KubeObject): number => {
  const spec = json.object(pod['spec']);
  const phase = json.object(pod['status'])['phase'];
  // A pod that was never given to a node, or that has ended, has nothing to wait for.
  if (spec['nodeName'] === undefined || phase === 'Succeeded' || phase === 'Failed') return 0;
  const asked = spec['terminationGracePeriodSeconds'];
  return typeof asked === 'number' ? asked : 30;
};

const fixedClaimSpec = (spec: Json, bound: unknown): Json => {
  const { resources: _r, volumeAttributesClassName: _v, ...rest } = spec;
  const { volumeName: _name, ...unbound } = rest;
  return bound === undefined ? unbound : rest;
};

const claimErrors = (claim: KubeObject, previous: KubeObject | undefined): readonly string[] => {
  const spec = json.object(claim['spec']);
  if (previous !== undefined) {
    const before = json.object(previous['spec']);
    const bound = before['volumeName'];
    return before === spec || json.equal(fixedClaimSpec(before, bound), fixedClaimSpec(spec, bound))
      ? []
      : [
          'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
        ];
  }
  const storage = json.object(json.object(spec['resources'])['requests'])['storage'];
  return [
    ...(json.array(spec['accessModes']).length === 0
      ? ['spec.accessModes: Required value: at least 1 access mode is required']
      : []),
    ...(storage === undefined ? ['spec.resources[storage]: Required value'] : []),
  ];
};

const inPhase =
  (phase: string) =>
  (object: Json): Json => ({ ...object, status: { phase } });

/** The fields of secrets in clear text are folded into `data`, which is all that can be read back. */
const secretStarted = (secret: Json): Json => {
  const { stringData, ...rest } = secret;
  const coded = Object.entries(json.object(stringData)).map(([name, text]) => [
    name,
    Buffer.from(String(text)).toString('base64'),
  ]);
  const data = { ...json.object(secret['data']), ...Object.fromEntries(coded) };
  return { type: 'Opaque', ...rest, ...(Object.keys(data).length > 0 ? { data } : {}) };
};

const core: Readonly<Record<string, KindRules>> = {
  pods: {
    started: (pod) => {
      const spec = { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, ...json.object(pod['spec']) };
      return { ...pod, spec, status: { phase: 'Pending' } };
    },
    errors: podErrors,
    graceSeconds: podGrace,
  },
  persistentvolumeclaims: {
    started: (claim) => ({
      ...claim,
      spec: { volumeMode: 'Filesystem', ...json.object(claim['spec']) },
      status: { phase: 'Pending' },
    }),
    errors: claimErrors,
  },
  persistentvolumes: { started: inPhase('Pending') },
  secrets: { started: secretStarted },
  namespaces: {
    started: (namespace) => ({
      ...namespace,
      spec: { ...json.object(namespace['spec']), finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    }),
    ending: (namespace) => ({ ...namespace, status: { ...json.object(namespace['status']), phase: 'Terminating' } }),
  },
};

const elsewhere: Readonly<Record<string, KindRules>> = {
  'events.events.k8s.io': eventRules,
  'leases.coordination.k8s.io': leaseRules,
};

/** The rules of a kind; those of a kind that has none change and refuse nothing. */
export const coreRules = ({ group, plural }: Resource): KindRules =>
  (group === '' ? core[plural] : elsewhere[`${plural}.${group}`]) ?? none;
