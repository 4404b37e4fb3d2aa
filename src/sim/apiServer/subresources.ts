// Subresources that are actions (`virtualmachines/start`): a table of handlers, and 404 for those that are not in it.
import type { ApiServer, SubresourceHandler } from '../cluster.ts';
import { failures } from './failures.ts';

/** The part of an ApiServer that answers PUT on subresources. */
export const subresources = (): Pick<ApiServer, 'subresource' | 'call'> => {
  const handlers = new Map<string, SubresourceHandler>();
  const keyOf = (group: string, plural: string, name: string): string => `${group}/${plural}/${name}`;
  return {
    subresource: (group, plural, name, handle) => {
      handlers.set(keyOf(group, plural, name), handle);
    },
    call: (group, plural, name, ref, body, actor) => {
      const handle = handlers.get(keyOf(group, plural, name));
      if (handle === undefined) throw failures.noSuchKind();
      handle(ref, body, actor);
    },
  };
};
