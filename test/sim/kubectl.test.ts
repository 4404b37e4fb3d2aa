// The real kubectl against the simulated API server: what people type is what is tested.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import type { KubeObject } from '../../src/kube/api.ts';
import { apiServer } from '../../src/sim/apiServer/apiServer.ts';
import type { ApiServer, Json } from '../../src/sim/cluster.ts';
import { type HttpServer, serveHttp } from '../../src/sim/http/serveHttp.ts';
import { at, box, boxDefinition, boxes, claim, claims, pod, pods } from './apiServerFixtures.ts';

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

// Each test starts several processes; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const definition = boxDefinition(
  {
    type: 'object',
    required: ['size'],
    properties: {
      size: { type: 'integer', minimum: 1 },
      colour: { type: 'string', enum: ['red', 'blue'], default: 'red' },
    },
  },
  {
    additionalPrinterColumns: [
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
      { name: 'Colour', type: 'string', jsonPath: '.spec.colour', priority: 1 },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ],
  },
);

let directory = '';
let server: ApiServer;
let http: HttpServer;

const environment = () => ({ ...process.env, HOME: directory, KUBECONFIG: join(directory, 'config') });

const missing =
  'kubectl was not found: install the Debian package kubernetes-client (apt-get install kubernetes-client)';

/** Runs kubectl to its end; `input` is what it reads from `-f -`. */
const run = (args: readonly string[], input?: readonly KubeObject[]): Promise<Run> =>
  new Promise((resolve, reject) => {
    const child = execFile('kubectl', args, { env: environment() }, (error, out, err) => {
      if (error?.code === 'ENOENT') reject(new Error(missing));
      else resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, out, err });
    });
    child.stdin?.end((input ?? []).map((object) => `---\n${stringify(object)}`).join(''));
  });

/** What kubectl printed; fails the test when it did not succeed. */
const kubectl = async (args: string, input?: readonly KubeObject[]): Promise<string> => {
  const { code, out, err } = await run(args.split(' '), input);
  expect({ code, err }, `kubectl ${args}`).toMatchObject({ code: 0 });
  return out;
};

/** The words of each line. */
const words = (out: string): readonly (readonly string[])[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s{2,}/));

/** Collects the lines a running kubectl prints and lets a test wait for one. */
const following = (child: ChildProcess) => {
  let text = '';
  const waiting = new Set<() => void>();
  child.stdout?.on('data', (chunk) => {
    text += chunk;
    for (const look of waiting) look();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    has: (pattern: RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`kubectl ended without printing ${pattern}; it printed:\n${text}`)));
      }),
    end: (): Promise<void> => {
      child.kill();
      return ended;
    },
  };
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'transship-kubectl-'));
  server = apiServer();
  http = await serveHttp(server);
  const config: Json = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'simulated', cluster: { server: http.url } }],
    users: [{ name: 'user', user: {} }],
    contexts: [{ name: 'simulated', context: { cluster: 'simulated', user: 'user', namespace: 'default' } }],
    'current-context': 'simulated',
  };
  await writeFile(join(directory, 'config'), stringify(config));
  await kubectl('apply -f -', [definition]);
});

afterAll(async () => {
  await http.close();
  await rm(directory, { recursive: true, force: true });
});

const setReady = (name: string, status: 'True' | 'False'): void => {
  const body = { status: { conditions: [{ type: 'Ready', status }] } };
  server.patch(boxes, at(name), { type: 'merge', body }, 'user', { subresource: 'status' });
};

test('the API is discovered, and a new kind is established', async () => {
  expect(await kubectl('version')).toMatch(/Server Version/);
  expect(words(await kubectl('api-resources --api-group=example.dev'))[1]?.slice(0, 2)).toEqual(['boxes', 'bx']);
  const waited = 'wait --for=condition=Established crd/boxes.example.dev --timeout=10s';
  expect(await kubectl(waited)).toContain('condition met');
});

