// Counts what the daemon asks of the API server for migrations that nobody disturbs, and while nothing is left to do:
// the real daemon with its default options on a whole simulated cluster, in virtual time. Every request counts, but
// for the lists and watches of the start.
import { NEVER, Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { Config } from '../../config.ts';
import { daemon } from '../../daemon.ts';
import type { JsonPatchOperation, KubeObject } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { RequestInfo } from '../cluster.ts';
import { ensureNamespace, type World, world } from '../scenario/world.ts';

export interface CountedMigration {
  readonly way: 'live' | 'offline';
  readonly machines: number;
  /** Requests by verb and kind, for example `patch storagemigrations/status`. */
  readonly requests: Readonly<Record<string, number>>;
  readonly total: number;
  readonly perMachine: number;
  /** Whether every machine was moved and no disk lost a write. */
  readonly moved: boolean;
  /** In the idle minutes after the end. */
  readonly idleRequests: Readonly<Record<string, number>>;
}

const namespace = 'shop';
const idleMs = 600_000;
/** Time in which a migration of this size is through, status and Events included. */
const movingMs = 600_000;

const count = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

/** Only a patch of the status subresource speaks of status. */
const nameOf = ({ verb, resource, body }: RequestInfo): string => {
  const { operations = [] } = (body ?? {}) as { readonly operations?: readonly JsonPatchOperation[] };
  const status = operations.some(({ path }) => path.startsWith('/status'));
  return `${verb} ${resource.plural}${status ? '/status' : ''}`;
};

const namesOf = (machines: number): readonly string[] =>
  Array.from({ length: machines }, (_, index) => `vm-${String(index).padStart(2, '0')}`);

const makeMachines = ({ server, people }: World, way: CountedMigration['way'], names: readonly string[]): void => {
  ensureNamespace(server, namespace);
  for (const name of names) {
    const disks = [{ name: 'rootdisk', claim: `${name}-old`, target: `${name}-new` }];
    people.createVm({ name, namespace, runStrategy: way === 'live' ? 'Always' : 'Halted', disks });
  }
};

const migrationOf = (names: readonly string[]): KubeObject => ({
  apiVersion: 'transship.dev/v1alpha1',
  kind: 'StorageMigration',
  metadata: { name: 'move', namespace },
  spec: {
    virtualMachines: names.map((name) => ({
      name,
      volumes: [{ name: 'rootdisk', target: { claimName: `${name}-new` } }],
    })),
  },
});

const areMoved = ({ server, disks }: World, names: readonly string[]): boolean => {
  const migration = server.read(resources.storageMigrations, { namespace, name: 'move' });
  const status = migration?.['status'] as { readonly summary?: string } | undefined;
  const lost = names.flatMap((name) => disks.lostWrites({ namespace, name }));
  return status?.summary === `${names.length}/${names.length}` && lost.length === 0;
};

/** Runs one migration of `machines` machines from its creation to its end, and then some idle minutes. */
export const countRequests = (config: Config, way: CountedMigration['way'], machines: number): CountedMigration => {
  const names = namesOf(machines);
  const busy: Record<string, number> = {};
  const idle: Record<string, number> = {};
  let counts: Record<string, number> = {};
  let moved = false;
  const onRequest = (request: RequestInfo): undefined => {
    // That the server ends watches in good order is not the daemon's doing.
    if (request.verb !== 'watch') count(counts, nameOf(request));
  };
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(() => {
    const cluster = world();
    makeMachines(cluster, way, names);
    const options = {
      ...config,
      watch: { ...config.watch, random: () => 0.5 },
      randomHex: (bytes: number) => '0'.repeat(2 * bytes),
      instance: 'bench',
    };
    const run = daemon(cluster.server.port({ actor: 'daemon', onRequest }), options, NEVER).subscribe();
    const script = new Subscription();
    const at = (ms: number, act: () => void): void => {
      script.add(scheduler.schedule(act, ms));
    };
    at(60_000, () => {
      counts = busy;
      cluster.server.create(resources.storageMigrations, migrationOf(names), 'user');
    });
    at(60_000 + movingMs, () => {
      moved = areMoved(cluster, names);
      counts = idle;
    });
    at(60_000 + movingMs + idleMs, () => {
      run.unsubscribe();
      cluster.unsubscribe();
    });
  });
  const total = Object.values(busy).reduce((sum, each) => sum + each, 0);
  return { way, machines, requests: busy, total, perMachine: total / machines, moved, idleRequests: idle };
};
