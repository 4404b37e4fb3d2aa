// What pods have written, as the simulated API server gives it through the port and over HTTP: cut as kubelets cut it,
// and refused where there is nothing that could have written.
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import type { KubeApi } from '../../src/kube/api.ts';
import { connect } from '../../src/kube/client.ts';
import type { ApiServer } from '../../src/sim/cluster.ts';
import { serveHttp } from '../../src/sim/http/serveHttp.ts';
import { kubeConfigFor } from '../kube/loopback.ts';
import { at, boxServer, pod, pods, refusal } from './apiServerFixtures.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const written = 'one\ntwo\nthree\n';

/** A server with a pod that runs and has written three lines, one that waits to start, and one without a node. */
const serverWithPods = (): ApiServer => {
  const server = boxServer();
  server.create(pods, pod('running', { nodeName: 'node1' }), 'user');
  server.create(pods, pod('starting', { nodeName: 'node1' }), 'user');
  server.create(pods, pod('placed nowhere'.replaceAll(' ', '-')), 'user');
  const state = { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const status = { phase: 'Running', containerStatuses: [{ name: 'main', state }] };
  server.patch(pods, at('running'), { type: 'merge', body: { status } }, 'kubelet', { subresource: 'status' });
  server.logsFrom(({ metadata }) => (metadata.name === 'running' ? written : undefined));
  return server;
};

describe('what a pod has written', () => {
  test.each([
    [{}, written],
    [{ tailLines: 1 }, 'three\n'],
    [{ tailLines: 2 }, 'two\nthree\n'],
    [{ tailLines: 9 }, written],
    [{ tailLines: 0 }, ''],
    [{ limitBytes: 5 }, 'one\nt'],
    [{ tailLines: 2, limitBytes: 6 }, 'two\nth'],
  ])('is cut to its last lines first, and those to their first bytes: %j', (options, expected) => {
    expect(serverWithPods().log(at('running'), options)).toBe(expected);
  });

  test('is empty when nobody knows the pod or no node has it', () => {
    const server = serverWithPods();
    server.logsFrom(() => undefined);
    expect(server.log(at('placed-nowhere'))).toBe('');
  });

  test('is refused while its container waits to start, and when there is no pod', () => {
    const server = serverWithPods();
    expect(refusal(() => server.log(at('starting')))).toMatchObject({
      code: 400,
      message: 'container "main" in pod "starting" is waiting to start: ContainerCreating',
    });
    expect(refusal(() => server.log(at('none')))).toMatchObject({ code: 404, reason: 'NotFound' });
  });
});

describe('the last lines of a pod', () => {
  const clients: readonly (readonly [string, () => Promise<KubeApi>])[] = [
    ['through the simulated port', async () => serverWithPods().port()],
    [
      'through the real client over HTTP',
      async () => {
        const http = await serveHttp(serverWithPods());
        cleanUp.push(http.close);
        const connection = connect(kubeConfigFor(http.url));
        cleanUp.push(connection.close);
        return connection;
      },
    ],
  ];

  test.each(clients)('are had %s', async (_how, make) => {
    const api = await make();
    const last = await firstValueFrom(api.log(at('running'), { tailLines: 2, limitBytes: 4096 }));
    expect(last).toBe('two\nthree\n');
    const refused = firstValueFrom(api.log(at('starting'), { tailLines: 1, limitBytes: 4096 }));
    await expect(refused).rejects.toMatchObject({ kind: 'status', code: 400, reason: 'BadRequest' });
  });

  test('are asked of the pod’s log with both limits', async () => {
    const asked: string[] = [];
    const server = serverWithPods();
    const http = await serveHttp({ ...server, log: (ref, options) => `${asked.push(JSON.stringify([ref, options]))}` });
    cleanUp.push(http.close);
    const connection = connect(kubeConfigFor(http.url));
    cleanUp.push(connection.close);
    await firstValueFrom(connection.log(at('running'), { tailLines: 1, limitBytes: 100 }));
    expect(asked).toEqual([JSON.stringify([at('running'), { tailLines: 1, limitBytes: 100 }])]);
  });
});
