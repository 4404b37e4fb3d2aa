// One whole benchmark: the cluster is made once, daemons are started on it one after the other, and the last of them
// has to react. Whatever is started here has ended when the result is there, or the error.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../config.ts';
import { builtProgram } from './builtProgram.ts';
import { type Cluster, startCluster } from './cluster.ts';
import type { Wish } from './commandLine.ts';
import { type CountedMigration, countRequests } from './countRequests.ts';
import { type DaemonProcess, startDaemon } from './daemonProcess.ts';
import type { Disturbance } from './reactions.ts';
import type { ReactionSample, Results, SyncRun } from './results.ts';

/** Machines that are disturbed in each way, at most. */
const mostSamples = 320;
const burst = 20;

const kubeconfigOf = (url: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server: url } }],
    users: [{ name: 'bench', user: {} }],
  });

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const syncOf = async (cluster: Cluster, daemon: DaemonProcess, { idleSeconds }: Wish): Promise<SyncRun> => {
  const { previousFirstRequestMs } = await cluster.ask({ kind: 'expectDaemon' }, 'expecting');
  await wait(idleSeconds * 1000);
  const { residentBytes, cpuSeconds } = await daemon.usage();
  return {
    startToReadyMs: daemon.readyMs - daemon.startedMs,
    firstRequestToReadyMs: daemon.readyMs - (previousFirstRequestMs ?? Number.NaN),
    residentMiB: residentBytes / 2 ** 20,
    cpuSeconds,
  };
};

const disturbancesFor = (migrating: number): readonly (Disturbance & { readonly how: string })[] => {
  const machines = Math.min(mostSamples, Math.max(1, Math.floor(migrating / 3)));
  return [
    { how: 'one at a time', burst: 1, machines, otherEventsPerSecond: 0 },
    { how: `bursts of ${burst}`, burst, machines, otherEventsPerSecond: 0 },
    { how: 'beside 100 events/s', burst: 1, machines, otherEventsPerSecond: 100 },
  ];
};

const countAll = (): readonly CountedMigration[] => {
  const parsed = parseConfig([], {});
  if (parsed.kind !== 'config') throw new Error('expected the defaults to be a configuration');
  const { config } = parsed;
  return (['live', 'offline'] as const).flatMap((way) =>
    [1, 10].map((machines) => countRequests(config, way, machines)),
  );
};

/** Runs it; `tell` hears what it is at. */
export const runBenchmark = async (wish: Wish, tell: (doing: string) => void): Promise<Results> => {
  const folder = mkdtempSync(join(tmpdir(), 'transship-bench-'));
  const cluster = startCluster();
  let daemon: DaemonProcess | undefined;
  const faults: string[] = [];
  const endDaemon = async (): Promise<void> => {
    const fault = await daemon?.end();
    daemon = undefined;
    if (fault !== undefined) faults.push(fault);
  };
  try {
    tell('building the program');
    const program = join(await builtProgram(folder), 'main.js');
    tell(`making a cluster of ${wish.machines} machines`);
    const sizes = { machines: wish.machines, migrating: wish.migrating };
    const { url, objects, bytes } = await cluster.ask({ kind: 'serve', sizes }, 'serving');
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, kubeconfigOf(url), { mode: 0o600 });
    const sync: SyncRun[] = [];
    for (let run = 1; run <= wish.runs; run += 1) {
      tell(`first sync, ${run} of ${wish.runs}`);
      await endDaemon();
      await cluster.ask({ kind: 'expectDaemon' }, 'expecting');
      daemon = await startDaemon(program, kubeconfig, wish.profile);
      sync.push(await syncOf(cluster, daemon, wish));
    }
    const reactions: ReactionSample[] = [];
    for (const { how, ...disturbance } of disturbancesFor(wish.migrating)) {
      tell(`reverts, ${how}`);
      const { reactions: found } = await cluster.ask({ kind: 'disturb', disturbance }, 'reacted');
      reactions.push({ how, latenciesMs: found.latenciesMs });
      faults.push(...found.faults);
      if (found.latenciesMs.length < disturbance.machines) faults.push(`${how}: not every machine was answered`);
    }
    await endDaemon();
    tell('requests of a migration');
    const requests = countAll();
    for (const { way, machines, moved } of requests) {
      if (!moved) faults.push(`the ${way} migration of ${machines} machines was not completed`);
    }
    return { ...sizes, objects, megabytes: bytes / 1e6, sync, reactions, requests, faults };
  } finally {
    await daemon?.end();
    await cluster.end();
    rmSync(folder, { recursive: true, force: true });
  }
};
