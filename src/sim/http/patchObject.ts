// PATCH: the four content types. Strategic merge is for the core kinds only, as on a real server, and is done as a
// replacement guarded by the version it was made from.
import type { JsonPatchOperation, KubeFailure, KubeObject, ObjectRef, PatchOptions } from '../../kube/api.ts';
import { failures } from '../apiServer/failures.ts';
import type { ApiServer, KindOptions } from '../cluster.ts';
import type { Body } from './readBody.ts';
import { strategicMerge } from './strategicMerge.ts';

const builtIn = new Set([
  '',
  'apps',
  'events.k8s.io',
  'coordination.k8s.io',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'apiextensions.k8s.io',
]);

const accepted = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];

const unsupported = (): KubeFailure =>
  failures.status(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

/** Carries out a PATCH request and gives the object as it is then. */
export const patchObject = (
  server: ApiServer,
  { resource }: KindOptions,
  ref: ObjectRef,
  body: Body,
  query: URLSearchParams,
  actor: string,
  options: PatchOptions,
): KubeObject => {
  switch (body.contentType) {
    case 'application/json-patch+json': {
      if (!Array.isArray(body.value)) throw failures.badRequest('a JSON patch must be a list of operations');
      const operations = body.value as readonly JsonPatchOperation[];
      return server.patch(resource, ref, { type: 'json', operations }, actor, options);
    }
    case 'application/merge-patch+json':
      return server.patch(resource, ref, { type: 'merge', body: body.value }, actor, options);
    case 'application/apply-patch+yaml': {
      const fieldManager = query.get('fieldManager') ?? '';
      const force = query.get('force') === 'true';
      return server.patch(resource, ref, { type: 'apply', body: body.value, fieldManager, force }, actor, options);
    }
    case 'application/strategic-merge-patch+json': {
      if (!builtIn.has(resource.group)) throw unsupported();
      const current = server.read(resource, ref);
      if (current === undefined) throw failures.notFound(resource, ref.name);
      const merged = strategicMerge(current, body.value) as KubeObject;
      return server.replace(resource, merged, actor, options);
    }
    default:
      throw unsupported();
  }
};
