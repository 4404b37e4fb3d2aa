// The real client against a small server on loopback: what it says of a request that failed. What nobody can know of a
// request stays unknown.
import { createServer } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { KubeFailure } from '../../src/kube/api.ts';
import type { ConnectOptions } from '../../src/kube/clientSend.ts';
import { resources } from '../../src/kube/resources.ts';
import { client, failureOf, pod, serve, web } from './clientFixtures.ts';
import { type Answer, json } from './loopback.ts';

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
