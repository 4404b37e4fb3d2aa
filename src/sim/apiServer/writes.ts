// The writes of the API server: create, replace, the three patches, remove. Each is checked in the order of a real
// server (is it there, is it the version that was meant, shape, admission, validation) and either accepted as a whole
// or refused by a KubeFailure. A write that changes nothing gets no new version and is told to nobody.
import type { KubeMetadata, KubeObject, ObjectRef, Patch, PatchOptions, RemoveOptions } from '../../kube/api.ts';
import type { ApiServer, Json } from '../cluster.ts';
import type { Inside } from './apiServer.ts';
import { coreRules } from './coreRules.ts';
import { failures } from './failures.ts';
import { identifiers } from './identifiers.ts';
import { json } from './json.ts';
import { jsonPatch } from './jsonPatch.ts';
import type { KindStore } from './kindStore.ts';
import { mergePatch } from './mergePatch.ts';
import { metadata } from './metadata.ts';
import { metadataErrors } from './metadataErrors.ts';
import { schemaErrors } from './schemaErrors.ts';
import { type Ownership, serverSideApply } from './serverSideApply.ts';
import { shapeToSchema } from './shapeToSchema.ts';

interface Write {
  readonly store: KindStore;
  readonly operation: 'create' | 'update';
  readonly actor: string;
  readonly previous: KubeObject | undefined;
  readonly subresource: 'status' | undefined;
}

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

const shaped = (store: KindStore, object: KubeObject, previous: KubeObject | undefined): KubeObject => {
  const { schema } = store.kind;
  if (schema === undefined) return object;
  return assembled(shapeToSchema({ ...object }, schema, previous), object.metadata);
};

/** Metadata is checked again only where it was changed. */
const changedMetadata = (next: KubeMetadata, previous: KubeMetadata | undefined): KubeMetadata => {
  if (previous === undefined) return next;
  const { labels, annotations, finalizers, ownerReferences } = next;
  return {
    name: next.name,
    ...(labels === undefined || labels === previous.labels ? {} : { labels }),
    ...(annotations === undefined || annotations === previous.annotations ? {} : { annotations }),
    ...(finalizers === undefined || finalizers === previous.finalizers ? {} : { finalizers }),
    ...(ownerReferences === undefined || ownerReferences === previous.ownerReferences ? {} : { ownerReferences }),
  };
};

/** Shape, admission, validation: the object as it may be stored, or a KubeFailure. */
const admitted = (write: Write, object: KubeObject): KubeObject => {
  const { store, previous } = write;
  const { resource, schema } = store.kind;
  let next = shaped(store, object, previous);
  for (const admit of store.admissions) {
    const { operation, actor, subresource } = write;
    const made = admit({ operation, object: json.freeze(next), previous, actor, subresource });
    if (made !== undefined) {
      next = shaped(store, assembled(json.object(json.copy(made)), made.metadata), previous);
    }
  }
  const errors = [
    ...metadataErrors(resource, changedMetadata(next.metadata, previous?.metadata)),
    ...(coreRules(resource).errors?.(next, previous) ?? []),
    ...(schema === undefined ? [] : schemaErrors(next, schema, previous)),
  ];
  if (errors.length > 0) throw failures.invalid(resource, next.metadata.name, errors);
  return json.freeze(next);
};

const apart = new Set(['metadata', 'status']);

const hasNewGeneration = (next: KubeObject, previous: KubeObject): boolean =>
  [...new Set([...Object.keys(next), ...Object.keys(previous)])].some(
    (field) => !apart.has(field) && !json.equal(next[field], previous[field]),
  );

const withMetadata = (object: KubeObject, change: Partial<KubeMetadata>): KubeObject =>
  json.freeze({ ...object, metadata: { ...object.metadata, ...change } });

const existing = (store: KindStore, ref: ObjectRef): KubeObject => {
  const current = store.read(ref);
  if (current === undefined) throw failures.notFound(store.kind.resource, ref.name);
  return current;
};

