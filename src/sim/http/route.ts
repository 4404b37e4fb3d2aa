// Reads the path of a request: which kind, namespace, name and subresource it is about.
import { failures } from '../apiServer/failures.ts';
import type { ApiServer, KindOptions } from '../cluster.ts';

export interface Route {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** Absent when no such kind is served: then it can only be an action on a subresource. */
  readonly kind: KindOptions | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** Takes `namespaces/NAME` off the front, unless the request is about the namespace itself. */
const scoped = (segments: readonly string[]): readonly [string | undefined, readonly string[]] => {
  const [first, namespace, next, ...rest] = segments;
  const aboutItself = next === undefined || next === 'status' || next === 'finalize';
  if (first !== 'namespaces' || namespace === undefined || aboutItself) return [undefined, segments];
  return [namespace, [next, ...rest]];
};

/** Where a path leads; throws 404 when it is no path to a resource. */
export const route = (server: ApiServer, path: string): Route => {
  const [, api, ...segments] = path.split('/').map(decodeURIComponent);
  const [group = '', version = '', ...rest] = api === 'api' ? ['', ...segments] : segments;
  if ((api !== 'api' && api !== 'apis') || version === '' || rest.length === 0) throw failures.noSuchKind();
  const [namespace, [plural = '', name, subresource, ...beyond]] = scoped(rest);
  if (beyond.length > 0) throw failures.noSuchKind();
  const kind = server
    .kinds()
    .find(({ resource }) => resource.group === group && resource.version === version && resource.plural === plural);
  return { group, version, plural, kind, namespace, name: name === '' ? undefined : name, subresource };
};
