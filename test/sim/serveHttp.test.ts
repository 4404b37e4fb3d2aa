// The simulated API server over HTTP: the codes and bodies that clients rely on, and the Kubernetes client library
// working against it.
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from '@kubernetes/client-node';
import { afterEach, describe, expect, test } from 'vitest';
import type { ApiServer, Json } from '../../src/sim/cluster.ts';
import { type HttpOptions, type HttpServer, serveHttp } from '../../src/sim/http/serveHttp.ts';
import { at, box, boxes, boxServer, claim, claims, pod, pods } from './apiServerFixtures.ts';

const open: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((http) => http.close()));
});

const serve = async (options: HttpOptions = {}): Promise<{ readonly server: ApiServer; readonly url: string }> => {
  const server = boxServer();
  const http = await serveHttp(server, options);
  open.push(http);
  return { server, url: http.url };
};

const call = async (
  url: string,
  method = 'GET',
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly body: Json }> => {
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const answer = await fetch(url, { method, headers: { 'content-type': 'application/json', ...headers }, ...sent });
  const text = await answer.text();
  return { code: answer.status, body: text === '' ? {} : JSON.parse(text) };
};

const inDefault = '/apis/example.dev/v1/namespaces/default/boxes';

describe('refusals', () => {
  test('carry a Status with code, reason and details', async () => {
    const { url } = await serve();
    expect(await call(`${url}${inDefault}/a`)).toEqual({
      code: 404,
      body: {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'boxes.example.dev "a" not found',
        reason: 'NotFound',
        details: { name: 'a', group: 'example.dev', kind: 'boxes' },
        code: 404,
      },
    });
  });

  test('of an invalid object list each field', async () => {
    const { server, url } = await serve();
    const n = { type: 'integer' };
    const schema = {
      type: 'object',
      properties: { spec: { type: 'object', required: ['b'], properties: { a: n, b: n } } },
    };
    server.register({ resource: boxes, singular: 'box', schema });
    const { code, body } = await call(`${url}${inDefault}`, 'POST', box('a', { a: 'x' }));
    expect(code).toBe(422);
    const [first, second] = [
      { field: 'spec.b', reason: 'FieldValueRequired' },
      { field: 'spec.a', reason: 'FieldValueInvalid' },
    ];
    expect(body).toMatchObject({ reason: 'Invalid', details: { kind: 'Box', name: 'a', causes: [first, second] } });
  });

  test.each([
    ['an unknown kind', 'GET', '/apis/example.dev/v1/crates', undefined, 404],
    ['an unknown version', 'GET', '/apis/example.dev/v2/boxes', undefined, 404],
    ['a method that does not exist', 'PUT', inDefault, {}, 405],
    ['a body that is no JSON', 'POST', inDefault, '{', 400],
    ['a body without kind', 'POST', inDefault, { metadata: { name: 'a' } }, 400],
    ['another namespace than that of the path', 'POST', inDefault, box('a', {}, { namespace: 'kube-system' }), 400],
    ['a selector that cannot be read', 'GET', `${inDefault}?labelSelector=a%20b`, undefined, 400],
    ['a watch with such a selector', 'GET', `${inDefault}?watch=true&labelSelector=a%20b`, undefined, 400],
    ['a subresource that does not exist', 'PUT', `${inDefault}/a/open`, {}, 404],
    ['a dry run', 'POST', `${inDefault}?dryRun=All`, box('a'), 400],
  ])('%s', async (_what, method, path, body, code) => {
    const { url } = await serve();
    const answer = await call(`${url}${path}`, method, body);
    expect(answer).toMatchObject({ code, body: { kind: 'Status', status: 'Failure', code } });
  });

  test('a strategic merge patch is for core kinds only', async () => {
    const { server, url } = await serve();
    server.create(boxes, box('a'), 'user');
    server.create(pods, pod('p'), 'user');
    const headers = { 'content-type': 'application/strategic-merge-patch+json' };
    expect((await call(`${url}${inDefault}/a`, 'PATCH', {}, headers)).code).toBe(415);
    const containers = [{ name: 'main', image: 'registry.example/main:2' }];
    const { body } = await call(`${url}/api/v1/namespaces/default/pods/p`, 'PATCH', { spec: { containers } }, headers);
    expect(body['spec']).toMatchObject({ containers });
  });

  test('a wrong token is answered 401', async () => {
    const { url } = await serve({ token: 'secret' });
    const asked = (token: string) => call(`${url}${inDefault}`, 'GET', undefined, { authorization: `Bearer ${token}` });
    expect(await call(`${url}${inDefault}`)).toMatchObject({ code: 401, body: { reason: 'Unauthorized' } });
    expect((await asked('wrong')).code).toBe(401);
    expect((await asked('secret')).code).toBe(200);
  });

  test('a right that is lacking is answered 403, with what was asked for', async () => {
    const { server, url } = await serve({ forbid: ({ plural }, verb) => plural === 'boxes' && verb === 'delete' });
    server.create(boxes, box('a'), 'user');
    const { code, body } = await call(`${url}${inDefault}/a`, 'DELETE');
    expect([code, body['reason']]).toEqual([403, 'Forbidden']);
    expect(body['message']).toContain('boxes.example.dev "a" is forbidden: User "');
    expect(body['message']).toContain(
      'cannot delete resource "boxes" in API group "example.dev" in the namespace "default"',
    );
    expect((await call(`${url}${inDefault}/a`)).code).toBe(200);
  });

  test('a custom resource is replaced only with the version that was read', async () => {
    const { server, url } = await serve();
    server.register({
      resource: boxes,
      singular: 'box',
      schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    });
    server.create(boxes, box('a'), 'user');
    const { code, body } = await call(`${url}${inDefault}/a`, 'PUT', box('a', { size: 1 }));
    expect(code).toBe(422);
    expect(body['message']).toContain('metadata.resourceVersion: Invalid value: 0x0: must be specified for an update');
  });
});

