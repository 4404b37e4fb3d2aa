// The one table of options: what they are called, what they mean, what they may be. The parser, the help and the names
// in the environment all come from here.
import {
  duration,
  hostAndPort,
  namespaceNames,
  nonEmptyText,
  oneOf,
  optional,
  type ValueKind,
  wholeNumber,
} from './configValues.ts';

export interface Option<T> {
  readonly flag: string;
  readonly group: 'Cluster' | 'Process' | 'Migrations' | 'Copies' | 'Requests' | 'Watches';
  readonly kind: ValueKind<T>;
  /** As it would be typed; absent: the option may be left out, and `otherwise` says what happens then. */
  readonly fallback?: string;
  readonly otherwise?: string;
  readonly help: string;
}

const option = <T>(
  group: Option<T>['group'],
  flag: string,
  kind: ValueKind<T>,
  fallback: string,
  help: string,
): Option<T> => ({
  flag,
  group,
  kind,
  fallback,
  help,
});

const open = <T>(
  group: Option<T>['group'],
  flag: string,
  kind: ValueKind<T>,
  otherwise: string,
  help: string,
): Option<T | undefined> => ({ flag, group, kind: optional(kind), otherwise, help });

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

export const options = {
  kubeconfig: open(
    'Cluster',
    'kubeconfig',
    nonEmptyText('file'),
    '$KUBECONFIG, ~/.kube/config or the service account of the pod',
    'Kubeconfig of the cluster.',
  ),
  context: open('Cluster', 'context', nonEmptyText('name'), 'the current one', 'Context of the kubeconfig.'),
  namespaces: open(
    'Cluster',
    'namespace',
    namespaceNames,
    'all',
    'Namespace to work in; may be given more than once. Without it Transship needs rights in the whole cluster.',
  ),

  logLevel: option(
    'Process',
    'log-level',
    oneOf(['debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'info',
    'How much is logged.',
  ),
  http: option(
    'Process',
    'http-address',
    hostAndPort,
    ':8080',
    'Where metrics and health are served; without a host on every address.',
  ),
  startupHoldMs: option(
    'Process',
    'startup-hold',
    duration(0, hour),
    '20s',
    'Nothing is begun for this long after the start, because writes of the process before may still land; what must end ends at once. Not less than --request-timeout.',
  ),
  shutdownMs: option(
    'Process',
    'shutdown-timeout',
    duration(0, hour),
    '25s',
    'How long writes under way may take when the process is told to stop. Less than the grace period of its pod.',
  ),

  settleMs: option(
    'Migrations',
    'settle',
    duration(0, hour),
    '1s',
    'A machine must keep still for this long before a live migration or a copy is started.',
  ),
  settleMaxMs: option(
    'Migrations',
    'settle-max',
    duration(0, hour),
    '30s',
    'However restless a machine is, its mode counts as settled after this time. Not less than --settle.',
  ),
  cutOverQuietMs: option(
    'Migrations',
    'cut-over-quiet',
    duration(second, hour),
    '5s',
    'No start or stop of a machine may have been seen for this long before it is cut over.',
  ),
  maxLiveAttempts: option(
    'Migrations',
    'max-live-attempts',
    wholeNumber(1, 1000),
    '3',
    'Live migrations of one running machine that may be begun, and taken back by somebody else, before it is given up.',
  ),
  maxFailedMigrations: option(
    'Migrations',
    'max-failed-migrations',
    wholeNumber(1, 5),
    '5',
    'Failed tries of KubeVirt within one live migration before it is taken back and the machine given up. KubeVirt remembers no more than 5.',
  ),
  moveGapMs: option(
    'Migrations',
    'move-gap',
    duration(0, hour),
    '5s',
    'Least time between two patches that begin a move of the same machine, also when somebody has taken the first back.',
  ),
  resyncMs: option(
    'Migrations',
    'resync',
    duration(second, 24 * hour),
    '1m',
    'Every machine is looked at again this often, even if nothing happens.',
  ),
  statusMs: option(
    'Migrations',
    'status-interval',
    duration(0, hour),
    '1s',
    'Progress in the status is written at most this often.',
  ),
  auditMs: option(
    'Migrations',
    'audit',
    duration(0, 10 * second),
    '2ms',
    'While much happens in the cluster, everything is decided anew at most this often.',
  ),

  copyImage: option(
    'Copies',
    'copy-image',
    nonEmptyText('image'),
    'transship:0.1.0',
    "Image of the pods that copy disks of stopped machines: the daemon's own image.",
  ),
  gatherMs: option(
    'Copies',
    'gather',
    duration(0, hour),
    '5s',
    'How long a copy server waits for machines that are still stopping, to serve them all.',
  ),
  maxCopyFailures: option(
    'Copies',
    'max-copy-failures',
    wholeNumber(1, 1000),
    '5',
    'Copies of one disk that may fail before it is given up.',
  ),
  copyRetryMs: option(
    'Copies',
    'copy-retry',
    duration(0, hour),
    '10s',
    'Wait after the first failed copy of a disk; it doubles with each further one.',
  ),
  progressMs: option(
    'Copies',
    'progress-interval',
    duration(second, hour),
    '10s',
    'Running copies are asked this often how far they are.',
  ),
  concurrentCreates: option(
    'Copies',
    'concurrent-creates',
    wholeNumber(1, 100),
    '4',
    'Pods of one StorageMigration that are created at the same time.',
  ),

  requestTimeoutMs: option(
    'Requests',
    'request-timeout',
    duration(second, hour),
    '15s',
    'How long a request to the API server may take.',
  ),
  listTimeoutMs: option(
    'Requests',
    'list-timeout',
    duration(second, hour),
    '1m',
    'How long one page of a list may take.',
  ),
  connectTimeoutMs: option(
    'Requests',
    'connect-timeout',
    duration(100, 10 * minute),
    '10s',
    'How long making a connection may take.',
  ),
  maxConnections: option(
    'Requests',
    'max-connections',
    wholeNumber(1, 1000),
    '32',
    'Most requests under way at once, watches not counted.',
  ),
  lateWriteMs: option(
    'Requests',
    'late-write',
    duration(second, hour),
    '20s',
    'How long a write that was not answered may still take effect. Not less than --request-timeout.',
  ),
  retryMs: option(
    'Requests',
    'retry',
    duration(10, hour),
    '250ms',
    'Wait after a write that was refused or not answered; it doubles with each further one.',
  ),
  retryMaxMs: option('Requests', 'retry-max', duration(10, hour), '30s', 'The longest of these waits.'),

  pageSize: option('Watches', 'page-size', wholeNumber(1, 10_000), '500', 'Most objects in one page of a list.'),
  idleMs: option(
    'Watches',
    'watch-idle',
    duration(second, hour),
    '2m30s',
    'A watch that is silent for this long counts as broken. Bookmarks come about once a minute.',
  ),
  backoffMs: option(
    'Watches',
    'watch-backoff',
    duration(10, hour),
    '250ms',
    'Wait after the first failure of a watch; it doubles with each further one.',
  ),
  maxBackoffMs: option('Watches', 'watch-backoff-max', duration(10, hour), '30s', 'The longest of these waits.'),
} as const satisfies Readonly<Record<string, Option<unknown>>>;

type ValueOf<O> = O extends Option<infer T> ? T : never;

/** The value of every option, by its name in the table. */
export type Values = { readonly [name in keyof typeof options]: ValueOf<(typeof options)[name]> };

/** The name of an option in the environment, for example `TRANSSHIP_LOG_LEVEL`. */
export const environmentName = (flag: string): string => `TRANSSHIP_${flag.toUpperCase().replaceAll('-', '_')}`;
