// Which lists are maps in disguise: the fields that tell the items of a list apart when patches merge it. Kinds with a
// schema say so themselves (x-kubernetes-list-type); for the core kinds the lists that matter here are named below.
import type { Json } from '../cluster.ts';
import { json } from './json.ts';

/** `atomic` lists are replaced as a whole, `set` lists hold plain values once, `map` lists hold objects by keys. */
export type ListKeys =
  | { readonly kind: 'atomic' }
  | { readonly kind: 'set' }
  | { readonly kind: 'map'; readonly keys: readonly string[] };

const atomic: ListKeys = { kind: 'atomic' };
const by = (...keys: readonly string[]): ListKeys => ({ kind: 'map', keys });

const known: Readonly<Record<string, ListKeys>> = {
  containers: by('name'),
  initContainers: by('name'),
  ephemeralContainers: by('name'),
  volumes: by('name'),
  env: by('name'),
  imagePullSecrets: by('name'),
  secrets: by('name'),
  volumeMounts: by('mountPath'),
  volumeDevices: by('devicePath'),
  conditions: by('type'),
  hostAliases: by('ip'),
  ownerReferences: by('uid'),
  finalizers: { kind: 'set' },
};

const metadataLists = ['ownerReferences', 'finalizers'];

const ofCoreKind = (field: string, items: readonly unknown[]): ListKeys => {
  if (field === 'ports')
    return by(items.some((item) => 'containerPort' in json.object(item)) ? 'containerPort' : 'port');
  return known[field] ?? atomic;
};

/** How the list in this field is merged; `schema` is the list's own, absent for kinds without one. */
export const listKeys = (field: string, schema: Json | undefined, items: readonly unknown[]): ListKeys => {
  if (schema === undefined) return ofCoreKind(field, items);
  if (schema['x-kubernetes-list-type'] === 'set') return { kind: 'set' };
  if (schema['x-kubernetes-list-type'] !== 'map')
    return metadataLists.includes(field) ? ofCoreKind(field, items) : atomic;
  return by(...json.array(schema['x-kubernetes-list-map-keys']).map(String));
};
