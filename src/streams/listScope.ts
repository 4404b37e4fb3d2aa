// One whole list of a kind, page by page, as signals from `init` to `ready`. Not repeated here: whatever fails, an
// expired continue token among it, ends the list, and the next one begins from the start.
import { concat, defer, EMPTY, expand, from, map, mergeMap, type Observable, of, throwError, timeout } from 'rxjs';
import type { Kept } from '../core/objects.ts';
import { type KubeApi, KubeFailure, type ListOptions, type ListPage, type Resource } from '../kube/api.ts';
import { type Project, signalOf } from './signalOf.ts';
import type { WatchSignal } from './watchSignal.ts';

/** Lists `resource` once and completes; errors with a KubeFailure, also when a page takes longer than `pageTimeoutMs`. */
export const listScope = <T extends Kept>(
  api: KubeApi,
  resource: Resource,
  project: Project<T>,
  scope: string,
  options: ListOptions,
  pageTimeoutMs: number,
): Observable<WatchSignal<T>> =>
  defer(() => {
    let version = '';
    const silent = (): KubeFailure =>
      new KubeFailure('unknown', `the list of ${resource.plural} was not answered within ${pageTimeoutMs} ms`);
    const page = (token: string | undefined): Observable<ListPage> =>
      api
        .list(resource, token === undefined ? options : { ...options, continue: token })
        .pipe(timeout({ first: pageTimeoutMs, with: () => throwError(silent) }));
    const listed = page(undefined).pipe(
      expand((previous) => (previous.continue ? page(previous.continue) : EMPTY)),
      mergeMap((current) => {
        version = current.resourceVersion;
        return from(current.items).pipe(map((raw) => signalOf(scope, project, 'listed', raw)));
      }),
    );
    return concat(
      of<WatchSignal<T>>({ scope, kind: 'init' }),
      listed,
      defer(() => of<WatchSignal<T>>({ scope, kind: 'ready', resourceVersion: version })),
    );
  });
