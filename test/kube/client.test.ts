// The real client against a small server on loopback: what it sends, what it makes of answers, failures and watches, and
// whom it trusts. What nobody can know of a request stays unknown.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, lastValueFrom, config as rxjsConfig, toArray } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { KubeFailure, type KubeObject, type WatchEvent } from '../../src/kube/api.ts';
import { type Connection, connect } from '../../src/kube/client.ts';
import type { ConnectOptions } from '../../src/kube/clientSend.ts';
import { resources } from '../../src/kube/resources.ts';
import { type Answer, json, kubeConfigFor, type Loopback, loopback } from './loopback.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const serve = async (answer: Answer): Promise<Loopback> => {
  const server = await loopback(answer);
  cleanUp.push(server.stop);
  return server;
};

const client = (url: string, options: Partial<ConnectOptions> = {}, user = {}, cluster = {}): Connection => {
  const connection = connect(kubeConfigFor(url, user, cluster), options);
  cleanUp.push(connection.close);
  return connection;
};

const pod = (name: string, version = '7'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: version },
});

const failureOf = async (promise: Promise<unknown>): Promise<KubeFailure> => {
  const outcome = await promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );
  if (!(outcome instanceof KubeFailure)) throw new Error(`Expected a KubeFailure, got ${String(outcome)}`);
  return outcome;
};

const watchOptions = { resourceVersion: '10', timeoutSeconds: 300 };
const web = { namespace: 'shop', name: 'web-1' };

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

describe('connect, failures', () => {
  const status =
    (code: number, reason: string, more = {}): Answer =>
    (_request, response) =>
      json(response, code, { kind: 'Status', code, reason, message: `it is ${reason}`, ...more });

  const patchFailure = async (answer: Answer, options: Partial<ConnectOptions> = {}): Promise<KubeFailure> => {
    const server = await serve(answer);
    const patch = client(server.url, options).patch(resources.virtualMachines, web, { type: 'merge', body: {} });
    return failureOf(firstValueFrom(patch));
  };

  test('says what was asked of whom, and what the server said', async () => {
    const failure = await patchFailure(status(409, 'Conflict'));
    expect(failure).toMatchObject({ kind: 'status', code: 409, reason: 'Conflict', retryAfterSeconds: undefined });
    expect(failure.message).toMatch(
      /^patch virtualmachines shop\/web-1 at http:\/\/127\.0\.0\.1:\d+: answered 409 Conflict: it is Conflict$/,
    );
  });

  test('passes on how long the server asks to wait', async () => {
    const byHeader = await patchFailure((_request, response) => {
      response.setHeader('retry-after', '7');
      json(response, 429, { kind: 'Status', reason: 'TooManyRequests' });
    });
    expect(byHeader).toMatchObject({ code: 429, retryAfterSeconds: 7 });
    const byBody = await patchFailure(status(503, 'ServiceUnavailable', { details: { retryAfterSeconds: 3 } }));
    expect(byBody).toMatchObject({ code: 503, retryAfterSeconds: 3 });
  });

  test('says which permission is missing', async () => {
    const failure = await patchFailure(status(403, 'Forbidden'));
    expect(failure.message).toContain('grant verb patch on virtualmachines in API group kubevirt.io');
  });

  test('says that the credentials are not accepted', async () => {
    expect((await patchFailure(status(401, 'Unauthorized'))).message).toContain('check token or client certificate');
  });

  test('says which CRD is missing when a list is not found, and nothing of that for an object that is not there', async () => {
    const server = await serve((_request, response) => response.writeHead(404).end('404 page not found\n'));
    const listed = await failureOf(firstValueFrom(client(server.url).list(resources.storageMigrations, {})));
    expect(listed).toMatchObject({ kind: 'status', code: 404 });
    expect(listed.message).toContain(
      'CRD storagemigrations.transship.dev is not installed, or not in version v1alpha1',
    );
    expect((await patchFailure(status(404, 'NotFound'))).message).not.toContain('CRD');
  });

  test('reads the words of a proxy that does not speak Kubernetes', async () => {
    const failure = await patchFailure((_request, response) => response.writeHead(502).end('<h1>Bad Gateway</h1>'));
    expect(failure).toMatchObject({ kind: 'status', code: 502, reason: '' });
    expect(failure.message).toContain('Bad Gateway');
  });

  test('does not know the outcome when the answer cannot be read', async () => {
    expect(await patchFailure((_request, response) => response.end('<html>'))).toMatchObject({ kind: 'unknown' });
    expect(await patchFailure((_request, response) => response.end('[]'))).toMatchObject({ kind: 'unknown' });
  });

  test('does not know the outcome when no answer comes in time', async () => {
    const failure = await patchFailure(() => undefined, { requestTimeoutMs: 50 });
    expect(failure.kind).toBe('unknown');
    expect(failure.message).toContain('no answer within 50 ms');
  });

  test('does not know the outcome when the connection breaks before or in the middle of the answer', async () => {
    expect(await patchFailure((_request, response) => response.destroy())).toMatchObject({ kind: 'unknown' });
    const half: Answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"metadata":', () => response.destroy());
    };
    expect(await patchFailure(half)).toMatchObject({ kind: 'unknown' });
  });

  test('knows that nothing was changed when nobody listens', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const address = closed.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await new Promise((resolve) => closed.close(resolve));
    const failure = await failureOf(firstValueFrom(client(`http://127.0.0.1:${port}`).get(resources.pods, web)));
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toContain('nothing listens there');
  });

  test('knows that nothing was changed by a request that never got a connection, and does not send it afterwards', async () => {
    let arrived: () => void = () => undefined;
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await serve((request, response) => {
      if (request.path.endsWith('/pods')) arrived();
      else json(response, 200, pod('web-1'));
    });
    const connection = client(server.url, { maxConnections: 1, requestTimeoutMs: 80 });
    const blocker = connection.list(resources.pods, {}).subscribe();
    await there;
    const patch = connection.patch(resources.pods, { ...web, name: 'queued' }, { type: 'merge', body: {} });
    const failure = await failureOf(firstValueFrom(patch));
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toContain('no connection within 80 ms');
    blocker.unsubscribe();
    await firstValueFrom(client(server.url).get(resources.pods, web));
    await connection.close();
    expect(server.received.map(({ path }) => path.split('/').at(-1))).toStrictEqual(['pods', 'web-1']);
  });

  test('aborts the request when it is unsubscribed', async () => {
    let aborted: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    let arrived: () => void = () => undefined;
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await serve((_request, response) => {
      response.on('close', aborted);
      arrived();
    });
    const subscription = client(server.url).get(resources.pods, web).subscribe();
    await there;
    subscription.unsubscribe();
    await gone;
  });

  test('names the file when credentials cannot be read', async () => {
    const server = await serve(status(500, 'InternalError'));
    const connection = client(server.url, {}, { certFile: '/nowhere/client.crt', keyFile: '/nowhere/client.key' });
    const failure = await failureOf(firstValueFrom(connection.get(resources.pods, web)));
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toContain('/nowhere/client.crt');
    expect(server.received).toHaveLength(0);
  });
});

