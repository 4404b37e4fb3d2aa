// How written objects are taken apart and put together: what a caller sent becomes an object of its kind, with metadata
// made by the server.
import type { KubeMetadata, KubeObject, ObjectRef } from '../../kube/api.ts';
import type { Json } from '../cluster.ts';
import { failures } from './failures.ts';
import { json } from './json.ts';
import type { KindStore } from './kindStore.ts';

/** A copy of what was sent; 400 when it is not an object of the kind. */
const typed = (store: KindStore, given: unknown): Json => {
  const { group, version, kind } = store.kind.resource;
  const object = json.copy(given);
  if (!json.isObject(object)) throw failures.badRequest('the body must be an object');
  const apiVersion = group === '' ? version : `${group}/${version}`;
  if (object['apiVersion'] !== apiVersion || object['kind'] !== kind) {
    throw failures.badRequest(
      `the API version in the data (${object['apiVersion']}, Kind=${object['kind']}) does not match the expected API version (${apiVersion}, Kind=${kind})`,
    );
  }
  return object;
};

const assembled = (object: Json, meta: KubeMetadata): KubeObject => {
  const { apiVersion, kind, metadata: _given, ...rest } = object;
  return { apiVersion: String(apiVersion), kind: String(kind), metadata: meta, ...rest };
};

/** The same object with other metadata fields, frozen. */
const withMetadata = (object: KubeObject, change: Partial<KubeMetadata>): KubeObject =>
  json.freeze({ ...object, metadata: { ...object.metadata, ...change } });

/** The object that is stored; 404 when there is none. */
const existing = (store: KindStore, ref: ObjectRef): KubeObject => {
  const current = store.read(ref);
  if (current === undefined) throw failures.notFound(store.kind.resource, ref.name);
  return current;
};

/** Reads and makes whole objects for writes. */
export const objects = { typed, assembled, withMetadata, existing };
