// Objects and kinds that the tests of the simulated API server share.
import { TestScheduler } from 'rxjs/testing';
import { expect } from 'vitest';
import { KubeFailure, type KubeMetadata, type KubeObject, type Resource } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import type { ApiServerOptions } from '../../src/sim/apiServer/apiServer.ts';
import { apiServer } from '../../src/sim/apiServer/apiServer.ts';
import type { ApiServer, Json } from '../../src/sim/cluster.ts';

/** A kind with a status subresource and no schema. */
export const boxes: Resource = { group: 'example.dev', version: 'v1', plural: 'boxes', kind: 'Box', namespaced: true };

export const box = (name: string, spec: Json = {}, metadata: Partial<KubeMetadata> = {}): KubeObject => ({
  apiVersion: 'example.dev/v1',
  kind: 'Box',
  metadata: { name, namespace: 'default', ...metadata },
  spec,
});

/** The definition of boxes whose spec has this schema; `more` goes into its one version. */
export const boxDefinition = (spec: Json, more: Json = {}): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'boxes.example.dev' },
  spec: {
    group: 'example.dev',
    scope: 'Namespaced',
    names: { plural: 'boxes', singular: 'box', kind: 'Box', shortNames: ['bx'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
        ...more,
      },
    ],
  },
});

export const pod = (name: string, spec: Json = {}, metadata: Partial<KubeMetadata> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...metadata },
  spec: { containers: [{ name: 'main', image: 'registry.example/main:1' }], ...spec },
});

export const claim = (name: string, spec: Json = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});

export const at = (name: string): { readonly namespace: string; readonly name: string } => ({
  namespace: 'default',
  name,
});

export const { pods, persistentVolumeClaims: claims } = resources;

/** A server that serves boxes besides the core kinds. */
export const boxServer = (options: ApiServerOptions = {}): ApiServer => {
  const server = apiServer(options);
  server.register({ resource: boxes, singular: 'box', status: true, generation: true });
  return server;
};

/** The refusal that the call ends in; fails the test when it is accepted. */
export const refusal = (act: () => unknown): KubeFailure => {
  try {
    act();
  } catch (error) {
    if (error instanceof KubeFailure) return error;
    throw error;
  }
  throw new Error('accepted, but expected to be refused');
};

/** Runs in virtual time, to the end of everything that was scheduled. */
export const inVirtualTime = (run: (scheduler: TestScheduler) => void): void => {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  scheduler.run(() => run(scheduler));
};

/** Runs `work` at each given time, in ms. */
export const timeline = (scheduler: TestScheduler, works: Readonly<Record<number, () => void>>): void => {
  for (const [ms, work] of Object.entries(works)) scheduler.schedule(work, Number(ms));
};
