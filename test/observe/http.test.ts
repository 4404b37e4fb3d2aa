// The HTTP server as Prometheus, the kubelet and careless callers meet it. Loopback only, free ports.
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type HttpOptions, type HttpServer, serveHttp } from '../../src/observe/http.ts';
import { createLog } from '../../src/observe/log.ts';

const host = '127.0.0.1';
const open: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function started(options: Partial<HttpOptions> = {}) {
  const lines: string[] = [];
  const server = await serveHttp({
    host,
    port: 0,
    exposition: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'transship_x 1\n' }),
    notReady: () => [],
    log: createLog({ level: 'debug', destination: { write: (line) => lines.push(line) } }),
    ...options,
  });
  open.push(server);
  const request = (path: string, init?: RequestInit) => fetch(`http://${host}:${server.port}${path}`, init);
  return { server, lines, request };
}

/** Sends bytes as they are; resolves with all that came back once the server closed the connection. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, host, () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}

describe('pages', () => {
  test('/metrics is the exposition with its content type', async () => {
    const { request } = await started();
    const response = await request('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('transship_x 1\n');
  });

  test('a query does not hide a page', async () => {
    const { request } = await started();
    expect((await request('/readyz?verbose')).status).toBe(200);
  });

  test('/readyz names every reason on a line of its own', async () => {
    const reasons = [
      'watch pods: not synced: 403 Forbidden:\n  pods is forbidden',
      'watch virtualmachines: not synced',
    ];
    const { request } = await started({ notReady: () => reasons });
    const response = await request('/readyz');
    expect(response.status).toBe(503);
    expect(await response.text()).toBe(
      'watch pods: not synced: 403 Forbidden: pods is forbidden\nwatch virtualmachines: not synced\n',
    );
    reasons.length = 0;
    const later = await request('/readyz');
    expect(later.status).toBe(200);
    expect(await later.text()).toBe('ready\n');
  });

  test('/healthz is 200 for who answers at all: that the daemon is not ready is no cause for a restart', async () => {
    const { request } = await started({ notReady: () => ['not yet'] });
    const response = await request('/healthz');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('ok\n');
    expect((await request('/readyz')).status).toBe(503);
  });

  test('other paths are 404', async () => {
    const { request } = await started();
    for (const path of ['/', '/metrics/', '/../metrics2', '/debug']) {
      expect((await request(path)).status).toBe(404);
    }
  });

  test('HEAD has the headers of GET and no body', async () => {
    const { request } = await started();
    const response = await request('/metrics', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('14');
    expect(await response.text()).toBe('');
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is 405 and told what is allowed', async (method) => {
    const { request } = await started();
    const response = await request('/metrics', { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    await response.text();
  });

  test('a page that cannot be made is 500 and logged, and the server lives on', async () => {
    const { request, lines } = await started({
      exposition: () => Promise.reject(new Error('store not there')),
      notReady: () => {
        throw new Error('broken');
      },
    });
    expect((await request('/metrics')).status).toBe(500);
    expect((await request('/readyz')).status).toBe(500);
    expect((await request('/healthz')).status).toBe(200);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'error', path: '/metrics', err: { message: 'store not there' } },
      { level: 'error', path: '/readyz', err: { message: 'broken' } },
    ]);
    expect(await (await request('/metrics')).text()).not.toContain('store not there');
  });
});

describe('careless callers', () => {
  test('bytes that are no HTTP are refused and the connection closed', async () => {
    const { server, request } = await started();
    expect(await raw(server.port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await request('/healthz')).status).toBe(200);
  });

  test('headers beyond 16 KiB are refused', async () => {
    const { server } = await started();
    const answer = await raw(server.port, `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('listening', () => {
  test('a port in use is told with what to do', async () => {
    const { server } = await started();
    await expect(started({ port: server.port })).rejects.toThrow(
      `cannot listen on ${host}:${server.port} for metrics and probes: the port is in use; stop the process that has it or choose another port`,
    );
  });

  test('an address of another machine is told with what to do', async () => {
    await expect(started({ host: '192.0.2.1' })).rejects.toThrow(
      'cannot listen on 192.0.2.1:0 for metrics and probes: this machine has no such address',
    );
  });

  test('after close the port is free, and connections that are kept alive do not delay it', async () => {
    const { server, request } = await started();
    await (await request('/healthz')).text();
    await server.close();
    await expect(request('/healthz')).rejects.toThrow();
    const again = await started({ port: server.port });
    expect(again.server.port).toBe(server.port);
  });

  test('an answer under way when it is closed is still sent', async () => {
    let finish: (body: string) => void = () => {};
    const asked = Promise.withResolvers<void>();
    const { server, request } = await started({
      exposition: () => {
        asked.resolve();
        return new Promise((resolve) => {
          finish = (body) => resolve({ contentType: 'text/plain', body });
        });
      },
    });
    const response = request('/metrics');
    await asked.promise;
    const closed = server.close();
    finish('late 1\n');
    expect(await (await response).text()).toBe('late 1\n');
    await closed;
  });

  test('closing twice is harmless', async () => {
    const { server } = await started();
    await server.close();
    await server.close();
  });
});
