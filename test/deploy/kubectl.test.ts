// What the README tells people to type, typed: the real kubectl installs the manifests in the simulated API server
// over HTTP, creates the example and shows it. Left out where there is no kubectl.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import { apiServer } from '../../src/sim/apiServer/apiServer.ts';
import { type HttpServer, serveHttp } from '../../src/sim/http/serveHttp.ts';
import { deployDirectory } from './manifests.ts';

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

const example = `${deployDirectory}examples/storage-migration.yaml`;
const server = apiServer();
let http: HttpServer;
let home: string;

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl with a home directory of its own, against the simulated server and no other. */
function kubectl(args: readonly string[], stdin = ''): Promise<Result> {
  const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: join(home, 'none') };
  return new Promise((resolve) => {
    const child = execFile('kubectl', ['--server', http.url, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
    child.stdin?.end(stdin);
  });
}

/** Runs what must succeed without a word on stderr; its stdout. */
async function succeeds(args: readonly string[], stdin?: string): Promise<string> {
  const result = await kubectl(args, stdin);
  expect(result, args.join(' ')).toEqual({ code: 0, stdout: result.stdout, stderr: '' });
  return result.stdout;
}

const lines = (text: string) => text.trimEnd().split('\n');

describe.skipIf(!hasKubectl)('kubectl', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'transship-kubectl-'));
    http = await serveHttp(server);
  });

  afterAll(async () => {
    await http.close();
    rmSync(home, { recursive: true, force: true });
  });

  test('apply -f deploy/ installs everything, and a second time changes nothing', async () => {
    expect(lines(await succeeds(['apply', '-f', deployDirectory]))).toEqual([
      'customresourcedefinition.apiextensions.k8s.io/storagemigrations.transship.dev created',
      'namespace/transship-system created',
      'deployment.apps/transship created',
      'service/transship-metrics created',
      'namespace/transship-system unchanged',
      'serviceaccount/transship created',
      'clusterrole.rbac.authorization.k8s.io/transship created',
      'clusterrolebinding.rbac.authorization.k8s.io/transship created',
      'clusterrole.rbac.authorization.k8s.io/transship-edit created',
      'clusterrole.rbac.authorization.k8s.io/transship-view created',
    ]);
    const second = lines(await succeeds(['apply', '-f', deployDirectory]));
    expect(second.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
  });

  test('the kind is established and found by its short name', async () => {
    const crd = 'crd/storagemigrations.transship.dev';
    await succeeds(['wait', '--for=condition=Established', '--timeout=10s', crd]);
    expect((await kubectl(['get', 'smig', '-A'])).stderr).toContain('No resources found');
  });

  test('apply of the example is accepted, and get shows the columns', async () => {
    await succeeds(
      ['create', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }),
    );
    expect(await succeeds(['apply', '-f', example])).toBe('storagemigration.transship.dev/empty-old-array created\n');
    const condition = (type: string, status: string, message: string) => ({
      ...{ type, status, message, reason: 'Test', lastTransitionTime: '2026-01-01T00:00:00Z' },
    });
    const status = {
      conditions: [condition('Ready', 'True', ''), condition('NeedsAttention', 'True', 'look at web-1')],
      summary: '1/2',
      mode: 'Live',
      progress: '2/3',
    };
    const ref = { namespace: 'shop', name: 'empty-old-array' };
    const patch = { type: 'merge', body: { status } } as const;
    server.patch(resources.storageMigrations, ref, patch, 'daemon', { subresource: 'status' });
    const [heading = '', row = ''] = lines(await succeeds(['-n', 'shop', 'get', 'smig']));
    expect(heading.split(/\s+/)).toEqual(['NAME', 'READY', 'DONE', 'MODE', 'PROGRESS', 'AGE']);
    expect(row.split(/\s+/).slice(0, 5)).toEqual(['empty-old-array', 'True', '1/2', 'Live', '2/3']);
    const wide = lines(await succeeds(['-n', 'shop', 'get', 'smig', '-o', 'wide']));
    expect(wide[0]).toContain('ATTENTION');
    expect(wide[1]).toContain('look at web-1');
  });

  test('a wrong one is refused with the field named', async () => {
    const refused = await kubectl(
      ['create', '-f', '-'],
      JSON.stringify({
        apiVersion: 'transship.dev/v1alpha1',
        kind: 'StorageMigration',
        metadata: { name: 'wrong', namespace: 'shop' },
        spec: { virtualMachines: [{ name: 'web-1', volumes: [{ name: 'rootdisk', target: { claimName: 'B' } }] }] },
      }),
    );
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/^The StorageMigration "\w*" is invalid: /);
    expect(refused.stderr).toContain('spec.virtualMachines[0].volumes[0].target.claimName');
  });

  test('delete -f deploy/ takes all of it away again', async () => {
    await succeeds(['delete', '--wait=false', '-f', example]);
    await succeeds(['delete', '--ignore-not-found', '--wait=false', '-f', deployDirectory]);
    expect(server.kinds().map(({ resource }) => resource.kind)).not.toContain('StorageMigration');
    expect((await kubectl(['get', 'clusterroles,clusterrolebindings'])).stderr).toBe('No resources found\n');
  });
});
