// A cluster that is only watched: its lists and watches play what a recording holds, in virtual time. A list tells what
// was true at that moment, a watch tells events one after another, as late as it is told to; each kind in its order.
import {
  concat,
  concatMap,
  defer,
  from,
  interval,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  Subject,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { type KubeApi, KubeFailure, type KubeObject, type ListPage, type WatchEvent } from '../../kube/api.ts';

export type EventType = 'added' | 'modified' | 'deleted';

/** Hears what the daemon is told, in the moment in which it is told. */
export interface Listener {
  readonly listed: (plural: string, objects: readonly KubeObject[]) => void;
  readonly event: (plural: string, type: EventType, object: KubeObject) => void;
}

export interface ClusterOptions {
  readonly now: () => number;
  /** By how much event `index` of a kind is late, in ms; an event never overtakes the one before it. */
  readonly lateMs: (plural: string, index: number) => number;
  /** Every event is told twice, and once more after the next one. */
  readonly duplicates: boolean;
}

export interface RecordedCluster {
  /** Makes something true, now. */
  readonly append: (plural: string, type: EventType, object: KubeObject) => void;
  /** What is true now, whether it was told or not. */
  readonly objects: (plural: string) => readonly KubeObject[];
  /** Everything of a kind that ever was true, in order. */
  readonly history: (plural: string) => readonly { readonly atMs: number; readonly object: KubeObject }[];
  /** Ends every watch with 410 Gone: who watches has to list again. */
  readonly cut: () => void;
  readonly api: (listener: Listener) => KubeApi;
}

interface Entry {
  readonly index: number;
  readonly type: EventType;
  readonly object: KubeObject;
  readonly atMs: number;
  readonly tellAtMs: number;
}

interface Kind {
  readonly log: Entry[];
  readonly appended: Subject<Entry>;
  readonly present: Map<string, KubeObject>;
}

const bookmarkMs = 60_000;

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;

const versionOf = (entry: Entry | undefined): string => entry?.object.metadata.resourceVersion ?? '0';

const onlyWatched = (): never => {
  throw new Error('A recording can be listed and watched, nothing else.');
};

/** Makes an empty cluster. */
export const recordedCluster = ({ now, lateMs, duplicates }: ClusterOptions): RecordedCluster => {
  const kinds = new Map<string, Kind>();
  const cut$ = new Subject<void>();
  const kindOf = (plural: string): Kind => {
    const known = kinds.get(plural);
    if (known !== undefined) return known;
    const kind: Kind = { log: [], appended: new Subject(), present: new Map() };
    kinds.set(plural, kind);
    return kind;
  };

  const append = (plural: string, type: EventType, object: KubeObject): void => {
    const kind = kindOf(plural);
    const index = kind.log.length;
    const tellAtMs = Math.max(now() + lateMs(plural, index), kind.log.at(-1)?.tellAtMs ?? 0);
    const entry = { index, type, object, atMs: now(), tellAtMs };
    kind.log.push(entry);
    if (type === 'deleted') kind.present.delete(keyOf(object));
    else kind.present.set(keyOf(object), object);
    kind.appended.next(entry);
  };

  const list = (plural: string, listener: Listener): Observable<ListPage> =>
    defer(() => {
      const { log, present } = kindOf(plural);
      const items = [...present.values()];
      listener.listed(plural, items);
      return of({ resourceVersion: versionOf(log.at(-1)), items });
    });

  const watch = (plural: string, from$: string, seconds: number, listener: Listener): Observable<WatchEvent> =>
    defer(() => {
      const { log, appended } = kindOf(plural);
      const position = log.findLastIndex((entry) => versionOf(entry) === from$) + 1;
      let last = from$;
      const told = (entry: Entry): readonly Entry[] => {
        const before = log[entry.index - 1];
        if (!duplicates) return [entry];
        return before === undefined ? [entry, entry] : [entry, entry, before];
      };
      const events = concat(from(log.slice(position)), appended).pipe(
        concatMap((entry) => {
          const waitMs = entry.tellAtMs - now();
          return waitMs <= 0 ? of(entry) : timer(waitMs).pipe(map(() => entry));
        }),
        mergeMap((entry) => from(told(entry))),
        tap((entry) => {
          last = versionOf(entry);
          listener.event(plural, entry.type, entry.object);
        }),
        map(({ type, object }): WatchEvent => ({ type, object })),
      );
      const bookmarks = interval(bookmarkMs).pipe(map((): WatchEvent => ({ type: 'bookmark', resourceVersion: last })));
      const gone = cut$.pipe(
        map(
          (): WatchEvent => ({
            type: 'error',
            failure: new KubeFailure('status', 'too old resource version', { code: 410, reason: 'Expired' }),
          }),
        ),
      );
      return merge(events, bookmarks, gone).pipe(takeUntil(timer(seconds * 1000)));
    });

  return {
    append,
    objects: (plural) => [...kindOf(plural).present.values()],
    history: (plural) => kindOf(plural).log,
    cut: () => cut$.next(),
    api: (listener) => ({
      list: ({ plural }) => list(plural, listener),
      watch: ({ plural }, { resourceVersion, timeoutSeconds }) =>
        watch(plural, resourceVersion, timeoutSeconds, listener),
      get: onlyWatched,
      create: onlyWatched,
      patch: onlyWatched,
      remove: onlyWatched,
      log: onlyWatched,
    }),
  };
};
