// A cluster that is away, refuses, or lacks something: the process stays, says exactly what is wrong in log and
// readiness, and goes on by itself once it is mended.
import { describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import { apiServer } from '../../src/sim/apiServer/apiServer.ts';
import { registerKinds } from '../../src/sim/kubevirt/kinds.ts';
import {
  guardedWorld,
  installOurCrd,
  makeMachine,
  migrationOf,
  modeOf,
  namespace,
  runningWorld,
  serve,
} from './cluster.ts';
import { daemonFor, expectGoodLog, freePort, pageOfMetrics, pageWith, patient, until } from './process.ts';

const watched = [
  'virtualmachines',
  'virtualmachineinstances',
  'virtualmachineinstancemigrations',
  'pods',
  'persistentvolumeclaims',
  'storagemigrations',
  'kubevirts',
];

describe('a server that is not there', () => {
  test('is tried again with back-off, told for every kind, and used as soon as it comes', async () => {
    const port = await freePort();
    const daemon = daemonFor(`http://127.0.0.1:${port}`);
    for (const plural of watched) {
      await daemon.logged(
        'A watch failed and is tried again',
        ({ kind, attempt }) => kind === plural && attempt === (plural === 'pods' ? 4 : 1),
      );
    }
    const { body } = await pageWith(daemon, '/readyz', 503, ...watched);
    const reasons = body.trimEnd().split('\n');
    expect(reasons.map((reason) => reason.split(':', 2)[0])).toEqual(watched.map((kind) => `watch ${kind}`));
    for (const reason of reasons) {
      expect(reason).toContain(`127.0.0.1:${port}`);
      expect(reason).toContain('ECONNREFUSED');
      expect(reason).toContain('check the server address in the kubeconfig');
    }
    expect((await daemon.page('/healthz')).status).toBe(200);
    const delays = daemon.lines.filter(({ kind, attempt }) => kind === 'pods' && typeof attempt === 'number');
    expect(delays.slice(0, 4).map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(Number(delays[2]?.['delayMs'])).toBeGreaterThan(Number(delays[0]?.['delayMs']));
    await pageOfMetrics(daemon, { 'transship_watch_synced{kind="pods"}': 0 });

    await serve(runningWorld(50).server, { port });
    await pageWith(daemon, '/readyz', 200, 'ready');
    await daemon.logged('Every kind was listed: Transship is ready');
    await pageOfMetrics(daemon, { 'transship_watch_synced{kind="pods"}': 1 });
    expectGoodLog(daemon);
  });

  test('that goes away later makes the process not ready, and ready again when it is back', async () => {
    const { server } = runningWorld(50);
    const first = await serve(server);
    const daemon = daemonFor(first.url);
    await pageWith(daemon, '/readyz', 200);
    await first.close();
    await pageWith(daemon, '/readyz', 503, ...watched.map((kind) => `watch ${kind}: broken: `), 'ECONNREFUSED');
    expect((await daemon.page('/healthz')).status).toBe(200);
    await pageOfMetrics(daemon, { 'transship_watch_synced{kind="kubevirts"}': 0 });
    // What it knows it still knows.
    await pageOfMetrics(daemon, { 'transship_store_objects{kind="kubevirts"}': 1 });
    await serve(server, { port: first.port });
    await pageWith(daemon, '/readyz', 200);
    await daemon.logged('A watch works again', ({ kind }) => kind === 'kubevirts');
    await pageOfMetrics(daemon, { 'transship_watch_synced{kind="kubevirts"}': 1 });
    await pageOfMetrics(daemon, { 'transship_watch_restarts_total{kind="kubevirts"}': (value) => value > 0 });
    expectGoodLog(daemon);
  });
});

describe('a server that refuses', () => {
  test('to list or to watch a kind: verb, resource and remedy are named, and nothing is decided until it is granted', async () => {
    const cluster = await guardedWorld();
    makeMachine(cluster, 'web', 'Halted');
    cluster.server.create(resources.storageMigrations, migrationOf('move', ['web']), 'user');
    cluster.refused.add('list persistentvolumeclaims').add('watch pods');
    const daemon = daemonFor(cluster.url);
    const { body } = await pageWith(
      daemon,
      '/readyz',
      503,
      'watch persistentvolumeclaims: not synced: list persistentvolumeclaims',
      'watch pods: broken: watch pods',
    );
    expect(body.trimEnd().split('\n')).toHaveLength(2);
    expect(body).toContain('answered 403 Forbidden');
    expect(body).toContain('grant verb list on persistentvolumeclaims in the core API group by RBAC');
    expect(body).toContain('grant verb watch on pods in the core API group by RBAC');
    await daemon.logged('A watch failed and is tried again', ({ reason }) =>
      String(reason).includes('grant verb list'),
    );
    expect(modeOf(cluster.server, 'move', 'web')).toBeUndefined();
    cluster.refused.clear();
    await pageWith(daemon, '/readyz', 200);
    await until(() => modeOf(cluster.server, 'move', 'web') === 'Done');
    expectGoodLog(daemon);
  });

  test('a write: verb, resource and remedy are logged, and it goes on when granted', async () => {
    const cluster = await guardedWorld();
    makeMachine(cluster, 'web', 'Halted');
    cluster.refused.add('patch storagemigrations');
    cluster.server.create(resources.storageMigrations, migrationOf('move', ['web']), 'user');
    const daemon = daemonFor(cluster.url);
    const { detail } = await daemon.logged('A write was not carried out');
    expect(detail).toContain('grant verb patch on storagemigrations in API group transship.dev by RBAC');
    await pageOfMetrics(daemon, {
      'transship_commands_total{command="addFinalizer",outcome="refused"}': (value) => value > 0,
    });
    cluster.refused.clear();
    await until(() => modeOf(cluster.server, 'move', 'web') === 'Done');
    expectGoodLog(daemon);
  });

  test('all but one namespace: works in that one', async () => {
    const cluster = await guardedWorld();
    makeMachine(cluster, 'web', 'Halted');
    cluster.refused.add('all namespaces');
    cluster.server.create(resources.storageMigrations, migrationOf('move', ['web']), 'user');
    const daemon = daemonFor(cluster.url, [`--namespace=${namespace}`, ...patient]);
    await until(() => modeOf(cluster.server, 'move', 'web') === 'Done');
    expect(daemon.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    expectGoodLog(daemon);
  });

  test('the token: says so, without the token', async () => {
    const { url } = await guardedWorld();
    const daemon = daemonFor(url, [], 'another-token');
    const { body } = await pageWith(daemon, '/readyz', 503, ...watched, 'answered 401 Unauthorized');
    expect(body).toContain('check token or client certificate in the kubeconfig');
    expect(daemon.stdout() + body).not.toContain('another-token');
    expectGoodLog(daemon);
  });
});

describe('a cluster that lacks custom resources', () => {
  test('of KubeVirt or of Transship: names the CRD and the remedy, and is used when they are installed', async () => {
    const server = apiServer();
    const { url } = await serve(server);
    const daemon = daemonFor(url);
    const missing = (kinds: string) => `CRD ${kinds} is not installed, or not in version`;
    await pageWith(
      daemon,
      '/readyz',
      503,
      `${missing('virtualmachines.kubevirt.io')} v1: install what brings kubevirt.io`,
      missing('kubevirts.kubevirt.io'),
      `${missing('storagemigrations.transship.dev')} v1alpha1: apply the CRD in deploy/`,
    );
    registerKinds(server);
    const { body } = await until(async () => {
      const page = await daemon.page('/readyz');
      return !page.body.includes('kubevirt.io') && page;
    });
    expect(body).toMatch(/^watch storagemigrations: not synced: [^\n]+\n$/);
    installOurCrd(server);
    await pageWith(daemon, '/readyz', 200);
    expectGoodLog(daemon);
  });
});