describe('connect, watches', () => {
  const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
  const agreed: WatchEvent = { type: 'bookmark', resourceVersion: watchOptions.resourceVersion };
  const all = (connection: Connection): Promise<WatchEvent[]> =>
    lastValueFrom(connection.watch(resources.pods, watchOptions).pipe(toArray()));

  test('cuts what comes into events, wherever the chunks end', async () => {
    const named = pod('kühlschrank-😀');
    const bytes = Buffer.from(
      line('ADDED', named) +
        line('MODIFIED', pod('b', '8')) +
        line('SOMETHING_NEW', {}) +
        line('DELETED', pod('b', '9')) +
        line('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '20' } }),
    );
    const server = await serve((_request, response) => {
      const next = (at: number): void => {
        if (at >= bytes.length) response.end();
        else response.write(bytes.subarray(at, at + 7), () => setImmediate(next, at + 7));
      };
      next(0);
    });
    expect(await all(client(server.url))).toStrictEqual([
      agreed,
      { type: 'added', object: named },
      { type: 'modified', object: pod('b', '8') },
      { type: 'deleted', object: pod('b', '9') },
      { type: 'bookmark', resourceVersion: '20' },
    ]);
    expect(server.received[0]?.query).toStrictEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '10',
      timeoutSeconds: '300',
    });
  });

  test('passes on a Status in the stream, and one instead of the stream', async () => {
    const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
    const inside = await serve((_request, response) => response.end(line('ERROR', gone)));
    const [first, event] = await all(client(inside.url));
    expect(first).toStrictEqual(agreed);
    expect(event).toMatchObject({ type: 'error', failure: { kind: 'status', code: 410, reason: 'Expired' } });
    const instead = await serve((_request, response) => json(response, 410, gone));
    expect(await failureOf(all(client(instead.url)))).toMatchObject({ kind: 'status', code: 410, reason: 'Expired' });
  });

  test('fails on a line that is not JSON, and names the kind', async () => {
    const server = await serve((_request, response) => response.end(`${line('ADDED', pod('a'))}<html>\n`));
    const failure = await failureOf(all(client(server.url)));
    expect(failure.kind).toBe('unknown');
    expect(failure.message).toContain('watch pods');
    expect(failure.message).toContain('not JSON: <html>');
  });

  test('fails when it is cut, after everything that came before', async () => {
    const server = await serve((_request, response) => {
      response.write(line('ADDED', pod('a')), () => response.destroy());
    });
    const events: WatchEvent[] = [];
    const failure = await failureOf(
      new Promise((resolve, reject) => {
        client(server.url)
          .watch(resources.pods, watchOptions)
          .subscribe({ next: (event) => events.push(event), error: reject, complete: () => resolve('end') });
      }),
    );
    expect(failure.kind).toBe('unknown');
    expect(events).toStrictEqual([agreed, { type: 'added', object: pod('a') }]);
  });

  test('says that the server has agreed, before anything happens', async () => {
    const server = await serve((_request, response) => response.writeHead(200).flushHeaders());
    expect(await firstValueFrom(client(server.url).watch(resources.pods, watchOptions))).toStrictEqual(agreed);
  });

  test('fails on a line longer than it may be', async () => {
    const server = await serve((_request, response) => response.end('x'.repeat(5000)));
    const failure = await failureOf(all(client(server.url, { maxAnswerBytes: 1000 })));
    expect(failure.message).toContain('too long');
  });

  test('does not swallow what a consumer throws', async () => {
    const server = await serve((_request, response) => response.end(line('ADDED', pod('a'))));
    const before = rxjsConfig.onUnhandledError;
    const thrown = new Promise((resolve) => {
      rxjsConfig.onUnhandledError = resolve;
    });
    cleanUp.push(() => {
      rxjsConfig.onUnhandledError = before;
    });
    const bug = new Error('a bug');
    client(server.url)
      .watch(resources.pods, watchOptions)
      .subscribe(() => {
        throw bug;
      });
    expect(await thrown).toBe(bug);
  });

  test('does not take connections from requests', async () => {
    const server = await serve((request, response) => {
      if (request.query['watch'] === 'true') response.write(line('ADDED', pod('a')));
      else json(response, 200, pod('web-1'));
    });
    const connection = client(server.url, { maxConnections: 1 });
    const watches = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise<{ unsubscribe(): void }>((resolve) => {
            const subscription = connection
              .watch(resources.pods, watchOptions)
              .subscribe(() => queueMicrotask(() => resolve(subscription)));
          }),
      ),
    );
    await firstValueFrom(connection.get(resources.pods, web));
    for (const watch of watches) watch.unsubscribe();
    expect(server.connections()).toBe(5);
  });
});

