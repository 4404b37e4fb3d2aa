// A simulated cluster and Transship on it, in one process but with HTTP on loopback between them: the daemon reads a
// kubeconfig and speaks to the cluster through the same client as to a real one.
// Guarantees: after close() no socket, timer or file of it is left, and the directory goes even if the process crashes.
import { mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncScheduler, type Observable, Subject } from 'rxjs';
import { stringify } from 'yaml';
import { daemon } from '../../daemon.ts';
import type { Happening } from '../../effects/happening.ts';
import { connect } from '../../kube/client.ts';
import { loadKubeConfig } from '../../kube/clientConfig.ts';
import { createLog } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { type Report, report } from '../../report.ts';
import { version } from '../../version.ts';
import { serveHttp } from '../http/serveHttp.ts';
import { daemonOptions } from '../scenario/daemonOptions.ts';
import { type World, type WorldOptions, world } from '../scenario/world.ts';

export interface StageOptions {
  readonly speed: number;
  /** Lines of the daemon's log are appended to this file; absent: nothing is logged. */
  readonly logFile: string | undefined;
  /** Keeps directory and kubeconfig until close(); otherwise they are gone as soon as the kubeconfig was read. */
  readonly keepFiles: boolean;
  readonly world?: WorldOptions;
  /** The namespace that the kubeconfig names. */
  readonly namespace?: string;
}

export interface Stage {
  readonly world: World;
  readonly url: string;
  /** A directory of this stage's own, for files to show. */
  readonly directory: string;
  readonly kubeconfig: string;
  /** What the daemon does; errors when it ends because of a bug. */
  readonly happening$: Observable<Happening>;
  close(): Promise<void>;
}

const daemonAgent = 'transship';

const kubeconfigFor = (url: string, namespace: string): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'simulated', cluster: { server: url } }],
    users: [{ name: 'user', user: {} }],
    contexts: [{ name: 'simulated', context: { cluster: 'simulated', user: 'user', namespace } }],
    'current-context': 'simulated',
  });

const reportInto = (logFile: string): Report => {
  const file = openSync(logFile, 'a');
  const log = createLog({ level: 'debug', destination: { write: (line) => void writeSync(file, line) } });
  const told: Report = report({ log, metrics: () => metrics, now: () => asyncScheduler.now() });
  const metrics = createMetrics({ version, observe: told.observed, processMetrics: false });
  return told;
};

/** Throws when the log file cannot be opened. */
export const openStage = async (options: StageOptions): Promise<Stage> => {
  const { speed, logFile } = options;
  const told = logFile === undefined ? undefined : reportInto(logFile);
  const cluster = world({ speed, ...options.world });
  const actor = (userAgent: string): string => (userAgent.startsWith(daemonAgent) ? 'daemon' : 'user');
  const http = await serveHttp(cluster.server, { actor });

  const directory = mkdtempSync(join(tmpdir(), 'transship-demo-'));
  const clear = (): void => rmSync(directory, { recursive: true, force: true });
  process.once('exit', clear);
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigFor(http.url, options.namespace ?? 'default'));

  const loaded = loadKubeConfig({ path: kubeconfig });
  if (!options.keepFiles) clear();
  if (loaded.kind === 'mistake') throw new Error(loaded.message);
  const connection = connect(loaded.kubeConfig, { userAgent: daemonAgent });
  const happening$ = new Subject<Happening>();
  const hooks = told === undefined ? {} : { onSignal: told.onSignal, onSnapshot: told.onSnapshot };
  const running = daemon(connection, { ...daemonOptions(speed, Math.random), ...hooks }, new Subject()).subscribe({
    next: (happening) => {
      told?.onHappening(happening);
      happening$.next(happening);
    },
    error: (failure) => happening$.error(failure),
  });

  const close = async (): Promise<void> => {
    process.off('exit', clear);
    clear();
    running.unsubscribe();
    cluster.unsubscribe();
    await connection.close();
    await http.close();
  };
  return { world: cluster, url: http.url, directory, kubeconfig, happening$, close };
};