describe('answers', () => {
  test('an action on a subresource is answered 202', async () => {
    const { server, url } = await serve();
    const calls: unknown[] = [];
    server.subresource('sub.example.dev', 'boxes', 'open', (ref, body) => calls.push(ref, body));
    const { code } = await call(`${url}/apis/sub.example.dev/v1/namespaces/default/boxes/a/open`, 'PUT', {
      wide: true,
    });
    expect([code, calls]).toEqual([202, [at('a'), { wide: true }]]);
  });

  test('a deletion that is waited for gives the object, one that is done a Status', async () => {
    const { server, url } = await serve();
    server.create(boxes, box('a'), 'user');
    server.create(boxes, box('b', {}, { finalizers: ['example.dev/x'] }), 'user');
    expect(await call(`${url}${inDefault}/a`, 'DELETE')).toMatchObject({
      code: 200,
      body: { kind: 'Status', status: 'Success' },
    });
    expect(await call(`${url}${inDefault}/b`, 'DELETE')).toMatchObject({ code: 200, body: { kind: 'Box' } });
  });

  test('a deletion holds to its preconditions', async () => {
    const { server, url } = await serve();
    const { uid, resourceVersion } = server.create(boxes, box('a'), 'user').metadata;
    const remove = (preconditions: Json) => call(`${url}${inDefault}/a`, 'DELETE', { preconditions });
    expect((await remove({ uid: 'other' })).code).toBe(409);
    expect((await remove({ uid, resourceVersion: '1' })).code).toBe(409);
    expect((await remove({ uid, resourceVersion })).code).toBe(200);
  });

  test('all objects that are selected are deleted at once', async () => {
    const { server, url } = await serve();
    for (const name of ['a', 'b']) server.create(boxes, box(name, {}, { labels: { name } }), 'user');
    await call(`${url}${inDefault}?labelSelector=name%3Db`, 'DELETE');
    expect(server.all(boxes).map(({ metadata }) => metadata.name)).toEqual(['a']);
  });

  test('an apply patch may be YAML', async () => {
    const { server, url } = await serve();
    const body = 'apiVersion: example.dev/v1\nkind: Box\nmetadata: {name: a}\nspec: {size: 3}\n';
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    expect((await call(`${url}${inDefault}/a?fieldManager=me`, 'PATCH', body, headers)).code).toBe(201);
    expect(server.read(boxes, at('a'))?.['spec']).toEqual({ size: 3 });
  });

  test('a table has the columns of its kind', async () => {
    const { server, url } = await serve();
    server.create(claims, claim('c', { storageClassName: 'fast', volumeName: 'pv-1' }), 'user');
    const status = { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany'] };
    server.patch(claims, at('c'), { type: 'merge', body: { status } }, 'user', { subresource: 'status' });
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const { body } = await call(`${url}/api/v1/persistentvolumeclaims`, 'GET', undefined, { accept });
    expect(body).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      columnDefinitions: [
        'Name',
        'Status',
        'Volume',
        'Capacity',
        'Access Modes',
        'StorageClass',
        'Age',
        'VolumeMode',
      ].map((name) => ({ name })),
      rows: [
        {
          cells: ['c', 'Bound', 'pv-1', '1Gi', 'RWX', 'fast', /^\d+s$/, 'Filesystem'].map((cell) =>
            cell instanceof RegExp ? expect.stringMatching(cell) : cell,
          ),
        },
      ],
    });
  });
});

