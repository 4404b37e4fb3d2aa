// What the tests of the real client share: a server on loopback and a connection to it, both gone after each test that
// made them, and how a failure is got hold of.
import { afterEach } from 'vitest';
import { KubeFailure, type KubeObject } from '../../src/kube/api.ts';
import { type Connection, connect } from '../../src/kube/client.ts';
import type { ConnectOptions } from '../../src/kube/clientSend.ts';
import { type Answer, kubeConfigFor, type Loopback, loopback } from './loopback.ts';

/** What is to be undone after the test, the last first. */
export const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A server that is stopped after the test. */
export const serve = async (answer: Answer): Promise<Loopback> => {
  const server = await loopback(answer);
  cleanUp.push(server.stop);
  return server;
};

/** A connection that is closed after the test. */
export const client = (url: string, options: Partial<ConnectOptions> = {}, user = {}, cluster = {}): Connection => {
  const connection = connect(kubeConfigFor(url, user, cluster), options);
  cleanUp.push(connection.close);
  return connection;
};

export const pod = (name: string, version = '7'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: version },
});

/** What the promise fails with; fails the test when it does not. */
export const failureOf = async (promise: Promise<unknown>): Promise<KubeFailure> => {
  const outcome = await promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );
  if (!(outcome instanceof KubeFailure)) throw new Error(`Expected a KubeFailure, got ${String(outcome)}`);
  return outcome;
};

export const watchOptions = { resourceVersion: '10', timeoutSeconds: 300 };
export const web = { namespace: 'shop', name: 'web-1' };
