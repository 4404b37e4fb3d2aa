// CustomResourceDefinitions: creating or changing one serves its kind from then on, deleting one deletes its objects
// and ends its watches. Only the storage version of a kind is served; there is no conversion.
import { asyncScheduler } from 'rxjs';
import type { KubeObject } from '../../kube/api.ts';
import { KubeFailure } from '../../kube/api.ts';
import type { ApiServer, Change, KindOptions } from '../cluster.ts';
import { customResourceDefinitions } from './coreKinds.ts';
import { customResourceKind } from './customResourceKind.ts';

const actor = 'kube-apiserver';

const establish = (server: ApiServer, definition: KubeObject, kind: KindOptions): void => {
  const { plural, kind: name } = kind.resource;
  const at = definition.metadata.creationTimestamp;
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime: at,
  });
  const status = {
    acceptedNames: {
      plural,
      kind: name,
      listKind: `${name}List`,
      singular: kind.singular,
      ...(kind.shortNames === undefined ? {} : { shortNames: kind.shortNames }),
    },
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    storedVersions: [kind.resource.version],
  };
  const patch = { type: 'merge', body: { status } } as const;
  server.patch(customResourceDefinitions, definition.metadata, patch, actor, { subresource: 'status' });
};

/** Deletes the objects of a kind whether or not anything holds them; then the kind is no longer served. */
const withdraw = (server: ApiServer, { resource }: KindOptions): void => {
  for (const { metadata } of server.all(resource)) {
    if ((metadata.finalizers ?? []).length > 0) {
      server.patch(resource, metadata, { type: 'merge', body: { metadata: { finalizers: null } } }, actor);
    }
    if (server.read(resource, metadata) !== undefined) server.remove(resource, metadata, actor);
  }
};

/** Follows every change and serves kinds as their definitions say. A definition that cannot be served is refused. */
export const customResources = (
  server: ApiServer,
  unregister: (kind: KindOptions) => void,
): ((change: Change) => void) => {
  server.admit(customResourceDefinitions, ({ operation, object }) => {
    if (operation !== 'delete') customResourceKind(object);
    return undefined;
  });
  return ({ resource, type, object }) => {
    if (resource.plural !== customResourceDefinitions.plural || resource.group !== customResourceDefinitions.group)
      return;
    const kind = customResourceKind(object);
    if (type !== 'deleted') {
      server.register(kind);
      if (type === 'added') establish(server, object, kind);
      return;
    }
    try {
      withdraw(server, kind);
    } catch (error) {
      if (!(error instanceof KubeFailure)) throw error;
    }
    // After what was deleted has been told to those who watch.
    asyncScheduler.schedule(() => unregister(kind));
  };
};
