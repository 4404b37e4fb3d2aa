// Command line and environment -> Config, every bound of the daemon among it. Pure: what the process was given comes in
// as arguments. All mistakes are reported at once, because people mend them one by one otherwise.
import { commandLineOf } from './configCommandLine.ts';
import { helpText } from './configHelp.ts';
import { environmentName, type Option, options, type Values } from './configOptions.ts';
import { durationText } from './configValues.ts';
import { nearest } from './core/nearest.ts';

/** What the daemon runs with. The parts are what the modules of the same name are given. */
export interface Config
  extends Pick<
    Values,
    'kubeconfig' | 'context' | 'namespaces' | 'logLevel' | 'http' | 'copyImage' | 'progressMs' | 'shutdownMs'
  > {
  readonly settleMs: number;
  readonly settleMaxMs: number;
  readonly resyncMs: number;
  readonly auditMs: number;
  readonly startupHoldMs: number;
  readonly lateWriteMs: number;
  readonly limits: Pick<
    Values,
    | 'cutOverQuietMs'
    | 'maxLiveAttempts'
    | 'maxFailedMigrations'
    | 'maxCopyFailures'
    | 'copyRetryMs'
    | 'gatherMs'
    | 'retryMs'
    | 'retryMaxMs'
    | 'moveGapMs'
    | 'statusMs'
    | 'concurrentCreates'
  >;
  readonly watch: Pick<Values, 'namespaces' | 'pageSize' | 'idleMs' | 'backoffMs' | 'maxBackoffMs' | 'listTimeoutMs'>;
  readonly connection: Pick<Values, 'requestTimeoutMs' | 'listTimeoutMs' | 'connectTimeoutMs' | 'maxConnections'>;
}

export type ParsedConfig =
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly string[] };

const all = Object.entries<Option<unknown>>(options);
const flags = new Set(all.map(([, { flag }]) => flag));

const unknownFlag = (flag: string): string => {
  const meant = nearest(flag, [...flags, 'help', 'version']);
  return `--${flag}: no such option${meant === undefined ? '; see --help' : `; did you mean --${meant}?`}`;
};

/** Options that bound each other: the first must not be less than the second. */
const orders: readonly (readonly [keyof Values, keyof Values])[] = [
  ['settleMaxMs', 'settleMs'],
  ['startupHoldMs', 'requestTimeoutMs'],
  ['lateWriteMs', 'requestTimeoutMs'],
  ['retryMaxMs', 'retryMs'],
  ['maxBackoffMs', 'backoffMs'],
];

const disorders = (values: Partial<Values>): string[] =>
  orders.flatMap(([larger, smaller]) => {
    const [most, least] = [values[larger], values[smaller]];
    if (typeof most !== 'number' || typeof least !== 'number' || most >= least) return [];
    const names = `--${options[larger].flag}: ${durationText(most)} is less than --${options[smaller].flag}`;
    return [`${names}, which is ${durationText(least)}`];
  });

const configOf = (values: Values): Config => ({
  kubeconfig: values.kubeconfig,
  context: values.context,
  namespaces: values.namespaces,
  logLevel: values.logLevel,
  http: values.http,
  copyImage: values.copyImage,
  progressMs: values.progressMs,
  shutdownMs: values.shutdownMs,
  settleMs: values.settleMs,
  settleMaxMs: values.settleMaxMs,
  resyncMs: values.resyncMs,
  auditMs: values.auditMs,
  startupHoldMs: values.startupHoldMs,
  lateWriteMs: values.lateWriteMs,
  limits: {
    cutOverQuietMs: values.cutOverQuietMs,
    maxLiveAttempts: values.maxLiveAttempts,
    maxFailedMigrations: values.maxFailedMigrations,
    maxCopyFailures: values.maxCopyFailures,
    copyRetryMs: values.copyRetryMs,
    gatherMs: values.gatherMs,
    retryMs: values.retryMs,
    retryMaxMs: values.retryMaxMs,
    moveGapMs: values.moveGapMs,
    statusMs: values.statusMs,
    concurrentCreates: values.concurrentCreates,
  },
  watch: {
    namespaces: values.namespaces,
    pageSize: values.pageSize,
    idleMs: values.idleMs,
    backoffMs: values.backoffMs,
    maxBackoffMs: values.maxBackoffMs,
    listTimeoutMs: values.listTimeoutMs,
  },
  connection: {
    requestTimeoutMs: values.requestTimeoutMs,
    listTimeoutMs: values.listTimeoutMs,
    connectTimeoutMs: values.connectTimeoutMs,
    maxConnections: values.maxConnections,
  },
});

/** Reads what the process was given: `argv` without the program's name, and the environment. */
export const parseConfig = (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ParsedConfig => {
  const { wants, given, mistakes: misread } = commandLineOf(argv, flags, unknownFlag);
  if (wants === 'help') return { kind: 'help', text: helpText() };
  if (wants === 'version') return { kind: 'version' };

  const mistakes = [...misread];
  const values: Record<string, unknown> = {};
  for (const [name, { flag, kind, fallback }] of all) {
    const onLine = given.get(flag);
    const inEnvironment = env[environmentName(flag)];
    // An empty variable is one that was not set.
    const texts = onLine ?? (inEnvironment ? [inEnvironment] : fallback === undefined ? undefined : [fallback]);
    const where = onLine === undefined ? environmentName(flag) : `--${flag}`;
    if (onLine !== undefined && onLine.length > 1 && !kind.repeatable)
      mistakes.push(`${where}: is given more than once`);
    if (texts === undefined) {
      values[name] = undefined;
      continue;
    }
    const parsed = kind.parse(texts);
    if (parsed.kind === 'value') values[name] = parsed.value;
    else mistakes.push(`${where}: ${parsed.message}`);
  }
  mistakes.push(...disorders(values));
  if (mistakes.length > 0) return { kind: 'mistakes', mistakes };
  // Every option of the table has been given its value above.
  return { kind: 'config', config: configOf(values as Values) };
};