/** The writing half of an ApiServer. */
export const writes = (inside: Inside): Pick<ApiServer, 'read' | 'all' | 'create' | 'replace' | 'patch' | 'remove'> => {
  const ownerships = new Map<string, Ownership>();
  const namespaceStore = (): KindStore | undefined => inside.stores.get('namespaces.');

  const checkNamespace = (store: KindStore, namespace: string | undefined, name: string): void => {
    const { resource } = store.kind;
    if (!resource.namespaced) {
      if (namespace !== undefined) throw failures.badRequest('namespace may not be set on a cluster-scoped object');
      return;
    }
    if (!namespace) throw failures.badRequest('an empty namespace may not be set during creation');
    const found = namespaceStore()?.read({ name: namespace });
    if (found === undefined) {
      throw failures.status(404, 'NotFound', `namespaces "${namespace}" not found`);
    }
    if (found.metadata.deletionTimestamp !== undefined) {
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
      throw failures.forbidden(resource, name, why);
    }
  };

  const nameOf = (store: KindStore, given: Json): string => {
    const { name, generateName, namespace } = given;
    if (typeof name === 'string' && name !== '') return name;
    if (typeof generateName !== 'string' || generateName === '') return '';
    for (let attempt = 0; ; attempt += 1) {
      const made = identifiers.generatedName(generateName, inside.random);
      const ref = { name: made, ...(typeof namespace === 'string' ? { namespace } : {}) };
      if (store.read(ref) === undefined || attempt === 7) return made;
    }
  };

  const commit = (
    store: KindStore,
    type: 'added' | 'modified' | 'deleted',
    object: KubeObject,
    previous: KubeObject | undefined,
    actor: string,
  ): KubeObject => {
    const versioned = withMetadata(object, { resourceVersion: String(inside.version() + 1) });
    if (type === 'deleted') ownerships.delete(object.metadata.uid ?? '');
    inside.commit(store, { type, object: versioned, previous, actor });
    return versioned;
  };

  const create: ApiServer['create'] = (resource, object, actor) => {
    const store = inside.store(resource);
    const given = typed(store, object);
    const wanted = metadata.readable(given);
    if (wanted['resourceVersion']) {
      throw failures.status(500, 'InternalError', 'resourceVersion should not be set on objects to be created');
    }
    const name = nameOf(store, wanted);
    checkNamespace(store, typeof wanted['namespace'] === 'string' ? wanted['namespace'] : undefined, name);
    const meta = metadata.created(store.kind.resource, wanted, {
      name,
      uid: identifiers.uid(inside.random),
      creationTimestamp: identifiers.timestamp(inside.now()),
      generation: store.kind.generation === true,
    });
    const { status, ...rest } = given;
    const started = coreRules(resource).started ?? ((same) => same);
    const body = started(store.kind.status === true || status === undefined ? rest : given);
    const write: Write = { store, operation: 'create', actor, previous: undefined, subresource: undefined };
    const next = admitted(write, assembled(body, meta));
    if (store.read(next.metadata) !== undefined) throw failures.alreadyExists(resource, name);
    return commit(store, 'added', next, undefined, actor);
  };

  const update = (
    store: KindStore,
    current: KubeObject,
    made: unknown,
    actor: string,
    subresource: 'status' | undefined,
  ): KubeObject => {
    if (subresource === 'status' && store.kind.status !== true) throw failures.noSuchKind();
    const given = typed(store, made);
    const meta = metadata.updated(store.kind.resource, current.metadata, metadata.readable(given));
    const { status, ...rest } = given;
    const { status: currentStatus, ...currentRest } = current;
    const statusOf = (value: unknown): Json => (value === undefined ? {} : { status: value });
    const body =
      subresource === 'status'
        ? { ...currentRest, ...statusOf(status) }
        : { ...rest, ...statusOf(store.kind.status === true ? currentStatus : status) };
    const write: Write = { store, operation: 'update', actor, previous: current, subresource };
    const next = admitted(write, assembled(body, subresource === 'status' ? current.metadata : meta));
    if (json.equal(next, current)) return current;
    const { deletionTimestamp, deletionGracePeriodSeconds, generation } = next.metadata;
    if (deletionTimestamp !== undefined && !deletionGracePeriodSeconds && !metadata.isHeld(next)) {
      return commit(store, 'deleted', current, current, actor);
    }
    const bump = store.kind.generation === true && hasNewGeneration(next, current);
    const counted = bump ? withMetadata(next, { generation: (generation ?? 0) + 1 }) : next;
    return commit(store, 'modified', counted, current, actor);
  };

  const apply = (
    store: KindStore,
    ref: ObjectRef,
    patch: Extract<Patch, { type: 'apply' }>,
    actor: string,
    subresource: 'status' | undefined,
  ): KubeObject => {
    const { resource, schema } = store.kind;
    const body = typed(store, patch.body);
    const current = store.read(ref);
    const before = ownerships.get(current?.metadata.uid ?? '') ?? new Map();
    const manager = subresource === undefined ? patch.fieldManager : `${patch.fieldManager} (${subresource})`;
    if (patch.fieldManager === '') throw failures.badRequest('fieldManager is required for apply patch');
    const meta = metadata.readable(body);
    if (meta['name'] !== undefined && meta['name'] !== ref.name) {
      throw failures.badRequest(
        `the name of the object (${meta['name']}) does not match the name on the URL (${ref.name})`,
      );
    }
    if (current === undefined) {
      if (subresource !== undefined) throw failures.notFound(resource, ref.name);
      if (meta['uid'] || meta['resourceVersion']) {
        throw failures.conflict(
          resource,
          ref.name,
          'uid or resourceVersion was given, and no existing object was found',
        );
      }
      const placed = { ...meta, ...ref };
      const made = serverSideApply({}, body, manager, before, schema);
      const object = assembled(body, { ...placed, name: ref.name });
      const accepted = create(resource, object, actor);
      ownerships.set(accepted.metadata.uid ?? '', made.ownership);
      return accepted;
    }
    const made = serverSideApply(current, body, manager, before, schema);
    if (made.conflicts.length > 0 && !patch.force) {
      const count = `${made.conflicts.length} conflict${made.conflicts.length === 1 ? '' : 's'}`;
      const listed = made.conflicts.map((one) => `conflict with "${one.manager}": ${one.field}`).join('\n');
      throw failures.status(409, 'Conflict', `Apply failed with ${count}: ${listed}`);
    }
    const accepted = update(store, current, made.object, actor, subresource);
    if (store.read(ref) !== undefined) ownerships.set(accepted.metadata.uid ?? '', made.ownership);
    return accepted;
  };

  const patch: ApiServer['patch'] = (resource, ref, given, actor, options: PatchOptions = {}) => {
    const store = inside.store(resource);
    if (given.type === 'apply') return apply(store, ref, given, actor, options.subresource);
    const current = existing(store, ref);
    if (given.type === 'merge' && !json.isObject(given.body)) {
      throw failures.badRequest('a merge patch must be an object');
    }
    const made =
      given.type === 'json'
        ? jsonPatch(
            current,
            given.operations.map((operation) => ({ ...operation })),
          )
        : mergePatch(current, given.body);
    return update(store, current, made, actor, options.subresource);
  };

  const remove: ApiServer['remove'] = (resource, ref, actor, options: Partial<RemoveOptions> = {}) => {
    const store = inside.store(resource);
    const current = existing(store, ref);
    const { uid, deletionTimestamp, deletionGracePeriodSeconds } = current.metadata;
    if (options.uid !== undefined && options.uid !== uid) {
      const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
      throw failures.conflict(resource, ref.name, why);
    }
    for (const admit of store.admissions) {
      admit({ operation: 'delete', object: current, previous: current, actor, subresource: undefined });
    }
    const rules = coreRules(resource);
    const own = store.kind.graceful === true ? (rules.graceSeconds?.(current) ?? 30) : 0;
    const asked = own === 0 ? 0 : (options.gracePeriodSeconds ?? own);
    // A second deletion may shorten the wait but not make it longer.
    const graceSeconds = Math.max(0, Math.min(asked, deletionGracePeriodSeconds ?? asked));
    if (graceSeconds === 0 && !metadata.isHeld(current)) {
      commit(store, 'deleted', current, current, actor);
      return;
    }
    if (deletionTimestamp !== undefined && deletionGracePeriodSeconds === graceSeconds) return;
    const { generation } = current.metadata;
    const ended = json.object(rules.ending?.({ ...current }) ?? current);
    const marked = assembled(ended, {
      ...current.metadata,
      deletionTimestamp: identifiers.timestamp(inside.now() + graceSeconds * 1000),
      deletionGracePeriodSeconds: graceSeconds,
      ...(generation === undefined ? {} : { generation: generation + 1 }),
    });
    commit(store, 'modified', json.freeze(marked), current, actor);
  };

  return {
    read: (resource, ref) => inside.store(resource).read(ref),
    all: (resource, namespace) => inside.store(resource).all(namespace),
    create,
    replace: (resource, object, actor, options = {}) => {
      const store = inside.store(resource);
      return update(store, existing(store, object.metadata), object, actor, options.subresource);
    },
    patch,
    remove,
  };
};
