// Folds the signals of watchKind into a store. Stands above every retry: a broken watch costs time, never what is held.
// Guarantees: one writer; a list is seen whole or not at all; duplicates and late events change nothing and emit
// nothing; an object that did not change stays the same object; no work per event that grows with the store.
import { asyncScheduler, Observable, type OperatorFunction } from 'rxjs';
import type { Kept } from '../core/objects.ts';
import { compareVersions } from '../core/resourceVersion.ts';
import type { KubeFailure } from '../kube/api.ts';
import { listen } from '../operators/listen.ts';
import type { Store } from './store.ts';
import { type Fold, type Listed, storeContent } from './storeContent.ts';
import { scopesOf } from './watchKind.ts';
import type { WatchSignal } from './watchSignal.ts';

export interface StoreOptions<T extends Kept, Index extends string> {
  /** The same that are watched: the store is synced when each has been listed. */
  readonly namespaces?: readonly string[] | undefined;
  /** Secondary indexes by name: the keys under which an object is found. */
  readonly indexes?: Readonly<Record<Index, (object: T) => readonly string[]>>;
  /** Keeps the last state of deleted objects as tombstones. */
  readonly keepDeleted?: boolean;
  readonly fold?: Fold<T>;
  /** Most deleted objects that are remembered. */
  readonly mostDeleted?: number;
  /** The clock, in ms. */
  readonly now?: () => number;
}

/** What is known of one scope. */
interface ScopeState<T> {
  /** The list under way; undefined while none is. */
  listing: Listed<T> | undefined;
  /** A list was complete once. What is heard before that concerns nothing that is held. */
  synced: boolean;
  seenVersion: string;
  trouble: KubeFailure | undefined;
}

/**
 * Emits an empty store at once and then a new one for each change: an object, `seenVersion`, `synced` or `trouble`.
 *
 *     signals  --init-listed-listed-ready---applied---bookmark--
 *     out      s----------------------s-----s---------s---------
 */
export const storeOf =
  <T extends Kept, Index extends string = never>(
    options: StoreOptions<T, Index> = {},
  ): OperatorFunction<WatchSignal<T>, Store<T, Index>> =>
  (signals) =>
    new Observable((subscriber) => {
      const state = storeState<T, Index>(options);
      subscriber.next(state.view());
      listen(signals, subscriber, {
        next: (signal) => {
          if (state.take(signal)) subscriber.next(state.view());
        },
        complete: () => subscriber.complete(),
      });
    });

/** All that one subscription holds. `take` tells whether a new view is due. */
const storeState = <T extends Kept, Index extends string>(options: StoreOptions<T, Index>) => {
  const { namespaces, mostDeleted = 10_000, now = () => asyncScheduler.now(), ...rest } = options;
  const content = storeContent<T, Index>({ ...rest, mostDeleted });
  const scopes = new Map(
    scopesOf(namespaces).map((scope): [string, ScopeState<T>] => [
      scope,
      { listing: undefined, synced: false, seenVersion: '', trouble: undefined },
    ]),
  );
  let lastEventMs: number | undefined;

  const scopeOf = (name: string): ScopeState<T> => {
    const scope = scopes.get(name);
    if (scope === undefined) throw new Error(`The store does not know the scope "${name}" that is watched.`);
    return scope;
  };

  /** Tells whether the version is news. */
  const saw = (scope: ScopeState<T>, version: string): boolean => {
    if (!scope.synced || version === '' || (compareVersions(version, scope.seenVersion) ?? 1) <= 0) return false;
    scope.seenVersion = version;
    return true;
  };

  const change = (signal: WatchSignal<T>, nowMs: number): boolean => {
    const scope = scopeOf(signal.scope);
    switch (signal.kind) {
      case 'init':
        scope.listing = { objects: [], malformed: [] };
        return false;
      case 'listed':
        scope.listing?.objects.push(signal.object);
        return false;
      case 'ready':
        content.swap(signal.scope, scope.listing ?? { objects: [], malformed: [] }, nowMs);
        scope.listing = undefined;
        scope.synced = true;
        scope.seenVersion = signal.resourceVersion;
        return true;
      case 'bookmark':
        return saw(scope, signal.resourceVersion);
      case 'applied': {
        const changed = scope.synced && content.apply(signal.object, nowMs);
        return saw(scope, signal.object.resourceVersion) || changed;
      }
      case 'deleted': {
        const changed = scope.synced && content.remove(signal.identity, signal.object);
        return saw(scope, signal.identity.resourceVersion) || changed;
      }
      case 'ignored': {
        // In a list it is as if it were not there.
        if (scope.listing !== undefined) return false;
        const changed = scope.synced && content.forget(signal.identity);
        return saw(scope, signal.identity.resourceVersion) || changed;
      }
      case 'malformed': {
        if (signal.listed) {
          scope.listing?.malformed.push(signal.malformed);
          return false;
        }
        const changed = scope.synced && content.applyMalformed(signal.malformed);
        return saw(scope, signal.malformed.resourceVersion) || changed;
      }
      case 'trouble':
        scope.trouble = signal.failure;
        return true;
      default:
        return signal satisfies never;
    }
  };

  const isSynced = (): boolean => [...scopes.values()].every((scope) => scope.synced);
  const slowest = (): string => {
    if (!isSynced()) return '';
    return [...scopes.values()]
      .map(({ seenVersion }) => seenVersion)
      .reduce((a, b) => ((compareVersions(a, b) ?? 0) <= 0 ? a : b));
  };

  return {
    take: (signal: WatchSignal<T>): boolean => {
      const nowMs = now();
      const changed = change(signal, nowMs);
      if (signal.kind === 'trouble' || signal.kind === 'init') return changed;
      lastEventMs = nowMs;
      // Half a list is no proof that all is well.
      const scope = scopeOf(signal.scope);
      const recovered = scope.trouble !== undefined && scope.listing === undefined;
      if (recovered) scope.trouble = undefined;
      return changed || recovered;
    },
    view: (): Store<T, Index> => ({
      synced: isSynced(),
      size: content.objects.size,
      seenVersion: slowest(),
      seenVersionOf: (namespace) => (scopes.get('') ?? scopes.get(namespace))?.seenVersion ?? '',
      get lastEventMs() {
        return lastEventMs;
      },
      trouble: [...scopes.values()].find((scope) => scope.trouble !== undefined)?.trouble,
      get: content.objects.get,
      by: content.find,
      all: () => content.objects.values(''),
      tombstone: content.tombstone,
      malformed: () => content.unreadable.values(''),
      malformedAt: content.unreadable.get,
      changes: content.changes,
    }),
  };
};
