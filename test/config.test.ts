// The command line and the environment as a configuration, or as every mistake that is in them.
import { describe, expect, test } from 'vitest';
import { type Config, parseConfig } from '../src/config.ts';
import { environmentName, type Option, options } from '../src/configOptions.ts';
import type { DaemonOptions } from '../src/daemon.ts';
import type { ConnectOptions } from '../src/kube/clientSend.ts';

const configOf = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Config => {
  const parsed = parseConfig(argv, env);
  if (parsed.kind !== 'config') throw new Error(JSON.stringify(parsed));
  return parsed.config;
};

const mistakesOf = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): readonly string[] => {
  const parsed = parseConfig(argv, env);
  return parsed.kind === 'mistakes' ? parsed.mistakes : [`no mistakes but ${parsed.kind}`];
};

const all: readonly Option<unknown>[] = Object.values(options);

describe('parseConfig', () => {
  test('has a default for everything, and what it makes is what the daemon and the client take', () => {
    const config = configOf([]);
    const daemon: Omit<DaemonOptions, 'watch' | 'instance' | 'randomHex'> = config;
    const watch: Omit<DaemonOptions['watch'], 'random'> = config.watch;
    const connection: Partial<ConnectOptions> = config.connection;
    expect([daemon.settleMs, daemon.limits.maxLiveAttempts, watch.pageSize, connection.requestTimeoutMs]).toStrictEqual(
      [1000, 3, 500, 15_000],
    );
    expect(config).toMatchObject({
      kubeconfig: undefined,
      namespaces: undefined,
      http: { port: 8080 },
      logLevel: 'info',
    });
  });

  test('reads --flag value, --flag=value and the environment, and the command line counts more', () => {
    const env = { TRANSSHIP_SETTLE: '3s', TRANSSHIP_GATHER: '4s', TRANSSHIP_RESYNC: '' };
    const config = configOf(['--settle', '2s', '--log-level=debug'], env);
    expect([config.settleMs, config.limits.gatherMs, config.resyncMs, config.logLevel]).toStrictEqual([
      2000,
      4000,
      60_000,
      'debug',
    ]);
  });

  test.each([
    ['500ms', 500],
    ['1s', 1000],
    ['1.5s', 1500],
    ['1m', 60_000],
    ['1m30s', 90_000],
    ['0', 0],
  ])('reads the duration %s as %d ms', (text, ms) => {
    expect(configOf([`--gather=${text}`]).limits.gatherMs).toBe(ms);
  });

  test('takes namespaces by commas and by repetition, each once', () => {
    const config = configOf(['--namespace', 'shop,web', '--namespace=shop', '--namespace', 'db']);
    expect(config.namespaces).toStrictEqual(['shop', 'web', 'db']);
    expect(config.watch.namespaces).toStrictEqual(['shop', 'web', 'db']);
    expect(configOf([], { TRANSSHIP_NAMESPACE: 'a, b' }).namespaces).toStrictEqual(['a', 'b']);
  });

  test.each([
    [':8081', { port: 8081 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
  ])('reads the address %s', (text, http) => {
    expect(configOf([`--http-address=${text}`]).http).toStrictEqual(http);
  });

  test('reports every mistake at once', () => {
    const argv = [
      '--settel=2s',
      '--gather=soon',
      '--max-live-attempts',
      '0',
      'extra',
      '--log-level=loud',
      '--http-address=8080',
      '--context',
    ];
    expect(mistakesOf(argv, { TRANSSHIP_PAGE_SIZE: 'many', TRANSSHIP_NAMESPACE: 'Shop' })).toStrictEqual([
      '--settel: no such option; did you mean --settle?',
      '"extra" is not an option: options begin with --',
      '--context: has no value',
      'TRANSSHIP_NAMESPACE: "Shop" is not the name of a namespace',
      '--log-level: "loud" is not one of debug, info, warn, error, fatal, silent',
      '--http-address: "8080" is not an address such as 127.0.0.1:8080 or :8080',
      '--max-live-attempts: 0 is not between 1 and 1000',
      '--gather: "soon" is not a duration such as 500ms, 10s or 2m',
      'TRANSSHIP_PAGE_SIZE: "many" is not a whole number',
    ]);
  });

  test('does not guess what a flag was meant to be when none is near', () => {
    expect(mistakesOf(['--colour', 'red'])).toStrictEqual(['--colour: no such option; see --help']);
  });

  test('refuses an option that is given twice', () => {
    expect(mistakesOf(['--settle=1s', '--settle=2s'])).toStrictEqual(['--settle: is given more than once']);
  });

  test('refuses bounds that contradict each other', () => {
    expect(mistakesOf(['--request-timeout=1m', '--settle=2m', '--retry-max=100ms'])).toStrictEqual([
      '--settle-max: 30s is less than --settle, which is 2m',
      '--startup-hold: 20s is less than --request-timeout, which is 1m',
      '--late-write: 20s is less than --request-timeout, which is 1m',
      '--retry-max: 100ms is less than --retry, which is 250ms',
    ]);
  });

  test('shows help and version whatever else is given', () => {
    expect(parseConfig(['--nonsense', '--version'], {})).toStrictEqual({ kind: 'version' });
    expect(parseConfig(['--version', '-h'], {}).kind).toBe('help');
  });

  test('names in the help every option with its default and its name in the environment', () => {
    const parsed = parseConfig(['--help'], {});
    const text = parsed.kind === 'help' ? parsed.text.replace(/\s+/g, ' ') : '';
    for (const { flag, fallback, otherwise, help } of all) {
      expect(text).toContain(`--${flag}=<`);
      expect(text).toContain(`${help} Default: ${fallback ?? otherwise}. Environment: ${environmentName(flag)} `);
    }
  });

  test('has names of its own in the environment, which Kubernetes does not set for a service called transship', () => {
    const names = all.map(({ flag }) => environmentName(flag));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^TRANSSHIP_[A-Z_]+$/);
    for (const name of names) expect(name).not.toMatch(/_(PORT|HOST)$|_PORT_/);
  });
});