test('apply creates an object, changes it, and leaves it when nothing changed', async () => {
  expect(await kubectl('apply -f -', [box('applied', { size: 1 })])).toBe('box.example.dev/applied created\n');
  expect(await kubectl('apply -f -', [box('applied', { size: 2 })])).toBe('box.example.dev/applied configured\n');
  expect(await kubectl('apply -f -', [box('applied', { size: 2 })])).toBe('box.example.dev/applied unchanged\n');
  expect(server.read(boxes, at('applied'))).toMatchObject({
    metadata: { generation: 2 },
    spec: { size: 2, colour: 'red' },
  });
});

test('apply works on core kinds, whose lists are merged by their keys', async () => {
  expect(await kubectl('apply -f -', [pod('web'), claim('disk')])).toContain('pod/web created');
  const sidecar = { name: 'main', image: 'registry.example/main:2' };
  expect(await kubectl('apply -f -', [pod('web', { containers: [sidecar] })])).toContain('pod/web configured');
  expect(server.read(pods, at('web'))?.['spec']).toMatchObject({ containers: [sidecar] });
});

test('apply on the server owns what it applied', async () => {
  expect(await kubectl('apply --server-side -f -', [box('owned', { size: 1, colour: 'blue' })])).toContain(
    'serverside-applied',
  );
  const { code, err } = await run(
    ['apply', '--server-side', '--field-manager=other', '-f', '-'],
    [box('owned', { size: 5 })],
  );
  expect(code).toBe(1);
  expect(err).toContain('conflict with "kubectl"');
  await kubectl('apply --server-side -f -', [box('owned', { size: 1 })]);
  expect(server.read(boxes, at('owned'))?.['spec']).toEqual({ size: 1, colour: 'red' });
});

test('a wrong object is refused, naming each field', async () => {
  const { code, err } = await run(['apply', '-f', '-'], [box('wrong', { size: 0, colour: 'green' })]);
  expect(code).toBe(1);
  expect(err).toContain('The Box "wrong" is invalid');
  expect(err).toContain('* spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1');
  expect(err).toContain('* spec.colour: Unsupported value: "green": supported values: "red", "blue"');
});

test('get prints the columns of a custom kind', async () => {
  await kubectl('apply -f -', [box('shown', { size: 7 })]);
  setReady('shown', 'True');
  const [header, row] = words(await kubectl('get bx shown'));
  expect(header).toEqual(['NAME', 'READY', 'SIZE', 'AGE']);
  expect(row?.slice(0, 3)).toEqual(['shown', 'True', '7']);
  expect(row?.[3]).toMatch(/^\d+s$/);
  expect(words(await kubectl('get box shown -o wide'))[0]).toContain('COLOUR');
});

test('get prints pods and claims as everybody knows them', async () => {
  server.create(pods, pod('running', { nodeName: 'node-1' }), 'user');
  const containerStatuses = [{ name: 'main', ready: true, restartCount: 2, state: { running: {} } }];
  const status = { phase: 'Running', podIP: '10.0.0.1', containerStatuses };
  server.patch(pods, at('running'), { type: 'merge', body: { status } }, 'user', { subresource: 'status' });
  const [header, row] = words(await kubectl('get pod running'));
  expect(header).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE']);
  expect(row?.slice(0, 4)).toEqual(['running', '1/1', 'Running', '2']);
  server.create(claims, claim('bound', { storageClassName: 'fast', volumeName: 'pv-9' }), 'user');
  const bound = { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] };
  server.patch(claims, at('bound'), { type: 'merge', body: { status: bound } }, 'user', { subresource: 'status' });
  expect(words(await kubectl('get pvc bound'))[1]?.slice(0, 6)).toEqual([
    'bound',
    'Bound',
    'pv-9',
    '1Gi',
    'RWO',
    'fast',
  ]);
});

test('get gives YAML, jsonpath, labels, all namespaces', async () => {
  await kubectl('apply -f -', [box('plain', { size: 3 }, { labels: { app: 'web' } })]);
  expect(await kubectl('get box plain -o yaml')).toContain('kind: Box\n');
  expect(await kubectl('get box plain -o jsonpath={.spec.size}')).toBe('3');
  expect(await kubectl('get box -l app=web -o name')).toBe('box.example.dev/plain\n');
  expect(await kubectl('get box -l app!=web -o name')).not.toContain('plain');
  expect(words(await kubectl('get box -A'))[0]?.[0]).toBe('NAMESPACE');
  expect(await kubectl('get ns -o name')).toContain('namespace/default');
});