const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasOpenssl)('connect, over TLS', () => {
  /** A certificate for 127.0.0.1 that signs itself. */
  const certificate = (
    directory: string,
    name: string,
  ): { readonly certFile: string; readonly key: string; readonly cert: string } => {
    const [certFile, keyFile] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const files = ['-keyout', keyFile, '-out', certFile];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...files, ...subject],
      {
        stdio: 'ignore',
      },
    );
    return { certFile, key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
  };
  const directory = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'transship-tls-'));
    cleanUp.push(() => rmSync(made, { recursive: true }));
    return made;
  };
  const answerPod: Answer = (_request, response) => json(response, 200, pod('web-1'));

  test('trusts the certificate authority of the kubeconfig, and shares connections', async () => {
    const files = certificate(directory(), 'server');
    const server = await loopback(answerPod, files);
    cleanUp.push(server.stop);
    const connection = client(server.url, {}, {}, { caFile: files.certFile });
    for (let count = 0; count < 50; count++) await firstValueFrom(connection.get(resources.pods, web));
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('trusts no other, and says so', async () => {
    const place = directory();
    const server = await loopback(answerPod, certificate(place, 'server'));
    cleanUp.push(server.stop);
    const other = certificate(place, 'other').certFile;
    const failure = await failureOf(
      firstValueFrom(client(server.url, {}, {}, { caFile: other }).get(resources.pods, web)),
    );
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toContain('not signed by the certificate authority in the kubeconfig');
  });

  test('makes new connections when the certificate authority has changed', async () => {
    const place = directory();
    const files = certificate(place, 'server');
    const server = await loopback(answerPod, files);
    cleanUp.push(server.stop);
    const caFile = join(place, 'ca.crt');
    writeFileSync(caFile, certificate(place, 'other').cert);
    const connection = client(server.url, {}, {}, { caFile });
    expect((await failureOf(firstValueFrom(connection.get(resources.pods, web)))).kind).toBe('unreachable');
    copyFileSync(files.certFile, caFile);
    expect(await firstValueFrom(connection.get(resources.pods, web))).toStrictEqual(pod('web-1'));
  });
});
