// Requests about resources: each verb and path of the Kubernetes API becomes one call of the ApiServer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KubeObject, ObjectRef, PatchOptions } from '../../kube/api.ts';
import { failures } from '../apiServer/failures.ts';
import { json } from '../apiServer/json.ts';
import type { ApiServer, Json, KindOptions } from '../cluster.ts';
import { answerLog } from './answerLog.ts';
import { answerWatch } from './answerWatch.ts';
import { patchObject } from './patchObject.ts';
import { type Body, readBody } from './readBody.ts';
import type { Route } from './route.ts';
import { type TableOptions, tableOf } from './table.ts';

export interface ResourceRequest {
  readonly server: ApiServer;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly query: URLSearchParams;
  readonly actor: string;
}

/** A code and a body; undefined when the answer was streamed. */
export type Answer = { readonly code: number; readonly body: unknown } | undefined;

const methodNotAllowed = () =>
  failures.status(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');

const apiVersionOf = ({ resource }: KindOptions): string =>
  resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;

/** What the client accepts first decides: a table in one of two versions, or the objects. */
const tableOptions = ({ request, query }: ResourceRequest): TableOptions | undefined => {
  const [first = ''] = (request.headers.accept ?? '').split(',');
  const [, version] = /;\s*v=(v1|v1beta1)/.exec(first) ?? [];
  if (!/;\s*as=Table/.test(first) || version === undefined) return undefined;
  const asked = query.get('includeObject');
  const includeObject = asked === 'None' || asked === 'Object' ? asked : 'Metadata';
  return { apiVersion: `meta.k8s.io/${version}`, includeObject };
};

const given = (query: URLSearchParams, name: string): Json => {
  const value = query.get(name);
  return value === null || value === '' ? {} : { [name]: value };
};

const selectorsOf = (query: URLSearchParams): { labelSelector?: string; fieldSelector?: string } => ({
  ...given(query, 'labelSelector'),
  ...given(query, 'fieldSelector'),
});

const inNamespace = ({ route }: ResourceRequest): { namespace?: string } =>
  route.namespace === undefined ? {} : { namespace: route.namespace };

const list = (about: ResourceRequest, kind: KindOptions): Answer => {
  const { server, query } = about;
  const limit = Number(query.get('limit') ?? 0);
  const page = server.list(kind.resource, {
    ...inNamespace(about),
    ...selectorsOf(query),
    ...given(query, 'continue'),
    ...(limit > 0 ? { limit } : {}),
  });
  const metadata = {
    resourceVersion: page.resourceVersion,
    ...(page.continue === undefined ? {} : { continue: page.continue }),
  };
  const table = tableOptions(about);
  if (table !== undefined) return { code: 200, body: tableOf(kind, table)(page.items, server.now(), metadata) };
  const head = { kind: `${kind.resource.kind}List`, apiVersion: apiVersionOf(kind), metadata };
  return { code: 200, body: { ...head, items: page.items } };
};

const shown = (about: ResourceRequest, kind: KindOptions, object: KubeObject, code = 200): Answer => {
  const table = tableOptions(about);
  if (table === undefined) return { code, body: object };
  const metadata = { resourceVersion: object.metadata.resourceVersion };
  return { code, body: tableOf(kind, table)([object], about.server.now(), metadata) };
};

const bodyObject = (body: Body): KubeObject => {
  if (!json.isObject(body.value)) throw failures.badRequest('the body must be an object');
  return body.value as unknown as KubeObject;
};

/** The object with the namespace of the path, which the body may leave out but not contradict. */
const placed = (about: ResourceRequest, object: KubeObject): KubeObject => {
  const { namespace } = about.route;
  const meta = json.object(object.metadata);
  if (namespace === undefined) return object;
  if (meta['namespace'] !== undefined && meta['namespace'] !== namespace) {
    const why = 'the namespace of the provided object does not match the namespace sent on the request';
    throw failures.badRequest(why);
  }
  return { ...object, metadata: { ...object.metadata, namespace } };
};

const refOf = (about: ResourceRequest, name: string): ObjectRef => ({ ...inNamespace(about), name });

const existing = (about: ResourceRequest, kind: KindOptions, name: string): KubeObject => {
  const object = about.server.read(kind.resource, refOf(about, name));
  if (object === undefined) throw failures.notFound(kind.resource, name);
  return object;
};

const removal = (body: Body, query: URLSearchParams) => {
  const asked = json.object(body.value);
  const grace =
    asked['gracePeriodSeconds'] ??
    (query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined);
  const { uid, resourceVersion } = json.object(asked['preconditions']);
  return {
    resourceVersion,
    options: {
      ...(typeof uid === 'string' ? { uid } : {}),
      ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    },
  };
};

const removed = (about: ResourceRequest, kind: KindOptions, name: string, body: Body): Answer => {
  const { server, query, actor } = about;
  const before = existing(about, kind, name);
  const { options, resourceVersion } = removal(body, query);
  if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${before.metadata.resourceVersion}). The object might have been modified`;
    throw failures.conflict(kind.resource, name, why);
  }
  server.remove(kind.resource, refOf(about, name), actor, options);
  const left = server.read(kind.resource, refOf(about, name));
  if (left !== undefined) return shown(about, kind, left);
  const { group, plural } = kind.resource;
  const details = { name, ...(group === '' ? {} : { group }), kind: plural, uid: before.metadata.uid };
  return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
};

const removedAll = (about: ResourceRequest, kind: KindOptions, body: Body): Answer => {
  const { server, query, actor } = about;
  const page = server.list(kind.resource, { ...inNamespace(about), ...selectorsOf(query) });
  const { options } = removal(body, query);
  for (const { metadata } of page.items) server.remove(kind.resource, metadata, actor, options);
  const metadata = { resourceVersion: page.resourceVersion };
  return {
    code: 200,
    body: { kind: `${kind.resource.kind}List`, apiVersion: apiVersionOf(kind), metadata, items: page.items },
  };
};

const replaced = (
  about: ResourceRequest,
  kind: KindOptions,
  name: string,
  body: Body,
  options: PatchOptions,
): Answer => {
  const object = placed(about, bodyObject(body));
  const { metadata } = object;
  if (json.object(metadata)['name'] !== name) {
    throw failures.badRequest(
      `the name of the object (${metadata?.name}) does not match the name on the URL (${name})`,
    );
  }
  if (kind.schema !== undefined && !metadata.resourceVersion) {
    const why = 'metadata.resourceVersion: Invalid value: 0x0: must be specified for an update';
    throw failures.invalid(kind.resource, name, [why]);
  }
  return shown(about, kind, about.server.replace(kind.resource, object, about.actor, options));
};

const onCollection = async (about: ResourceRequest, kind: KindOptions): Promise<Answer> => {
  const { server, request, response, route, query, actor } = about;
  switch (request.method) {
    case 'GET':
      if (query.get('watch') !== 'true' && query.get('watch') !== '1') return list(about, kind);
      answerWatch(server, kind, route.namespace, selectorsOf(query), query, tableOptions(about), response);
      return undefined;
    case 'POST': {
      const object = placed(about, bodyObject(await readBody(request)));
      return shown(about, kind, server.create(kind.resource, object, actor), 201);
    }
    case 'DELETE':
      return removedAll(about, kind, await readBody(request));
    default:
      throw methodNotAllowed();
  }
};

const onObject = async (
  about: ResourceRequest,
  kind: KindOptions,
  name: string,
  options: PatchOptions,
): Promise<Answer> => {
  const { server, request, query, actor } = about;
  if (request.method === 'GET') return shown(about, kind, existing(about, kind, name));
  const body = await readBody(request);
  switch (request.method) {
    case 'PUT':
      return replaced(about, kind, name, body, options);
    case 'PATCH': {
      const ref = refOf(about, name);
      const isNew = server.read(kind.resource, ref) === undefined;
      return shown(about, kind, patchObject(server, kind, ref, body, query, actor, options), isNew ? 201 : 200);
    }
    case 'DELETE':
      if (options.subresource === undefined) return removed(about, kind, name, body);
      throw methodNotAllowed();
    default:
      throw methodNotAllowed();
  }
};

/** Carries out a request about a resource and gives its answer; throws a KubeFailure when it is refused. */
export const answerResource = async (about: ResourceRequest): Promise<Answer> => {
  const { server, request, route, query, actor } = about;
  const { kind, name, subresource } = route;
  if (query.has('dryRun')) throw failures.badRequest('dry runs are not supported by the simulated API server');
  if (name !== undefined && subresource === 'log' && kind?.resource.kind === 'Pod' && request.method === 'GET') {
    answerLog(server, refOf(about, name), query, about.response);
    return undefined;
  }
  if (name !== undefined && subresource !== undefined && subresource !== 'status') {
    if (request.method !== 'PUT' && request.method !== 'POST') throw methodNotAllowed();
    const body = json.object((await readBody(request)).value);
    server.call(route.group, route.plural, subresource, refOf(about, name), body, actor);
    return { code: 202, body: undefined };
  }
  if (kind === undefined) throw failures.noSuchKind();
  if (kind.resource.namespaced && route.namespace === undefined && (name !== undefined || request.method === 'POST')) {
    throw failures.noSuchKind();
  }
  if (name === undefined) return onCollection(about, kind);
  if (subresource === 'status' && kind.status !== true) throw failures.noSuchKind();
  return onObject(about, kind, name, subresource === 'status' ? { subresource } : {});
};
