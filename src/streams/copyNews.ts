// What is to be heard of copy pods beyond what a watch tells: how far each running client is, from the end of its log,
// and why a pod does not start, from the Events about it. Asked for while a machine is in mode offline; a change of
// mode ends the asking (design §4). For people alone: nothing is ever decided by it, and what cannot be had is left out.
import {
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  exhaustMap,
  filter,
  finalize,
  from,
  interval,
  map,
  mergeMap,
  type Observable,
  type OperatorFunction,
  of,
  switchMap,
  toArray,
} from 'rxjs';
import { copyProgressIn } from '../core/copyProgress.ts';
import { isLingering, isOverdue } from '../core/copyTrouble.ts';
import { isSame } from '../core/isSame.ts';
import type { Pod } from '../core/objects.ts';
import { type CopyNews, keyText, type MachineKey, type Reading } from '../core/reading.ts';
import { type KubeApi, KubeFailure, type KubeObject } from '../kube/api.ts';
import { resources } from '../kube/resources.ts';
import { groupWhile } from '../operators/groupWhile.ts';
import { inTurns } from '../operators/inTurns.ts';
import type { Situation } from './modes.ts';

export interface CopyNewsOptions {
  readonly api: Pick<KubeApi, 'log' | 'list'>;
  readonly reading: Pick<Reading, 'machine'>;
  readonly now: () => number;
  /** How often is asked. */
  readonly periodMs: number;
  /** Where the news are kept, by uid of the pod; forgotten when the pod is no longer asked about. */
  readonly board: Map<string, CopyNews>;
}

/** Progress is the last thing that a client wrote, but for a line of rsync or stunnel. */
const tail = { tailLines: 5, limitBytes: 4096 } as const;
const eventsAtMost = 20;
/** Of all machines together: the API server has each log fetched from a node, and every other request comes first. */
const questionsAtOnce = 4;

/** Emits a machine whenever there is something new to tell of its copy pods. */
export const copyNews = (options: CopyNewsOptions): OperatorFunction<Situation, MachineKey> => {
  const turn = inTurns(questionsAtOnce);
  return groupWhile({
    key: ({ key }: Situation) => keyText(key),
    until: ({ facts }) => facts === undefined,
    project: (situations) =>
      situations.pipe(
        distinctUntilChanged((one, other) => isCopied(one) === isCopied(other)),
        switchMap((situation) => (isCopied(situation) ? listenTo(situation.key, turn, options) : EMPTY)),
      ),
  });
};

const isCopied = ({ facts, settled }: Situation): boolean => facts !== undefined && settled === 'offline';

const listenTo = (
  key: MachineKey,
  turn: ReturnType<typeof inTurns>,
  options: CopyNewsOptions,
): Observable<MachineKey> =>
  defer(() => {
    const asked = new Set<string>();
    return interval(options.periodMs).pipe(
      exhaustMap(() => {
        const pods = options.reading.machine(key)?.copyPods ?? [];
        for (const uid of asked) if (pods.every((pod) => pod.uid !== uid)) forget(uid, asked, options);
        return from(pods).pipe(
          mergeMap((pod) =>
            turn(newsOf(pod, options)).pipe(
              filter((news) => !isSame(options.board.get(pod.uid), news)),
              map((news) => {
                asked.add(pod.uid);
                options.board.set(pod.uid, news);
                return true;
              }),
            ),
          ),
          toArray(),
          // That a pod has become overdue is no event of its own.
          filter((changes) => changes.length > 0 || pods.some((pod) => isTroubled(pod, options.now()))),
        );
      }),
      map(() => key),
      finalize(() => {
        for (const uid of asked) forget(uid, asked, options);
      }),
    );
  });

const isTroubled = (pod: Pod, now: number): boolean => isOverdue(pod, now) || isLingering(pod, now);

const forget = (uid: string, asked: Set<string>, { board }: CopyNewsOptions): void => {
  asked.delete(uid);
  board.delete(uid);
};

/** Nothing for a pod about which there is nothing to ask, or that cannot be asked about now. */
const newsOf = (pod: Pod, { api, now }: CopyNewsOptions): Observable<CopyNews> => {
  if (pod.role === 'copyClient' && pod.phase === 'Running' && !pod.deleting) {
    return quietly(api.log({ namespace: pod.namespace, name: pod.name }, tail)).pipe(
      mergeMap((log) => {
        const progress = copyProgressIn(log);
        return progress === undefined ? EMPTY : of({ progress, words: '' });
      }),
    );
  }
  if (!isOverdue(pod, now()) || pod.trouble !== '') return EMPTY;
  const fieldSelector = `involvedObject.uid=${pod.uid}`;
  return quietly(api.list(resources.coreEvents, { namespace: pod.namespace, fieldSelector, limit: eventsAtMost })).pipe(
    map(({ items }) => ({ progress: undefined, words: newestWarning(items) })),
    filter(({ words }) => words !== ''),
  );
};

const quietly = <T>(request: Observable<T>): Observable<T> =>
  request.pipe(
    catchError((error: unknown) => {
      if (error instanceof KubeFailure) return EMPTY;
      throw error;
    }),
  );

const textIn = (object: KubeObject, field: string): string => {
  const value = object[field];
  return typeof value === 'string' ? value : '';
};

const newestWarning = (events: readonly KubeObject[]): string => {
  const when = (event: KubeObject): string => textIn(event, 'lastTimestamp') || textIn(event, 'eventTime');
  const [newest] = events
    .filter((event) => textIn(event, 'type') === 'Warning')
    .sort((one, other) => when(other).localeCompare(when(one)));
  return newest === undefined ? '' : `${textIn(newest, 'reason')}: ${textIn(newest, 'message')}`;
};
