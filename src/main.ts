#!/usr/bin/env node
// The process: command line, wiring, shutdown, and the only subscribe. Exit codes: 0 after an orderly end, 1 after a
// bug, 2 when it was started wrongly. A bug ends the process at once, because starting again is safe by design.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { asyncScheduler, ReplaySubject, config as rxjsConfig, timer } from 'rxjs';
import { type Config, parseConfig } from './config.ts';
import { errorMessage } from './core/errorMessage.ts';
import type { Log } from './core/log.ts';
import { daemon } from './daemon.ts';
import { type Connection, connect } from './kube/client.ts';
import { loadKubeConfig } from './kube/clientConfig.ts';
import { type HttpServer, serveHttp } from './observe/http.ts';
import { createLog } from './observe/log.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { type Report, report } from './report.ts';
import { version } from './version.ts';

const startedWrongly = 2;

const fail = (messages: readonly string[]): never => {
  for (const message of messages) process.stderr.write(`transship: ${message}\n`);
  process.exit(startedWrongly);
};

const run = async (config: Config): Promise<void> => {
  const log = createLog({ level: config.logLevel });
  endOnBug(log);
  const loaded = loadKubeConfig({ path: config.kubeconfig, context: config.context });
  if (loaded.kind === 'mistake') return fail([loaded.message]);
  // Heard before anything is listened on: process 1 of a container is deaf to signals that it does not handle.
  const ending = endOnSignal(log, config.shutdownMs);
  const api = connect(loaded.kubeConfig, config.connection);
  const now = (): number => asyncScheduler.now();
  const told: Report = report({ log, metrics: () => metrics, now });
  const metrics: Metrics = createMetrics({ version, observe: told.observed });
  const notReady = () => (ending.begun() ? ['Transship is ending'] : told.notReady());
  const http = await listening({ ...config.http, exposition: metrics.exposition, notReady, log });
  ending.closes(http, api);
  log.info('Transship has started', { version, server: api.server, port: http.port });
  daemon(
    api,
    {
      ...config,
      watch: { ...config.watch, random: Math.random },
      randomHex: (bytes) => randomBytes(bytes).toString('hex'),
      instance: process.env['POD_NAME'] ?? hostname(),
      onSignal: told.onSignal,
      onSnapshot: told.onSnapshot,
    },
    ending.stop$,
  ).subscribe({ next: told.onHappening, complete: ending.complete });
};

/** An address that cannot be listened on is a mistake of whoever started the process. */
const listening = (options: Parameters<typeof serveHttp>[0]): Promise<HttpServer> =>
  serveHttp(options).catch((error: unknown) => fail([errorMessage(error)]));

/**
 * SIGTERM and SIGINT: no new work; writes under way end, or are given up after `shutdownMs`; a second signal waits for
 * nothing.
 */
const endOnSignal = (log: Log, shutdownMs: number) => {
  // Replayed, because a signal may come before there is anything to stop.
  const stop$ = new ReplaySubject<void>(1);
  const open: (() => unknown)[] = [];
  let begun = false;
  let over = false;
  const exit = (): never => {
    log.info('Transship has ended');
    // A stream that was left behind may have timers, and nothing of them is wanted.
    return process.exit(0);
  };
  const end = async (): Promise<void> => {
    if (over) return;
    over = true;
    for (const close of open) await close();
    exit();
  };
  const stop = (signal: NodeJS.Signals): void => {
    if (begun) {
      log.warn('Transship was told again to end and waits for nothing', { signal });
      exit();
    }
    begun = true;
    log.info('Transship was told to end', { signal, shutdownMs });
    timer(shutdownMs).subscribe(() => {
      if (!over) log.warn('Writes under way were not answered in time and are given up', { shutdownMs });
      void end();
    });
    stop$.next();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return {
    stop$,
    begun: () => begun,
    /** Connections that are idle by then close by themselves with the process. */
    closes: (http: HttpServer, api: Connection) => open.push(http.close, () => void api.close()),
    complete: () => void end(),
  };
};

/** Whatever nobody expected: said, and the end, before anything else is done on wrong grounds. */
const endOnBug = (log: Log): void => {
  const die = (err: unknown): never => {
    log.fatal('A bug ends this process', { err });
    return process.exit(1);
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
