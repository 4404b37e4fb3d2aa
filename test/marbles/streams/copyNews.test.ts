// What is heard of copy pods: asked for while a machine is in mode offline and at no other time, never more than one
// question at a time, and nothing of it lost or kept too long.
import { map, type Observable, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { MachineFacts } from '../../../src/core/facts.ts';
import type { Pod } from '../../../src/core/objects.ts';
import type { CopyNews } from '../../../src/core/reading.ts';
import { KubeFailure, type ListPage } from '../../../src/kube/api.ts';
import { copyNews } from '../../../src/streams/copyNews.ts';
import type { Situation } from '../../../src/streams/modes.ts';
import { at, client, server, startMs, stoppedFacts } from '../../core/builders.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';

const key = { namespace: 'shop', migration: 'move', machine: 'web-1' };
const of = (settled: Situation['settled'], facts: MachineFacts | undefined = stoppedFacts()): Situation => ({
  key,
  facts,
  settled,
});
const scenes = { o: of('offline'), h: of('hold'), g: { key, facts: undefined, settled: 'hold' as const } };
const line = (percent: number): string =>
  JSON.stringify({ t: 'progress', bytes: percent, total: 100, percent, bytesPerSecond: 1, secondsLeft: null });

interface Answers {
  readonly log?: (asked: number) => Observable<string>;
  readonly list?: (fieldSelector: string | undefined) => Observable<ListPage>;
  readonly pods?: readonly Pod[];
}

const play = (helpers: MarbleHelpers, diagram: string, { log, list, pods = [client()] }: Answers) => {
  const board = new Map<string, CopyNews>();
  let asked = 0;
  const none = (): Observable<never> => throwError(() => new KubeFailure('status', 'bad request', { code: 400 }));
  const news = helpers.hot<Situation>(diagram, scenes).pipe(
    copyNews({
      api: {
        log: () => {
          asked += 1;
          return log?.(asked) ?? none();
        },
        list: (_, { fieldSelector }) => list?.(fieldSelector) ?? none(),
      },
      reading: { machine: () => stoppedFacts({ pods }) },
      now: () => startMs + helpers.now(),
      periodMs: 5,
      board,
    }),
  );
  const percent = () => board.get('uid-copy-client-web-1-root')?.progress?.percent;
  return { board, asked: () => asked, shown: news.pipe(map(() => String(percent()))), news };
};

describe('copyNews', () => {
  test('a running client is asked again and again while the machine is offline, and not after', () => {
    marbles((helpers) => {
      const { shown, board } = play(helpers, '-o-------------h-----', {
        log: (asked) => helpers.cold('(a|)', { a: line(asked * 10) }),
      });
      helpers
        .expectObservable(shown, '       ^--------------------!')
        .toBe('------a----b---------', { a: '10', b: '20' });
      helpers.flush();
      expect(board.size).toBe(0);
    });
  });

  test('nothing is told while nothing has changed', () => {
    marbles((helpers) => {
      const { shown } = play(helpers, '-o-------------------', { log: () => helpers.cold('(a|)', { a: line(10) }) });
      helpers.expectObservable(shown, '^--------------------!').toBe('------a--------------', { a: '10' });
    });
  });

  test('a slow answer is waited for before anything else is asked', () => {
    marbles((helpers) => {
      const slow = helpers.cold('-------(a|)', { a: line(10) });
      const { shown } = play(helpers, '-o--------------------', { log: () => slow });
      helpers.expectObservable(shown, '^---------------------!').toBe('-------------a--------', { a: '10' });
      helpers.expectSubscriptions(slow.subscriptions).toBe(['------^------!', '----------------^-----!']);
    });
  });

  test('a pod that cannot be asked is left out, and asked again', () => {
    marbles((helpers) => {
      const { shown } = play(helpers, '-o-------------------', {
        log: (asked) =>
          asked === 1
            ? throwError(() => new KubeFailure('unknown', 'timed out'))
            : helpers.cold('(a|)', { a: line(20) }),
      });
      helpers.expectObservable(shown, '^--------------------!').toBe('-----------b---------', { b: '20' });
    });
  });

  test('a machine that is gone is asked about no more', () => {
    marbles((helpers) => {
      const { asked, news } = play(helpers, '-o-g-----------------', {});
      helpers.expectObservable(news, '    ^--------------------!').toBe('---------------------');
      helpers.flush();
      expect(asked()).toBe(0);
    });
  });

  test('why a pod does not start is read from the newest warning about this very pod, once it is overdue', () => {
    marbles((helpers) => {
      const late = server(['web-1'], { phase: 'Pending', createdAt: at(-60) });
      const warning = (message: string, lastTimestamp: string) => ({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: message },
        type: 'Warning',
        reason: 'FailedMount',
        message,
        lastTimestamp,
      });
      const items = [
        warning('secret not found', at(-50)),
        warning('device is busy', at(-10)),
        { ...warning('Pulled', at()), type: 'Normal' },
      ];
      const { news, board } = play(helpers, '-o-----', {
        pods: [late],
        list: (selector) =>
          helpers.cold('(a|)', {
            a: { resourceVersion: '1', items: selector === `involvedObject.uid=${late.uid}` ? items : [] },
          }),
      });
      helpers.expectObservable(news.pipe(map(() => board.get(late.uid)?.words)), '^-------!').toBe('------a', {
        a: 'FailedMount: device is busy',
      });
    });
  });

  test('of many copies few are asked at once, and each in its turn', () => {
    marbles((helpers) => {
      const pods = Array.from({ length: 12 }, (_, index) => client('web-1', { uid: `uid-${index}` }));
      const slow = helpers.cold('--(a|)', { a: line(10) });
      const { news, board } = play(helpers, '-o------------', { pods, log: () => slow });
      helpers.expectObservable(news.pipe(map(() => String(board.size))), '^-------------!').toBe('------------a-', {
        a: '12',
      });
      const four = (frames: string) => [frames, frames, frames, frames];
      helpers
        .expectSubscriptions(slow.subscriptions)
        .toBe([...four('------^-!'), ...four('--------^-!'), ...four('----------^-!')]);
    });
  });
});
