// Makes the metadata of an object that is written: what callers may set is taken from them, what belongs to the server
// (uid, versions, timestamps) is never taken from a caller.
import type { KubeMetadata, KubeObject, Resource } from '../../kube/api.ts';
import type { Json } from '../cluster.ts';
import { failures } from './failures.ts';
import { json } from './json.ts';

const strings = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'];
const maps = ['labels', 'annotations'];
const lists = ['finalizers', 'ownerReferences'];

/** What callers may set; empty maps and lists count as absent, as on a real server. */
const settable = (given: Json): Json => {
  const taken: Json = {};
  for (const name of [...maps, ...lists]) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    const fits = maps.includes(name) ? json.isObject(value) : Array.isArray(value);
    if (!fits) throw failures.badRequest(`metadata.${name} must be ${maps.includes(name) ? 'an object' : 'a list'}`);
    if (Object.keys(value).length > 0) taken[name] = value;
  }
  return taken;
};

/** The metadata as it was given, if it can be read at all. */
const readable = (object: Json): Json => {
  const metadata = object['metadata'] ?? {};
  if (!json.isObject(metadata)) throw failures.badRequest('metadata must be an object');
  for (const name of strings) {
    const value = metadata[name];
    if (value !== undefined && value !== null && typeof value !== 'string') {
      throw failures.badRequest(`metadata.${name} must be a string`);
    }
  }
  for (const owner of json.array(metadata['ownerReferences'])) {
    if (!json.isObject(owner)) throw failures.badRequest('metadata.ownerReferences must be a list of objects');
  }
  if (json.array(metadata['finalizers']).some((finalizer) => typeof finalizer !== 'string')) {
    throw failures.badRequest('metadata.finalizers must be a list of strings');
  }
  return metadata;
};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const created = (
  resource: Resource,
  given: Json,
  made: {
    readonly name: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly generation: boolean;
  },
): KubeMetadata => ({
  name: made.name,
  ...(text(given['generateName']) === '' ? {} : { generateName: text(given['generateName']) }),
  ...(resource.namespaced ? { namespace: text(given['namespace']) } : {}),
  uid: made.uid,
  ...(made.generation ? { generation: 1 } : {}),
  creationTimestamp: made.creationTimestamp,
  ...settable(given),
});

/** Refuses what contradicts the object that is stored: another uid, an older version, a new finalizer while deleting. */
const updated = (resource: Resource, current: KubeMetadata, given: Json): KubeMetadata => {
  const { name } = current;
  if (text(given['name']) !== name) {
    throw failures.badRequest(
      `the name of the object (${text(given['name'])}) does not match the name on the URL (${name})`,
    );
  }
  if (resource.namespaced && (given['namespace'] ?? current.namespace) !== current.namespace) {
    throw failures.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (text(given['uid']) !== '' && given['uid'] !== current.uid) {
    const why = `Precondition failed: UID in precondition: ${text(given['uid'])}, UID in object meta: ${current.uid}`;
    throw failures.conflict(resource, name, why);
  }
  if (text(given['resourceVersion']) !== '' && given['resourceVersion'] !== current.resourceVersion) {
    throw failures.stale(resource, name);
  }
  const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...kept } = current;
  const next: KubeMetadata = { ...kept, ...settable(given) };
  if (current.deletionTimestamp !== undefined) {
    const added = (next.finalizers ?? []).filter((finalizer) => !(current.finalizers ?? []).includes(finalizer));
    if (added.length > 0) {
      const shown = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
      const why = `metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`;
      throw failures.invalid(resource, name, [why]);
    }
  }
  return next;
};

/** Whether something still holds the object although it is being deleted. */
const isHeld = (object: KubeObject): boolean =>
  (object.metadata.finalizers ?? []).length > 0 ||
  (object.kind === 'Namespace' && json.array(json.object(object['spec'])['finalizers']).length > 0);

/** Reads and makes metadata for writes. */
export const metadata = { readable, created, updated, isHeld };