test('get -w follows objects through their changes', async () => {
  await kubectl('apply -f -', [box('followed', { size: 1 }, { labels: { app: 'followed' } })]);
  const child = spawn('kubectl', ['get', 'box', '-l', 'app=followed', '-w'], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = following(child);
  try {
    await output.has(/^followed +1 /m);
    server.patch(boxes, at('followed'), { type: 'merge', body: { spec: { size: 2 } } }, 'user');
    await output.has(/^followed +2 /m);
    setReady('followed', 'True');
    await output.has(/^followed +True +2 /m);
  } finally {
    await output.end();
  }
});

test('get -w follows pods, which end in Terminating', async () => {
  server.create(pods, pod('watched', { nodeName: 'node-1' }), 'user');
  const child = spawn('kubectl', ['get', 'pods', '-w'], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
  const output = following(child);
  try {
    await output.has(/^watched +0\/1 +Pending/m);
    server.remove(pods, at('watched'), 'user');
    await output.has(/^watched +0\/1 +Terminating/m);
  } finally {
    await output.end();
  }
});

test('describe shows an object and its events', async () => {
  await kubectl('apply -f -', [box('described', { size: 4 })]);
  const uid = server.read(boxes, at('described'))?.metadata.uid;
  const events = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };
  const regarding = { apiVersion: 'example.dev/v1', kind: 'Box', ...at('described'), uid };
  const said = { reason: 'Opened', action: 'Open', note: 'the box was opened', type: 'Normal' };
  const reporting = { reportingController: 'transship', reportingInstance: 'transship-0' };
  const eventTime = new Date().toISOString().replace('Z', '000Z');
  const event = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: at('described.1'),
    regarding,
    eventTime,
    ...said,
    ...reporting,
  };
  server.create(events, event, 'user');
  const shown = await kubectl('describe box described');
  expect(shown).toMatch(/Kind: +Box/);
  expect(shown).toMatch(/Normal +Opened .* the box was opened/);
  expect(await kubectl('get events')).toMatch(/Normal +Opened +box\/described +the box was opened/);
});

test('describe shows pods and claims', async () => {
  const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: 'used' } }];
  await kubectl('apply -f -', [claim('used'), pod('user', { volumes })]);
  expect(await kubectl('describe pod user')).toMatch(/ClaimName: +used/);
  expect(await kubectl('describe pvc used')).toMatch(/Status: +Pending/);
});

test('logs prints what a pod has written, or its last lines', async () => {
  await kubectl('apply -f -', [pod('talking', { nodeName: 'node1' }), pod('silent', { nodeName: 'node1' })]);
  const containerStatuses = [{ name: 'main', state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }];
  const status = { phase: 'Running', containerStatuses };
  server.patch(pods, at('talking'), { type: 'merge', body: { status } }, 'kubelet', { subresource: 'status' });
  server.logsFrom(({ metadata }) => (metadata.name === 'talking' ? 'one\ntwo\nthree\n' : undefined));
  expect(await kubectl('logs talking')).toBe('one\ntwo\nthree\n');
  expect(await kubectl('logs talking --tail 1')).toBe('three\n');
  expect(await kubectl('logs talking --limit-bytes 5')).toBe('one\nt');
  expect((await run(['logs', 'silent'])).err).toContain('is waiting to start: ContainerCreating');
});

test('logs -f follows what a pod writes until it has ended', async () => {
  await kubectl('apply -f -', [pod('followed', { nodeName: 'node1' })]);
  const setPhase = (phase: string): void => {
    const status = { phase, containerStatuses: [{ name: 'main', state: {} }] };
    server.patch(pods, at('followed'), { type: 'merge', body: { status } }, 'kubelet', { subresource: 'status' });
  };
  let written = 'one\ntwo\n';
  server.logsFrom(({ metadata }) => (metadata.name === 'followed' ? written : undefined));
  setPhase('Running');
  const child = spawn('kubectl', ['logs', '-f', '--tail', '1', 'followed'], { env: environment() });
  const output = following(child);
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  try {
    await output.has(/^two\n/);
    written += 'three\n';
    await output.has(/^two\nthree\n/);
    written += 'four\n';
    setPhase('Succeeded');
    await output.has(/^two\nthree\nfour\n$/);
    expect(await code).toBe(0);
  } finally {
    await output.end();
  }
});

