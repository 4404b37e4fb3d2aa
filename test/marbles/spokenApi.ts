// A port that says each request aloud, so that a diagram can expect it and answer it: `create copy-client-web-root: web-root`,
// `patch web: web-root-fast, Migration`. What becomes of a request is the test's to say.
import { defer, type Observable } from 'rxjs';
import type {
  JsonPatchOperation,
  KubeApi,
  KubeObject,
  ListOptions,
  ListPage,
  ObjectRef,
  Resource,
  WatchEvent,
  WatchOptions,
} from '../../src/kube/api.ts';

export type Request = { readonly resource: Resource; readonly sentence: string } & (
  | { readonly verb: 'get'; readonly ref: ObjectRef }
  | { readonly verb: 'create'; readonly object: KubeObject }
  | { readonly verb: 'patch'; readonly ref: ObjectRef; readonly operations: readonly JsonPatchOperation[] }
  | { readonly verb: 'remove'; readonly ref: ObjectRef; readonly uid: string }
);

export interface Answers {
  /** Called when a request is sent: when its Observable is subscribed. */
  readonly request: (request: Request) => Observable<unknown>;
  readonly list?: (resource: Resource, options: ListOptions) => Observable<ListPage>;
  readonly watch?: (resource: Resource, options: WatchOptions) => Observable<WatchEvent>;
}

/** Our names end in a digest, which says nothing aloud. */
const spoken = (name: string): string => name.replace(/-[0-9a-f]{10}$/, '');

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

const claimsIn = (volumes: unknown): readonly string[] =>
  (Array.isArray(volumes) ? volumes : []).flatMap((volume) => {
    const claim = field(field(volume, 'persistentVolumeClaim'), 'claimName');
    return typeof claim === 'string' ? [claim] : [];
  });

/** The claims a patch of a VM names, and the strategy if it sets one. */
const patchOfVolumes = (operations: readonly JsonPatchOperation[]): string => {
  const valueAt = (path: string): unknown =>
    operations.flatMap((operation) =>
      (operation.op === 'replace' || operation.op === 'add') && operation.path === path ? [operation.value] : [],
    )[0];
  const claims = claimsIn(valueAt('/spec/template/spec/volumes'));
  const strategy = valueAt('/spec/updateVolumesStrategy');
  return [...claims, ...(strategy === undefined ? [] : [strategy])].join(', ');
};

const patchSentence = (
  resource: Resource,
  name: string,
  operations: readonly JsonPatchOperation[],
  subresource: string | undefined,
): string => {
  if (resource.kind === 'VirtualMachine') return `patch ${name}: ${patchOfVolumes(operations)}`;
  return subresource === undefined ? `finalizers of ${name}` : `${subresource} of ${name}`;
};

/** Of a pod its claims are said as well. */
const createSentence = (resource: Resource, object: KubeObject): string => {
  const volumes = field(object['spec'], 'volumes');
  if (resource.kind === 'Pod') return `create ${spoken(object.metadata.name)}: ${claimsIn(volumes).join(', ')}`;
  if (resource.kind !== 'Event') return `create ${spoken(object.metadata.name)}`;
  const regarding = object['regarding'];
  return `event ${object['reason']} on ${field(regarding, 'kind')} ${field(regarding, 'name')}`;
};

/** Makes the port. */
export const spokenApi = (answers: Answers): KubeApi => {
  const unasked = (): never => {
    throw new Error('This test answers neither lists nor watches nor logs.');
  };
  const send = (request: Request): Observable<never> => defer(() => answers.request(request) as Observable<never>);
  return {
    list: (resource, options) => defer(() => (answers.list ?? unasked)(resource, options)),
    watch: (resource, options) => defer(() => (answers.watch ?? unasked)(resource, options)),
    get: (resource, ref) => send({ verb: 'get', resource, ref, sentence: `get ${resource.kind} ${ref.name}` }),
    create: (resource, object) =>
      send({ verb: 'create', resource, object, sentence: createSentence(resource, object) }),
    patch: (resource, ref, patch, options) => {
      if (patch.type !== 'json') throw new Error(`Expected a JSON patch, found ${patch.type}.`);
      const { operations } = patch;
      const sentence = patchSentence(resource, ref.name, operations, options?.subresource);
      return send({ verb: 'patch', resource, ref, operations, sentence });
    },
    remove: (resource, ref, { uid }) =>
      send({ verb: 'remove', resource, ref, uid, sentence: `delete ${spoken(ref.name)}` }),
    log: () => defer(unasked),
  };
};