describe('the client library', () => {
  const config = (url: string): KubeConfig => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromOptions({
      clusters: [{ name: 'simulated', server: url, skipTLSVerify: true }],
      users: [{ name: 'user' }],
      contexts: [{ name: 'simulated', cluster: 'simulated', user: 'user' }],
      currentContext: 'simulated',
    });
    return kubeConfig;
  };
  const where = { group: 'example.dev', version: 'v1', namespace: 'default', plural: 'boxes' };

  test('creates, reads, lists in pages, patches and deletes', async () => {
    const { server, url } = await serve();
    const api = config(url).makeApiClient(CustomObjectsApi);
    for (const name of ['a', 'b', 'c'])
      await api.createNamespacedCustomObject({ ...where, body: box(name, { size: 1 }) });
    const first = await api.listNamespacedCustomObject({ ...where, limit: 2 });
    const second = await api.listNamespacedCustomObject({
      ...where,
      _continue: first.metadata._continue ?? first.metadata.continue,
    });
    expect([first, second].map(({ items }) => items.length)).toEqual([2, 1]);
    const body = { spec: { size: 2 } };
    await api.patchNamespacedCustomObject(
      { ...where, name: 'a', body },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    expect(await api.getNamespacedCustomObject({ ...where, name: 'a' })).toMatchObject({ spec: { size: 2 } });
    await api.deleteNamespacedCustomObject({ ...where, name: 'a' });
    expect(server.read(boxes, at('a'))).toBeUndefined();
    await expect(api.getNamespacedCustomObject({ ...where, name: 'a' })).rejects.toMatchObject({ code: 404 });
  });

  test('reads core objects', async () => {
    const { server, url } = await serve();
    server.create(pods, pod('p'), 'user');
    const { items } = await config(url).makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'default' });
    expect(items.map(({ metadata, status }) => [metadata?.name, status?.phase])).toEqual([['p', 'Pending']]);
  });

  test('watches from a version, and a watch ends when its time is up', async () => {
    const { server, url } = await serve();
    const { resourceVersion } = server.list(boxes, {});
    server.create(boxes, box('a'), 'user');
    const seen: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const watch = new Watch(config(url));
      const said = (type: string, object: { metadata: { name: string } }): void => {
        seen.push(`${type} ${object.metadata.name}`);
        if (seen.length === 1) server.remove(boxes, at('a'), 'user');
      };
      watch
        .watch('/apis/example.dev/v1/boxes', { resourceVersion, timeoutSeconds: 1 }, said, () => resolve())
        .catch(reject);
    });
    expect(seen).toEqual(['ADDED a', 'DELETED a']);
  });

  test('is sent bookmarks only when it asks for them', async () => {
    const server = boxServer({ bookmarkMs: 1 });
    const http = await serveHttp(server);
    open.push(http);
    const { resourceVersion } = server.list(boxes, {});
    const lines = async (query: string): Promise<readonly string[]> => {
      const path = `/apis/example.dev/v1/boxes?watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}${query}`;
      return (await (await fetch(`${http.url}${path}`)).text()).split('\n').filter((line) => line !== '');
    };
    const [asked, unasked] = await Promise.all([lines('&allowWatchBookmarks=true'), lines('')]);
    expect(JSON.parse(asked[0] ?? '')).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'Box', apiVersion: 'example.dev/v1', metadata: { resourceVersion } },
    });
    expect(unasked).toEqual([]);
  });

  test('is told inside the stream when its version is too old', async () => {
    const server = boxServer({ historyLimit: 10 });
    const http = await serveHttp(server);
    open.push(http);
    for (let n = 0; n < 100; n += 1) server.create(boxes, box(`b${n}`), 'user');
    const answer = await fetch(`${http.url}/apis/example.dev/v1/boxes?watch=true&resourceVersion=5`);
    expect(answer.status).toBe(200);
    expect(JSON.parse(await answer.text())).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired' },
    });
  });
});
