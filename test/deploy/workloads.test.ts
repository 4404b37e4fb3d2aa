// The daemon's pods: standalone and as a sidecar.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { options } from '../../src/configOptions.ts';
import { memorySettings } from '../../src/sim/bench/builtProgram.ts';
import { type Manifest, manifests } from './manifests.ts';

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const packageJson = z
  .object({ version: z.string(), bin: z.object({ transship: z.string() }) })
  .parse(JSON.parse(text('package.json')));

const probe = z.looseObject({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  securityContext: z.looseObject({}).optional(),
  resources: z.looseObject({}).optional(),
});
const deployment = z.object({
  spec: z.looseObject({
    replicas: z.number(),
    strategy: z.object({ type: z.string() }),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.looseObject({
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()).default({}),
      }),
      spec: z.looseObject({
        serviceAccountName: z.string(),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.looseObject({}),
        containers: z.array(container),
      }),
    }),
  }),
});

const standalone = [...manifests().values()].flat();
const sidecar = manifests('examples/').get('sidecar.yaml') ?? [];

const one = (objects: readonly Manifest[], kind: string): Manifest => {
  const [found, ...more] = objects.filter((object) => object.kind === kind);
  if (found === undefined || more.length > 0) {
    throw new Error(`expected one ${kind}, found ${found === undefined ? 0 : more.length + 1}`);
  }
  return found;
};

describe.each([
  ['standalone', standalone],
  ['sidecar', sidecar],
])('%s', (_, objects) => {
  const { spec } = deployment.parse(one(objects, 'Deployment'));
  const pod = spec.template.spec;
  const daemon = pod.containers.find(({ name }) => name === 'transship');

  test('runs once: the old one is stopped before the new one starts', () => {
    expect(spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  });

  test('has longer to end than a write may take', () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(30);
  });

  test('runs without rights, on a file system that it cannot write', () => {
    expect({ ...pod.securityContext, ...daemon?.securityContext }).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('has a bound on its memory', () => {
    expect(daemon?.resources).toMatchObject({ requests: { memory: '256Mi' }, limits: { memory: '512Mi' } });
  });

  test('is probed where it listens', () => {
    const [port] = daemon?.ports ?? [];
    expect(daemon?.args).toEqual([`--http-address=:${port?.containerPort}`, `--copy-image=${daemon?.image}`]);
    expect(daemon?.readinessProbe?.httpGet).toEqual({ path: '/readyz', port: port?.name });
    expect(daemon?.livenessProbe?.httpGet).toEqual({ path: '/healthz', port: port?.name });
  });

  test('no two containers of the pod want one port or one port name, and port names are short enough', () => {
    const ports = pod.containers.flatMap((each) => each.ports);
    expect(new Set(ports.map((port) => port.containerPort)).size).toBe(ports.length);
    expect(new Set(ports.map((port) => port.name)).size).toBe(ports.length);
    for (const { name } of ports) {
      expect(name).toMatch(/^[a-z0-9-]{1,15}$/);
    }
  });

  test('its pods are those that the Deployment selects', () => {
    expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
  });

  test('its service account exists and has the role of the daemon', () => {
    const { name, namespace } = one(objects, 'ServiceAccount').metadata;
    expect(pod.serviceAccountName).toBe(name);
    expect(one(objects, 'Deployment').metadata.namespace).toBe(namespace);
    expect(one(objects, 'ClusterRoleBinding')).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: 'transship' },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    });
    expect(standalone.some((object) => object.kind === 'ClusterRole' && object.metadata.name === 'transship')).toBe(
      true,
    );
  });

  test('its image has the version of the package', () => {
    expect(daemon?.image).toBe(`transship:${packageJson.version}`);
  });
});

describe('metrics of the standalone daemon', () => {
  const { spec } = deployment.parse(one(standalone, 'Deployment'));

  test('are found by annotation and by Service', () => {
    const [port] = spec.template.spec.containers[0]?.ports ?? [];
    expect(spec.template.metadata.annotations).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/path': '/metrics',
      'prometheus.io/port': String(port?.containerPort),
    });
    expect(one(standalone, 'Service')['spec']).toEqual({
      selector: spec.template.metadata.labels,
      ports: [{ name: 'metrics', port: port?.containerPort, targetPort: port?.name }],
    });
  });

  test('are what the ServiceMonitor of the example scrapes', () => {
    const monitor = one(manifests('examples/').get('monitoring.yaml') ?? [], 'ServiceMonitor');
    const service = z
      .object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) })
      .parse(one(standalone, 'Service'));
    expect(monitor).toMatchObject({
      metadata: { namespace: 'transship-system' },
      spec: { selector: { matchLabels: service.metadata.labels }, endpoints: [{ port: 'metrics' }] },
    });
  });
});

describe('the image', () => {
  const dockerfile = text('Dockerfile');

  test('starts what the package names, with the memory that is measured, as the user that the manifests name', () => {
    const { nodeOptions, environment } = memorySettings;
    const command = ['node', ...nodeOptions, packageJson.bin.transship].map((word) => `"${word}"`);
    expect(dockerfile).toContain(`ENTRYPOINT [${command.join(', ')}]\n`);
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    expect(dockerfile).toContain(`ENV ${variables.join(' ')}\n`);
    expect(dockerfile).toContain('USER 1000:1000');
  });

  test('has what a copy pod runs, under the name that its manifest calls', () => {
    expect(dockerfile).toContain('apt-get install -y --no-install-recommends rsync stunnel4');
    expect(dockerfile).toContain('ln -s /app/dist/copy/main.js /usr/local/bin/transship-copy');
    expect(text('src/copy/main.ts').split('\n')[0]).toBe('#!/usr/bin/env node');
    expect(text('src/kube/copyPod.ts')).toContain("command: ['transship-copy']");
  });

  test('is the image that copy pods run unless another is named', () => {
    const { containers } = deployment.parse(one(standalone, 'Deployment')).spec.template.spec;
    expect(containers.map(({ image }) => image)).toEqual([options.copyImage.fallback]);
  });

  test('has the Node.js that is developed with, and only what it needs to run', () => {
    expect(dockerfile).toContain(`ARG NODE_VERSION=${text('.nvmrc').trim()}\n`);
    expect(dockerfile).toContain('npm prune --omit=dev');
  });

  test('is made from files that its context holds', () => {
    const context = text('.dockerignore').split('\n');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      (match[1] ?? '').split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    for (const file of copied) {
      expect(context).toContain(`!${file}`);
    }
  });
});
