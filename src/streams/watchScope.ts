// One watch of a kind, from a version to its end, as signals. Ends as the server ends it: completes in good order,
// errors with a KubeFailure otherwise; a Status that comes inside the stream is an error like one that comes instead.
import { map, type Observable } from 'rxjs';
import type { Kept } from '../core/objects.ts';
import { type KubeApi, KubeFailure, type KubeObject, type Resource, type WatchOptions } from '../kube/api.ts';
import { idleTimeout } from '../operators/idleTimeout.ts';
import { type Project, signalOf } from './signalOf.ts';
import type { WatchSignal } from './watchSignal.ts';

/** An object may be malformed to the point of having no metadata. */
const versionOf = (raw: Partial<KubeObject> | null): string => {
  const version: unknown = raw?.metadata?.resourceVersion;
  return typeof version === 'string' ? version : '';
};

/**
 * Watches `resource` once. `onVersion` hears how far the watch has come, before the signal is passed on, so that
 * resuming never repeats what was delivered. A watch that is silent for `idleMs` is broken off.
 */
export const watchScope = <T extends Kept>(
  api: KubeApi,
  resource: Resource,
  project: Project<T>,
  scope: string,
  options: WatchOptions,
  idleMs: number,
  onVersion: (version: string) => void,
): Observable<WatchSignal<T>> => {
  const silent = (): KubeFailure =>
    new KubeFailure('unknown', `the watch of ${resource.plural} was silent for ${idleMs} ms, bookmarks included`);
  return api.watch(resource, options).pipe(
    idleTimeout(idleMs, silent),
    map((event): WatchSignal<T> => {
      switch (event.type) {
        case 'error':
          throw event.failure;
        case 'bookmark':
          onVersion(event.resourceVersion);
          return { scope, kind: 'bookmark', resourceVersion: event.resourceVersion };
        case 'added':
        case 'modified':
        case 'deleted':
          onVersion(versionOf(event.object));
          return signalOf(scope, project, event.type === 'deleted' ? 'deleted' : 'applied', event.object);
        default:
          return event satisfies never;
      }
    }),
  );
};
