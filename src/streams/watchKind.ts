// Lists and watches one kind of object for as long as somebody is subscribed: the left edge of the way through the
// house (design §4). The client library's informer is not used: it stops for good after one broken connection.
// Guarantees: the cluster never makes it error or complete; a list begins with `init` and is whole at `ready`; after a
// break it goes on from the last version seen, or lists anew when that is too old, so that no deletion is missed; never
// two requests of one scope at a time; unsubscribing aborts the one under way.
import { asyncScheduler, concat, defer, merge, type Observable, repeat, tap, throwError, timer } from 'rxjs';
import type { Kept } from '../core/objects.ts';
import { type KubeApi, KubeFailure, type Resource } from '../kube/api.ts';
import { retryForever } from '../operators/retryForever.ts';
import { listScope } from './listScope.ts';
import type { Project } from './signalOf.ts';
import { watchScope } from './watchScope.ts';
import type { WatchSignal } from './watchSignal.ts';

export interface WatchKindOptions {
  /** One watch for each; absent: one watch over all namespaces. */
  readonly namespaces?: readonly string[] | undefined;
  readonly labelSelector?: string | undefined;
  /** Most objects in one page of a list. */
  readonly pageSize?: number;
  /** The server is asked to end each watch after a time between these two, so that not all end at once. */
  readonly shortestWatchSeconds?: number;
  readonly longestWatchSeconds?: number;
  /** A page of a list that does not come within this counts as failed. */
  readonly listTimeoutMs?: number;
  /** A watch that says nothing for this long counts as broken. Above the bookmark interval, about a minute. */
  readonly idleMs?: number;
  /** The first wait after a failure; it doubles with each further one. */
  readonly backoffMs?: number;
  readonly maxBackoffMs?: number;
  /** The back-off begins anew after this long without a failure. */
  readonly quietMs?: number;
  /** A watch that the server ends sooner than this counts as failed, or a flapping server would be asked without pause. */
  readonly flappingMs?: number;
  /** After so many refusals in a row to resume, list anew: the server may never have heard of the version. */
  readonly refusalsBeforeList?: number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** The clock, in ms. */
  readonly now?: () => number;
}

/** `idleMs` where nothing else is said. */
export const usualIdleMs = 150_000;

const defaults = {
  pageSize: 500,
  shortestWatchSeconds: 300,
  longestWatchSeconds: 600,
  listTimeoutMs: 60_000,
  idleMs: usualIdleMs,
  backoffMs: 250,
  maxBackoffMs: 30_000,
  quietMs: 60_000,
  flappingMs: 5_000,
  refusalsBeforeList: 5,
  now: (): number => asyncScheduler.now(),
};

type Settings = typeof defaults & WatchKindOptions;

const tooManyRequests = 429;
const gone = 410;

/** How far one scope has come. */
interface Position {
  /** Where to resume; undefined when only a list helps. */
  version: string | undefined;
  /** Refusals to resume from it, in a row. */
  refusals: number;
}

/** What is listed and watched, and how. */
interface Subject<T extends Kept> {
  readonly api: KubeApi;
  readonly resource: Resource;
  readonly project: Project<T>;
  readonly scope: string;
  readonly selection: { readonly namespace?: string; readonly labelSelector?: string };
  readonly settings: Settings;
}

/** Watches from the position on, again and again: the server ends every watch in good order after a while. */
const watching = <T extends Kept>(subject: Subject<T>, position: Position, advance: (to: string) => void) => {
  const { api, resource, project, scope, selection, settings } = subject;
  const { shortestWatchSeconds: shortest, longestWatchSeconds: longest } = settings;
  let startedMs = 0;
  return defer(() => {
    startedMs = settings.now();
    const timeoutSeconds = Math.round(shortest + settings.random() * (longest - shortest));
    const options = { ...selection, resourceVersion: position.version ?? '', timeoutSeconds };
    return watchScope(api, resource, project, scope, options, settings.idleMs, advance);
  }).pipe(
    repeat({
      delay: () => {
        const livedMs = settings.now() - startedMs;
        if (livedMs >= settings.flappingMs) return timer(0);
        return throwError(
          () => new KubeFailure('unknown', `the server ended the watch of ${resource.plural} after ${livedMs} ms`),
        );
      },
    }),
  );
};

/** List and watch of one scope. */
const watchOneScope = <T extends Kept>(subject: Subject<T>): Observable<WatchSignal<T>> =>
  defer(() => {
    const { api, resource, project, scope, selection, settings } = subject;
    const position: Position = { version: undefined, refusals: 0 };
    const advance = (to: string): void => {
      // That a watch was agreed to does not prove that it works.
      if (to === '' || to === position.version) return;
      position.refusals = 0;
      position.version = to;
    };
    /** Whether the version is still of use is decided before the next attempt. */
    const judge = (failure: KubeFailure): void => {
      if (failure.kind === 'status' && failure.code !== tooManyRequests) position.refusals += 1;
      if (failure.code === gone || position.refusals >= settings.refusalsBeforeList) position.version = undefined;
    };
    const pages = { ...selection, limit: settings.pageSize };
    const listing = listScope(api, resource, project, scope, pages, settings.listTimeoutMs).pipe(
      tap((signal) => {
        if (signal.kind === 'ready') advance(signal.resourceVersion);
      }),
    );
    return defer(() => {
      const watch = watching(subject, position, advance);
      return position.version === undefined ? concat(listing, watch) : watch;
    }).pipe(
      retryForever<WatchSignal<T>, WatchSignal<T>>({
        initialMs: settings.backoffMs,
        maxMs: settings.maxBackoffMs,
        resetAfterMs: settings.quietMs,
        jitter: settings.random,
        atLeastMs: (error) => (error instanceof KubeFailure ? (error.retryAfterSeconds ?? 0) * 1000 : 0),
        onTrouble: (error, attempt, delayMs) => {
          // Anything else is a bug, and goes the way of bugs.
          if (!(error instanceof KubeFailure)) throw error;
          judge(error);
          return { scope, kind: 'trouble', failure: error, attempt, delayMs };
        },
      }),
    );
  });

/**
 * Lists and watches `resource`. With several namespaces each is a scope of its own, with its own `init` and `ready`;
 * the store counts as synced when all are ready. Failures are `trouble` signals; only a bug errors.
 */
export const watchKind = <T extends Kept>(
  api: KubeApi,
  resource: Resource,
  project: Project<T>,
  options: WatchKindOptions,
): Observable<WatchSignal<T>> => {
  const settings: Settings = { ...defaults, ...options };
  const labels = settings.labelSelector === undefined ? {} : { labelSelector: settings.labelSelector };
  return merge(
    ...scopesOf(options.namespaces).map((scope) => {
      const selection = scope === '' ? labels : { ...labels, namespace: scope };
      return watchOneScope({ api, resource, project, scope, selection, settings });
    }),
  );
};

/** The scopes of a set of namespaces: one of all when none is given. */
export const scopesOf = (namespaces: readonly string[] | undefined): readonly string[] =>
  namespaces === undefined || namespaces.length === 0 ? [''] : [...new Set(namespaces)];
