// Creating: the name is made or taken, the namespace must be there, and the object starts with what the server gives it.
import type { ObjectRef } from '../../kube/api.ts';
import type { ApiServer, Json } from '../cluster.ts';
import { admitted } from './admitted.ts';
import type { Inside } from './apiServer.ts';
import { coreRules } from './coreRules.ts';
import { failures } from './failures.ts';
import { identifiers } from './identifiers.ts';
import type { KindStore } from './kindStore.ts';
import { metadata } from './metadata.ts';
import { objects } from './objects.ts';

/** How often another end is tried for a generated name that is taken. */
const nameAttempts = 8;

const refOf = (given: Json, name: string): ObjectRef => {
  const { namespace } = given;
  return typeof namespace === 'string' ? { namespace, name } : { name };
};

const nameOf = (store: KindStore, given: Json, random: () => number): string => {
  const { name, generateName } = given;
  if (typeof name === 'string' && name !== '') return name;
  if (typeof generateName !== 'string' || generateName === '') return '';
  let made = identifiers.generatedName(generateName, random);
  for (let tried = 1; tried < nameAttempts && store.read(refOf(given, made)) !== undefined; tried += 1) {
    made = identifiers.generatedName(generateName, random);
  }
  return made;
};

const checkNamespace = (inside: Inside, store: KindStore, { namespace, name }: ObjectRef): void => {
  const { resource } = store.kind;
  if (!resource.namespaced) {
    if (namespace !== undefined) throw failures.badRequest('namespace may not be set on a cluster-scoped object');
    return;
  }
  if (!namespace) throw failures.badRequest('an empty namespace may not be set during creation');
  const found = inside.stores.get('namespaces.')?.read({ name: namespace });
  if (found === undefined) throw failures.status(404, 'NotFound', `namespaces "${namespace}" not found`);
  if (found.metadata.deletionTimestamp !== undefined) {
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw failures.forbidden(resource, name, why);
  }
};

/** The `create` of an ApiServer. */
export const createObject =
  (inside: Inside): ApiServer['create'] =>
  (resource, object, actor) => {
    const store = inside.store(resource);
    const given = objects.typed(store, object);
    const wanted = metadata.readable(given);
    if (wanted['resourceVersion']) {
      throw failures.status(500, 'InternalError', 'resourceVersion should not be set on objects to be created');
    }
    const ref = refOf(wanted, nameOf(store, wanted, inside.random));
    checkNamespace(inside, store, ref);
    const meta = metadata.created(store.kind.resource, wanted, {
      name: ref.name,
      uid: identifiers.uid(inside.random),
      creationTimestamp: identifiers.timestamp(inside.now()),
      generation: store.kind.generation === true,
    });
    const { status, ...rest } = given;
    const body = store.kind.status === true || status === undefined ? rest : given;
    const started = coreRules(resource).started?.(body) ?? body;
    const write = { store, operation: 'create', actor, previous: undefined, subresource: undefined } as const;
    const next = admitted(write, objects.assembled(started, meta));
    if (store.read(next.metadata) !== undefined) throw failures.alreadyExists(resource, next.metadata.name);
    return inside.commit(store, { type: 'added', object: next, previous: undefined, actor });
  };
