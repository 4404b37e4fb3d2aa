// The real client against a small server on loopback: what it sends, over which connections, and what it makes of answers.
// Nothing is sent before it is subscribed.
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import { client, pod, serve, web } from './clientFixtures.ts';
import { json } from './loopback.ts';

describe('connect, requests', () => {
  test('lists a page and says of each item what it is', async () => {
    const { metadata } = pod('a');
    const server = await serve((_request, response) =>
      json(response, 200, {
        kind: 'PodList',
        metadata: { resourceVersion: '99', continue: 'more' },
        items: [{ metadata }],
      }),
    );
    const page = await firstValueFrom(
      client(server.url).list(resources.pods, {
        namespace: 'shop',
        labelSelector: 'a=b',
        limit: 5,
        continue: 'token/+',
      }),
    );
    expect(page).toStrictEqual({
      resourceVersion: '99',
      continue: 'more',
      items: [{ metadata, apiVersion: 'v1', kind: 'Pod' }],
    });
    expect(server.received[0]).toMatchObject({
      method: 'GET',
      path: '/api/v1/namespaces/shop/pods',
      query: { labelSelector: 'a=b', limit: '5', continue: 'token/+' },
    });
  });

  test('lists every namespace when none is given, below the path that the server has behind a gateway', async () => {
    const server = await serve((_request, response) =>
      json(response, 200, { metadata: { resourceVersion: '1' }, items: [] }),
    );
    await firstValueFrom(client(`${server.url}/k8s/clusters/c-1`).list(resources.virtualMachines, {}));
    expect(server.received[0]?.path).toBe('/k8s/clusters/c-1/apis/kubevirt.io/v1/virtualmachines');
  });

  test.each([
    ['json', { type: 'json', operations: [{ op: 'remove', path: '/a' }] }, 'application/json-patch+json', {}],
    ['merge', { type: 'merge', body: { a: 1 } }, 'application/merge-patch+json', {}],
    [
      'apply',
      { type: 'apply', body: { a: 1 }, fieldManager: 'me', force: true },
      'application/apply-patch+yaml',
      { fieldManager: 'me', force: 'true' },
    ],
  ] as const)(
    'sends a %s patch as what it is, and lets the server give up before we do',
    async (_name, patch, type, query) => {
      const server = await serve((_request, response) => json(response, 200, pod('web-1')));
      const connection = client(server.url, { requestTimeoutMs: 10_000 });
      const patched = await firstValueFrom(
        connection.patch(resources.storageMigrations, web, patch, { subresource: 'status' }),
      );
      expect(patched).toStrictEqual(pod('web-1'));
      expect(server.received[0]).toMatchObject({
        method: 'PATCH',
        path: '/apis/transship.dev/v1alpha1/namespaces/shop/storagemigrations/web-1/status',
        query: { timeout: '9000ms', fieldManager: 'transship', ...query },
        headers: { 'content-type': type },
        body: patch.type === 'json' ? patch.operations : patch.body,
      });
    },
  );

  test('creates an object, reads it, and deletes it only with the uid it was given', async () => {
    const server = await serve((_request, response) => json(response, 200, pod('web-1')));
    const connection = client(server.url);
    await firstValueFrom(connection.create(resources.pods, pod('web-1')));
    await firstValueFrom(connection.get(resources.pods, web));
    await firstValueFrom(connection.remove(resources.pods, web, { uid: 'u-1', gracePeriodSeconds: 0 }));
    expect(server.received.map(({ method, path }) => `${method} ${path}`)).toStrictEqual([
      'POST /api/v1/namespaces/shop/pods',
      'GET /api/v1/namespaces/shop/pods/web-1',
      'DELETE /api/v1/namespaces/shop/pods/web-1',
    ]);
    expect(server.received[0]?.body).toStrictEqual(pod('web-1'));
    expect(server.received[2]?.body).toMatchObject({ preconditions: { uid: 'u-1' }, gracePeriodSeconds: 0 });
  });

  test('sends nothing before it is subscribed, and again for each subscription', async () => {
    const server = await serve((_request, response) => json(response, 200, pod('web-1')));
    const get = client(server.url).get(resources.pods, web);
    expect(server.received).toHaveLength(0);
    await firstValueFrom(get);
    await firstValueFrom(get);
    expect(server.received).toHaveLength(2);
  });

  test('shares its connections: 50 patches need no more than 2', async () => {
    const server = await serve((_request, response) => json(response, 200, pod('web-1')));
    const connection = client(server.url);
    for (let count = 0; count < 50; count++) {
      await firstValueFrom(connection.patch(resources.pods, web, { type: 'merge', body: {} }));
    }
    expect(server.received).toHaveLength(50);
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('makes no more connections than it may, however much is asked at once', async () => {
    const server = await serve((_request, response) => json(response, 200, pod('web-1')));
    const connection = client(server.url, { maxConnections: 3 });
    await Promise.all(Array.from({ length: 40 }, () => firstValueFrom(connection.get(resources.pods, web))));
    expect(server.connections()).toBeLessThanOrEqual(3);
  });

  test.each([
    ['a token', { token: 'secret' }, 'Bearer secret'],
    ['name and password', { username: 'me', password: 'pass' }, `Basic ${Buffer.from('me:pass').toString('base64')}`],
  ])('presents %s', async (_name, user, expected) => {
    const server = await serve((_request, response) => json(response, 200, pod('web-1')));
    await firstValueFrom(client(server.url, {}, user).get(resources.pods, web));
    expect(server.received[0]?.headers.authorization).toBe(expected);
  });

  test('goes through the proxy that the kubeconfig names', async () => {
    const proxy = await serve((_request, response) => json(response, 200, pod('web-1')));
    const connection = client('http://cluster.invalid', {}, {}, { proxyUrl: proxy.url });
    await firstValueFrom(connection.get(resources.pods, web));
    expect(proxy.received[0]?.headers.host).toBe('cluster.invalid');
  });
});
