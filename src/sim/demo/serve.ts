// `--serve`: a cluster to try by hand. A few machines, a migration to apply, and what to type; it plays nothing and
// runs until it is told to end.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { labels, roles } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import { ensureNamespace, type World } from '../scenario/world.ts';
import type { Stage, StageOptions } from './stage.ts';

const namespace = 'shop';
const migration = 'empty-old-array';

const machines = [
  { name: 'web-1', on: true },
  { name: 'web-2', on: true },
  { name: 'db-1', on: false },
  { name: 'db-2', on: false },
] as const;

/** How long a copy of a disk takes, live or offline: long enough to type something in the middle. */
const copyMs = 20_000;

/** With this a real copy takes about as long: three quarters of 8 MiB are worth sending. */
const realBandwidthLimit = '300Ki';

/** The stage for it, at the speed of a real cluster. */
export const serveOptions = (logFile: string | undefined, realCopies: boolean): StageOptions => ({
  speed: 1,
  logFile,
  keepFiles: true,
  namespace,
  world: {
    kubeVirt: { liveCopyMs: copyMs },
    copy: { durationMs: copyMs },
    ...(realCopies ? { realCopies: {} } : {}),
  },
});

const volume = 'rootdisk';

const furnish = (world: World): void => {
  ensureNamespace(world.server, namespace);
  for (const { name, on } of machines) {
    world.people.createVm({
      name,
      namespace,
      runStrategy: on ? 'Always' : 'Halted',
      disks: [{ name: volume, claim: `${name}-root`, size: '10Gi', storageClassName: 'old-array' }],
    });
  }
};

const manifest = ({ copiesAreReal }: World): string =>
  stringify({
    apiVersion: `${resources.storageMigrations.group}/${resources.storageMigrations.version}`,
    kind: resources.storageMigrations.kind,
    metadata: { name: migration, namespace },
    spec: {
      virtualMachines: machines.map(({ name }) => ({
        name,
        volumes: [{ name: volume, target: { claimName: `${name}-root-fast`, storageClassName: 'fast' } }],
      })),
      ...(copiesAreReal ? { transfer: { bandwidthLimit: realBandwidthLimit } } : {}),
    },
  });

const patched = (name: string, runStrategy: string): string =>
  `kubectl patch vm ${name} --type merge -p '{"spec":{"runStrategy":"${runStrategy}"}}'`;

const guide = (
  url: string,
  kubeconfig: string,
  file: string,
): string => `A simulated cluster with KubeVirt, and Transship on it, are running: ${url}
In namespace ${namespace} web-1 and web-2 are on, db-1 and db-2 are off. In another terminal:

  export KUBECONFIG=${kubeconfig}
  kubectl get vm,pvc
  kubectl apply -f ${file}
  kubectl get smig -w
  kubectl get pods -w
  kubectl logs -f -l ${labels.role}=${roles.client} --prefix

Every copy takes ${copyMs / 1000} seconds. Meanwhile start a machine that is being copied offline, or stop one that is being moved
live, and see Transship change its mind:

  ${patched('db-1', 'Always')}
  ${patched('web-1', 'Halted')}
  kubectl describe smig ${migration}
  kubectl get events --sort-by=.metadata.creationTimestamp

Ctrl-C ends it and leaves nothing behind.
`;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The part of a process that this needs. */
export interface Host {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  once(signal: (typeof signals)[number], listener: () => void): unknown;
}

/** Serves until the process is told to end, or the daemon does by a bug; gives the exit code. */
export const serve = async (stage: Stage, host: Host): Promise<number> => {
  const ended = new Promise<number>((resolve) => {
    for (const signal of signals) host.once(signal, () => resolve(0));
    stage.happening$.subscribe({
      error: (failure) => {
        host.stderr.write(`demo: Transship has ended because of a bug: ${failure}\n`);
        resolve(1);
      },
    });
  });
  furnish(stage.world);
  const file = join(stage.directory, `${migration}.yaml`);
  writeFileSync(file, manifest(stage.world));
  host.stdout.write(guide(stage.url, stage.kubeconfig, file));
  const code = await ended;
  await stage.close();
  return code;
};
