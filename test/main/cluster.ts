// Simulated clusters on the loopback interface for the tests of the process, and a gate before one through which every
// request goes, where it can be held up.
import { once } from 'node:events';
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { KubeObject, Resource } from '../../src/kube/api.ts';
import { storageMigrationCrd } from '../../src/kube/crd.ts';
import { resources } from '../../src/kube/resources.ts';
import type { ApiServer } from '../../src/sim/cluster.ts';
import { type HttpOptions, serveHttp, type Verb } from '../../src/sim/http/serveHttp.ts';
import { ensureNamespace, type World, world } from '../../src/sim/scenario/world.ts';
import { afterwards, token } from './process.ts';

export const namespace = 'shop';

export const customResourceDefinitions: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** What `kubectl apply -f deploy/crd.yaml` does. */
export const installOurCrd = (server: ApiServer): void => {
  server.create(customResourceDefinitions, storageMigrationCrd() as unknown as KubeObject, 'user');
};

/** Serves until the test is over, or until told; only who has the token is let in. */
export const serve = async (server: ApiServer, options: HttpOptions = {}) => {
  const http = await serveHttp(server, { token, ...options });
  let open = true;
  const close = async (): Promise<void> => {
    if (open) await http.close();
    open = false;
  };
  afterwards(close);
  return { url: http.url, port: Number(new URL(http.url).port), close };
};

/** A cluster that runs so many times faster than a real one. */
export const runningWorld = (speed: number): World => {
  const running = world({ speed });
  afterwards(() => running.unsubscribe());
  ensureNamespace(running.server, namespace);
  return running;
};

/** A cluster that can refuse by role: `refused` holds what, as `verb plural`, or `all namespaces` for a namespaced role. */
export const guardedWorld = async (speed = 50) => {
  const refused = new Set<string>();
  const running = runningWorld(speed);
  const forbid = ({ plural }: Resource, verb: Verb, where: string | undefined): boolean =>
    refused.has(`${verb} ${plural}`) ||
    (refused.has('all namespaces') && where !== namespace && plural !== resources.kubeVirts.plural);
  return { ...running, refused, ...(await serve(running.server, { forbid })) };
};

export const migrationOf = (name: string, machines: readonly string[]): KubeObject => ({
  apiVersion: 'transship.dev/v1alpha1',
  kind: 'StorageMigration',
  metadata: { name, namespace },
  spec: {
    virtualMachines: machines.map((machine) => ({
      name: machine,
      volumes: [{ name: 'disk0', target: { claimName: `${machine}-new` } }],
    })),
  },
});

/** A machine with one disk and a claim to move it to. */
export const makeMachine = ({ people }: World, name: string, runStrategy: 'Always' | 'Halted'): void => {
  people.createVm({
    name,
    namespace,
    runStrategy,
    disks: [{ name: 'disk0', claim: `${name}-old`, target: `${name}-new` }],
  });
};

interface StatusShown {
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly virtualMachines?: readonly { readonly name: string; readonly mode: string; readonly message: string }[];
}

/** The status of a StorageMigration as people read it. */
export const statusOf = (server: ApiServer, name: string): StatusShown =>
  (server.read(resources.storageMigrations, { namespace, name })?.['status'] ?? {}) as StatusShown;

export const conditionOf = (server: ApiServer, name: string, type: string) =>
  statusOf(server, name).conditions?.find((condition) => condition.type === type);

export const modeOf = (server: ApiServer, migration: string, machine: string): string | undefined =>
  statusOf(server, migration).virtualMachines?.find((entry) => entry.name === machine)?.mode;

export interface Gate {
  readonly url: string;
  /** `method path` of every request that came, without its query. */
  readonly seen: readonly string[];
  /** Requests that are held up; nothing of them has reached the server. */
  readonly held: readonly { release(): void }[];
}

/** Lets all requests through to the server but those that `holds`. */
export const gate = async (server: string, holds: (request: IncomingMessage) => boolean): Promise<Gate> => {
  const seen: string[] = [];
  const held: { release(): void }[] = [];
  const pass = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, headers, url = '/' } = request;
    const through = ask(`${server}${url}`, { ...(method === undefined ? {} : { method }), headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    through.on('error', () => response.destroy());
    response.on('close', () => through.destroy());
    request.pipe(through);
  };
  const http = createServer((request, response) => {
    seen.push(`${request.method} ${(request.url ?? '').split('?', 1)[0]}`);
    if (holds(request)) held.push({ release: () => pass(request, response) });
    else pass(request, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  afterwards(
    () =>
      new Promise<void>((closed) => {
        http.close(() => closed());
        http.closeAllConnections();
      }),
  );
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return { url: `http://127.0.0.1:${address.port}`, seen, held };
};
