// Watches: first what happened since the asked version, then every change as it is accepted, with a bookmark now and
// then. A watch from before the history is told 410 inside the stream, as a real server does, and ends.
import { interval, Observable, timer } from 'rxjs';
import type { KubeObject, WatchEvent } from '../../kube/api.ts';
import type { ApiServer, Change } from '../cluster.ts';
import type { Inside } from './apiServer.ts';
import { failures } from './failures.ts';
import { fieldSelector } from './fieldSelector.ts';
import type { Listener, Recorded } from './kindStore.ts';
import { labelSelector } from './labelSelector.ts';

/** What a watch with a selector sees of a change: an object that starts or stops being selected comes or goes. */
const eventOf = (change: Change, selects: (object: KubeObject) => boolean): WatchEvent | undefined => {
  const { type, object, previous } = change;
  const was = previous !== undefined && selects(previous);
  if (type === 'deleted') return was ? { type, object } : undefined;
  if (selects(object)) return { type: was ? 'modified' : 'added', object };
  if (!was) return undefined;
  // The object as it was selected last, under the version that took it away.
  const { resourceVersion } = object.metadata;
  const metadata = { ...previous.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return { type: 'deleted', object: Object.freeze({ ...previous, metadata: Object.freeze(metadata) }) };
};

/** The watching part of an ApiServer. */
export const watches = (inside: Inside, bookmarkMs: number): Pick<ApiServer, 'watch'> => ({
  watch: (resource, options) =>
    new Observable((subscriber) => {
      const store = inside.store(resource);
      const hasLabels = labelSelector(options.labelSelector);
      const hasFields = fieldSelector(resource, options.fieldSelector);
      const { namespace } = options;
      const selects = (object: KubeObject): boolean =>
        (!namespace || object.metadata.namespace === namespace) && hasLabels(object) && hasFields(object);
      if (!/^[0-9]*$/.test(options.resourceVersion)) {
        throw failures.badRequest(`invalid resource version "${options.resourceVersion}"`);
      }
      let seen = Number(options.resourceVersion);
      const next = ({ version, change }: Recorded): void => {
        // A change that was still being delivered when the watch began has already come from the history.
        if (version <= seen) return;
        seen = version;
        const event = eventOf(change, selects);
        if (event !== undefined) subscriber.next(event);
      };
      if (seen === 0) {
        seen = inside.version();
        for (const object of store.sorted()) if (selects(object)) subscriber.next({ type: 'added', object });
      } else {
        const history = store.since(seen);
        if (history === undefined) {
          const failure = failures.expired(`too old resource version: ${seen} (${inside.version()})`);
          subscriber.next({ type: 'error', failure });
          subscriber.complete();
          return;
        }
        for (const recorded of history) next(recorded);
      }
      const listener: Listener = { next, end: () => subscriber.complete() };
      store.listeners.add(listener);
      subscriber.add(() => store.listeners.delete(listener));
      subscriber.add(
        interval(bookmarkMs).subscribe(() =>
          subscriber.next({ type: 'bookmark', resourceVersion: String(Math.max(seen, inside.version())) }),
        ),
      );
      subscriber.add(timer(options.timeoutSeconds * 1000).subscribe(() => subscriber.complete()));
    }),
});
