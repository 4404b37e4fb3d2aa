#!/usr/bin/env node
// The process: command line, wiring, shutdown, and the only subscribe. Exit codes: 0 after an orderly end, 1 after a
// bug, 2 when it was started wrongly. A bug ends the process at once, because starting again is safe by design.
import { hostname } from 'node:os';
import { asyncScheduler, config as rxjsConfig, Subject, timer } from 'rxjs';
import { type Config, parseConfig } from './config.ts';
import type { Log } from './core/log.ts';
import { daemon } from './daemon.ts';
import { connect } from './kube/client.ts';
import { loadKubeConfig } from './kube/clientConfig.ts';
import { serveHttp } from './observe/http.ts';
import { createLog } from './observe/log.ts';
import { createMetrics } from './observe/metrics.ts';
import { report } from './report.ts';
import { version } from './version.ts';

const startedWrongly = 2;

const fail = (messages: readonly string[]): never => {
  for (const message of messages) process.stderr.write(`transship: ${message}\n`);
  process.exit(startedWrongly);
};

const run = async (config: Config): Promise<void> => {
  const log = createLog({ level: config.logLevel });
  const loaded = loadKubeConfig({ path: config.kubeconfig, context: config.context });
  if (loaded.kind === 'mistake') return fail([loaded.message]);
  const api = connect(loaded.kubeConfig, config.connection);
  const now = (): number => asyncScheduler.now();
  const told = report({ log, metrics: () => metrics, now });
  const metrics = createMetrics({ version, observe: told.observed });
  const http = await serveHttp({ ...config.http, exposition: metrics.exposition, notReady: told.notReady, log });
  log.info('Transship has started', { version, server: loaded.server, port: http.port });

  const stop$ = new Subject<void>();
  const end = async (code: number): Promise<void> => {
    await http.close();
    api.close();
    log.info('Transship has ended', { code });
    // A stream that failed may have left timers behind, and nothing of them is wanted.
    process.exit(code);
  };
  onBug(log, () => end(1));
  onSignals(log, config.shutdownMs, stop$, end);
  daemon(
    api,
    {
      ...config,
      watch: { ...config.watch, random: Math.random },
      instance: process.env['POD_NAME'] ?? hostname(),
      onSignal: told.onSignal,
      onSnapshot: told.onSnapshot,
    },
    stop$,
  ).subscribe({
    next: told.onHappening,
    complete: () => void end(0),
  });
};

/** SIGTERM and SIGINT: no new work; writes under way end or time out; a second signal does not wait. */
const onSignals = (log: Log, shutdownMs: number, stop$: Subject<void>, end: (code: number) => Promise<void>): void => {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return void end(0);
    stopping = true;
    log.info('Transship was told to end', { signal });
    timer(shutdownMs).subscribe(() => void end(0));
    stop$.next();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};

/** Whatever nobody expected: said, and the end. */
const onBug = (log: Log, end: () => Promise<void>): void => {
  const die = (err: unknown): void => {
    log.fatal('A bug ends this process', { err });
    void end();
  };
  rxjsConfig.onUnhandledError = die;
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
};

const parsed = parseConfig(process.argv.slice(2), process.env);
switch (parsed.kind) {
  case 'help':
    process.stdout.write(parsed.text);
    break;
  case 'version':
    process.stdout.write(`${version}\n`);
    break;
  case 'mistakes':
    fail(parsed.mistakes);
    break;
  case 'config':
    await run(parsed.config);
    break;
  default:
    parsed satisfies never;
}
