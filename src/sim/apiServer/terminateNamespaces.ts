// What a namespace that is being deleted waits for: everything in it is deleted, and when nothing is left the namespace
// itself goes.
import { asyncScheduler } from 'rxjs';
import { KubeFailure } from '../../kube/api.ts';
import type { ApiServer, Change } from '../cluster.ts';
import { namespaces } from './coreKinds.ts';

const actor = 'namespace-controller';

const sweep = (server: ApiServer, namespace: string): void => {
  let left = 0;
  for (const { resource } of server.kinds()) {
    if (!resource.namespaced) continue;
    for (const { metadata } of server.all(resource, namespace)) {
      if (metadata.deletionTimestamp === undefined) {
        try {
          server.remove(resource, metadata, actor);
        } catch (error) {
          if (!(error instanceof KubeFailure)) throw error;
        }
      }
    }
    left += server.all(resource, namespace).length;
  }
  const found = server.read(namespaces, { name: namespace });
  if (left > 0 || found?.metadata.deletionTimestamp === undefined) return;
  server.patch(namespaces, { name: namespace }, { type: 'merge', body: { spec: { finalizers: null } } }, actor);
};

/** Follows every change; sweeps a terminating namespace `delayMs` after it was marked, or after something in it went. */
export const terminateNamespaces = (server: ApiServer, delayMs: number): ((change: Change) => void) => {
  const terminating = new Set<string>();
  const later = (namespace: string): void => {
    asyncScheduler.schedule(() => {
      if (terminating.has(namespace)) sweep(server, namespace);
    }, delayMs);
  };
  return ({ type, resource, object }) => {
    const { name, namespace, deletionTimestamp } = object.metadata;
    if (resource.group === '' && resource.plural === namespaces.plural) {
      if (type === 'deleted') terminating.delete(name);
      else if (deletionTimestamp !== undefined && !terminating.has(name)) {
        terminating.add(name);
        later(name);
      }
    } else if (type === 'deleted' && namespace !== undefined && terminating.has(namespace)) {
      later(namespace);
    }
  };
};
