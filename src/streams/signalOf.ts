// What one object that the server sent means to the store. Pure: the projection decides, nothing is remembered.
import type { Kept } from '../core/objects.ts';
import type { Projection } from '../core/projection.ts';
import type { KubeObject } from '../kube/api.ts';
import type { ObjectIdentity, WatchSignal } from './watchSignal.ts';

/** What makes a kept object of a raw one; never throws. */
export type Project<T extends Kept> = (raw: KubeObject) => Projection<T>;

const identityOf = ({ metadata }: KubeObject): ObjectIdentity => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  uid: metadata.uid ?? '',
  resourceVersion: metadata.resourceVersion ?? '',
});

/** The signal for an object that is there (listed, added, changed) or has gone. */
export const signalOf = <T extends Kept>(
  scope: string,
  project: Project<T>,
  what: 'listed' | 'applied' | 'deleted',
  raw: KubeObject,
): WatchSignal<T> => {
  const projected = project(raw);
  switch (projected.kind) {
    case 'ignored':
      return { scope, kind: 'ignored', identity: identityOf(raw) };
    case 'malformed':
      return what === 'deleted'
        ? { scope, kind: 'deleted', identity: projected.malformed, object: undefined }
        : { scope, kind: 'malformed', malformed: projected.malformed, listed: what === 'listed' };
    case 'kept':
      return what === 'deleted'
        ? { scope, kind: 'deleted', identity: projected.object, object: projected.object }
        : { scope, kind: what, object: projected.object };
    default:
      return projected satisfies never;
  }
};
