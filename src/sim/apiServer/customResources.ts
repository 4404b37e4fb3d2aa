// CustomResourceDefinitions: creating or changing one serves its kind from then on, deleting one deletes its objects
// and, when the last is gone, ends its watches. Only the storage version of a kind is served; there is no conversion.
import { asyncScheduler } from 'rxjs';
import type { KubeObject } from '../../kube/api.ts';
import { KubeFailure } from '../../kube/api.ts';
import type { ApiServer, Change, KindOptions } from '../cluster.ts';
import { customResourceDefinitions } from './coreKinds.ts';
import { customResourceKind } from './customResourceKind.ts';

const actor = 'kube-apiserver';

/** Holds a definition while there are objects of its kind. */
const cleanup = 'customresourcecleanup.apiextensions.k8s.io';

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

/** Deletes the objects of the kind, waits for those that finalizers hold, and lets the definition go after them. */
const sweep = (server: ApiServer, name: string): void => {
  const definition = server.read(customResourceDefinitions, { name });
  if (definition?.metadata.deletionTimestamp === undefined) return;
  const { resource } = customResourceKind(definition);
  for (const { metadata } of server.all(resource)) {
    if (metadata.deletionTimestamp !== undefined) continue;
    try {
      server.remove(resource, metadata, actor);
    } catch (error) {
      // Refused by a webhook: the definition stays until somebody deletes the object.
      if (!(error instanceof KubeFailure)) throw error;
    }
  }
  if (server.all(resource).length > 0) return;
  const finalizers = (definition.metadata.finalizers ?? []).filter((one) => one !== cleanup);
  server.patch(customResourceDefinitions, { name }, { type: 'merge', body: { metadata: { finalizers } } }, actor);
};

/**
 * Follows every change and serves kinds as their definitions say. A definition that cannot be served is refused; one
 * that is deleted stays until the last object of its kind is gone.
 */
export const customResources = (
  server: ApiServer,
  unregister: (kind: KindOptions) => void,
): ((change: Change) => void) => {
  const { plural, group } = customResourceDefinitions;
  server.admit(customResourceDefinitions, ({ operation, object }) => {
    if (operation === 'delete') return undefined;
    customResourceKind(object);
    const finalizers = [...(object.metadata.finalizers ?? []), cleanup];
    return operation === 'create' ? { ...object, metadata: { ...object.metadata, finalizers } } : undefined;
  });
  const terminating = new Set<string>();
  const later = (name: string): void => {
    asyncScheduler.schedule(() => sweep(server, name));
  };
  return ({ resource, type, object }) => {
    if (resource.plural !== plural || resource.group !== group) {
      const name = `${resource.plural}.${resource.group}`;
      if (type === 'deleted' && terminating.has(name)) later(name);
      return;
    }
    const { name, deletionTimestamp } = object.metadata;
    const kind = customResourceKind(object);
    if (type === 'deleted') {
      terminating.delete(name);
      unregister(kind);
    } else if (deletionTimestamp !== undefined) {
      terminating.add(name);
      later(name);
    } else {
      server.register(kind);
      if (type === 'added') establish(server, object, kind);
    }
  };
};
