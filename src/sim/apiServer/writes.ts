// The writes of the API server: create, replace, the three patches, remove. Each is checked in the order of a real
// server (is it there, is it the version that was meant, shape, admission, validation) and either accepted as a whole
// or refused by a KubeFailure. A write that changes nothing gets no new version and is told to nobody.
import type { PatchOptions } from '../../kube/api.ts';
import type { ApiServer } from '../cluster.ts';
import type { Inside } from './apiServer.ts';
import { applyObject } from './applyObject.ts';
import { createObject } from './createObject.ts';
import { failures } from './failures.ts';
import { json } from './json.ts';
import { jsonPatch } from './jsonPatch.ts';
import { mergePatch } from './mergePatch.ts';
import { objects } from './objects.ts';
import { removeObject } from './removeObject.ts';
import { updateObject } from './updateObject.ts';

/** The writing half of an ApiServer, and reading single objects. */
export const writes = (inside: Inside): Pick<ApiServer, 'read' | 'all' | 'create' | 'replace' | 'patch' | 'remove'> => {
  const create = createObject(inside);
  const update = updateObject(inside);
  const apply = applyObject(inside, create, update);

  const patch: ApiServer['patch'] = (resource, ref, given, actor, { subresource }: PatchOptions = {}) => {
    const store = inside.store(resource);
    if (given.type === 'apply') return apply({ store, ref, patch: given, actor, subresource });
    const current = objects.existing(store, ref);
    if (given.type === 'merge' && !json.isObject(given.body)) {
      throw failures.badRequest('a merge patch must be an object');
    }
    const made =
      given.type === 'merge'
        ? mergePatch(current, given.body)
        : jsonPatch(
            current,
            given.operations.map((operation) => ({ ...operation })),
          );
    return update({ store, current, made, actor, subresource });
  };

  return {
    read: (resource, ref) => inside.store(resource).read(ref),
    all: (resource, namespace) => inside.store(resource).all(namespace),
    create,
    replace: (resource, object, actor, { subresource }: PatchOptions = {}) => {
      const store = inside.store(resource);
      const current = objects.existing(store, object.metadata);
      return update({ store, current, made: object, actor, subresource });
    },
    patch,
    remove: removeObject(inside),
  };
};