test('patch merges, and a JSON patch holds to its test', async () => {
  await kubectl('apply -f -', [box('patched', { size: 1 })]);
  const patch = (type: string, body: unknown) =>
    run(['patch', 'box', 'patched', '--type', type, '-p', JSON.stringify(body)]);
  expect((await patch('merge', { spec: { size: 5 } })).out).toBe('box.example.dev/patched patched\n');
  const test = (value: number) => ({ op: 'test', path: '/spec/size', value });
  const replace = { op: 'replace', path: '/spec/size', value: 6 };
  expect((await patch('json', [test(5), replace])).code).toBe(0);
  const refused = await patch('json', [test(5), replace]);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('The request is invalid');
  expect((await patch('strategic', { spec: { size: 7 } })).err).toContain('application/merge-patch+json');
  expect(server.read(boxes, at('patched'))?.['spec']).toMatchObject({ size: 6 });
});

test('create makes namespaces, config maps and secrets', async () => {
  await kubectl('create namespace made');
  await kubectl('create -n made configmap settings --from-literal=colour=red --from-literal=size=3');
  await kubectl('create -n made secret generic key --from-literal=password=hidden');
  expect(await kubectl('get -n made configmap settings -o jsonpath={.data}')).toBe('{"colour":"red","size":"3"}');
  const secret = Buffer.from('hidden').toString('base64');
  expect(await kubectl('get -n made secret key -o jsonpath={.data.password}')).toBe(secret);
  await kubectl('delete namespace made');
  expect((await run(['get', 'namespace', 'made'])).err).toContain('not found');
});

test('label and annotate change metadata only', async () => {
  await kubectl('apply -f -', [box('labelled', { size: 1 })]);
  await kubectl('label box labelled tier=front');
  await kubectl('annotate box labelled note=x');
  const { labels, generation } = server.read(boxes, at('labelled'))?.metadata ?? {};
  expect([labels, generation]).toEqual([{ tier: 'front' }, 1]);
});

test('wait ends when the condition is met', async () => {
  await kubectl('apply -f -', [box('awaited', { size: 1 })]);
  const waiting = kubectl('wait --for=condition=Ready box/awaited --timeout=30s');
  setReady('awaited', 'True');
  expect(await waiting).toContain('condition met');
  const { code, err } = await run(['wait', '--for=condition=Done', 'box/awaited', '--timeout=1s']);
  expect(code).toBe(1);
  expect(err).toContain('timed out waiting');
});

test('delete removes an object, waits for its finalizers, and says when there is none', async () => {
  await kubectl('apply -f -', [box('held', { size: 1 }, { finalizers: ['example.dev/x'] })]);
  const release = server.changes$.subscribe(({ object, type }) => {
    if (type !== 'modified' || object.metadata.name !== 'held' || object.metadata.deletionTimestamp === undefined)
      return;
    server.patch(boxes, at('held'), { type: 'merge', body: { metadata: { finalizers: null } } }, 'controller');
  });
  expect(await kubectl('delete box held')).toContain('"held" deleted');
  release.unsubscribe();
  expect(server.read(boxes, at('held'))).toBeUndefined();
  const { code, err } = await run(['delete', 'box', 'held']);
  expect([code, err]).toEqual([1, 'Error from server (NotFound): boxes.example.dev "held" not found\n']);
});

test('delete --all and delete -f remove several', async () => {
  const several = ['one', 'two'].map((name) => claim(`several-${name}`));
  await kubectl('apply -f -', several);
  await kubectl('delete -f -', several);
  await kubectl('create -f -', several);
  await kubectl('delete pvc --all');
  expect(server.all(claims, 'default')).toEqual([]);
});
