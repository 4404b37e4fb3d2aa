// The simulated API server, reads: lists with pages and selectors, watches with their history and bookmarks.
import { describe, expect, test } from 'vitest';
import type { WatchEvent, WatchOptions } from '../../src/kube/api.ts';
import { labelSelector } from '../../src/sim/apiServer/labelSelector.ts';
import type { ApiServer, Selection } from '../../src/sim/cluster.ts';
import { at, box, boxes, boxServer, inVirtualTime, pod, pods, refusal, timeline } from './apiServerFixtures.ts';

const fill = (server: ApiServer, names: readonly string[]): void => {
  for (const name of names) server.create(boxes, box(name), 'user');
};

const namesOf = (items: readonly { metadata: { name: string } }[]): readonly string[] =>
  items.map(({ metadata }) => metadata.name);

describe('a list', () => {
  test('is sorted by namespace and name, and carries the version of the last write', () => {
    const server = boxServer();
    fill(server, ['b', 'a', 'c']);
    const last = server.create(boxes, box('z', {}, { namespace: 'kube-system' }), 'user');
    const page = server.list(boxes, {});
    expect(namesOf(page.items)).toEqual(['a', 'b', 'c', 'z']);
    expect(page.resourceVersion).toBe(last.metadata.resourceVersion);
    expect(namesOf(server.list(boxes, { namespace: 'default' }).items)).toEqual(['a', 'b', 'c']);
  });

  test('comes in pages that show one state, whatever is written between them', () => {
    const server = boxServer();
    fill(server, ['a', 'b', 'c', 'd', 'e']);
    const first = server.list(boxes, { limit: 2 });
    server.remove(boxes, at('c'), 'user');
    server.create(boxes, box('aa'), 'user');
    const second = server.list(boxes, { limit: 2, continue: first.continue ?? '' });
    const third = server.list(boxes, { limit: 2, continue: second.continue ?? '' });
    expect([first, second, third].map(({ items }) => namesOf(items))).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(third.resourceVersion).toBe(first.resourceVersion);
    expect(third.continue).toBeUndefined();
  });

  test('has no further page when the last one is full', () => {
    const server = boxServer();
    fill(server, ['a', 'b']);
    expect(server.list(boxes, { limit: 2 }).continue).toBeUndefined();
  });

  test('answers a token that came too late with 410, and one that is none with 400', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer({ continueMs: 1000 });
      fill(server, ['a', 'b']);
      const { continue: token = '' } = server.list(boxes, { limit: 1 });
      timeline(scheduler, {
        999: () => expect(namesOf(server.list(boxes, { continue: token }).items)).toEqual(['b']),
        1000: () =>
          expect(refusal(() => server.list(boxes, { continue: token }))).toMatchObject({
            code: 410,
            reason: 'Expired',
          }),
        1001: () => expect(refusal(() => server.list(boxes, { continue: 'x' }))).toMatchObject({ code: 400 }),
      });
    }));

  test('selects by fields, and refuses fields that cannot be selected by', () => {
    const server = boxServer();
    fill(server, ['a', 'b']);
    server.create(pods, pod('p', { nodeName: 'n1' }), 'user');
    server.create(pods, pod('q', { nodeName: 'n2' }), 'user');
    expect(namesOf(server.list(boxes, { fieldSelector: 'metadata.name=b' }).items)).toEqual(['b']);
    expect(namesOf(server.list(boxes, { fieldSelector: 'metadata.name!=b,metadata.namespace=default' }).items)).toEqual(
      ['a'],
    );
    expect(namesOf(server.list(pods, { fieldSelector: 'spec.nodeName=n2' }).items)).toEqual(['q']);
    expect(refusal(() => server.list(boxes, { fieldSelector: 'spec.size=1' }))).toMatchObject({
      code: 400,
      message: 'field label not supported: spec.size',
    });
  });
});

describe('a label selector', () => {
  const labels = { app: 'web', tier: 'front', 'example.dev/role': 'x' };
  test.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web , tier = front', true],
    ['app=other', false],
    ['app!=web', false],
    ['missing!=web', true],
    ['app in (web, db)', true],
    ['app in (db)', false],
    ['app notin (db)', true],
    ['app notin (web)', false],
    ['missing notin (web)', true],
    ['app', true],
    ['missing', false],
    ['!missing', true],
    ['!app', false],
    ['example.dev/role=x,app in (web,db),!missing', true],
    ['example.dev/role=x,app in (web,db),missing', false],
  ])('%s holds: %s', (selector, holds) => {
    expect(labelSelector(selector)(box('a', {}, { labels }))).toBe(holds);
  });

  test.each(['a b', 'app in web', '=x', 'app=a=b'])('%s is refused', (selector) => {
    expect(refusal(() => labelSelector(selector))).toMatchObject({ code: 400 });
  });
});

const follow = (server: ApiServer, options: Partial<WatchOptions & Selection>) => {
  const seen: string[] = [];
  const shown = (event: WatchEvent): string => {
    if (event.type === 'error') return `error ${event.failure.code}`;
    return event.type === 'bookmark'
      ? `bookmark ${event.resourceVersion}`
      : `${event.type} ${event.object.metadata.name}`;
  };
  const subscription = server
    .watch(boxes, { resourceVersion: String(server.list(boxes, {}).resourceVersion), timeoutSeconds: 300, ...options })
    .subscribe({ next: (event) => seen.push(shown(event)), complete: () => seen.push('end') });
  return { seen, subscription };
};

describe('a watch', () => {
  test('sends what happened since the version, then what happens', () =>
    inVirtualTime(() => {
      const server = boxServer();
      fill(server, ['a']);
      const { resourceVersion } = server.list(boxes, {});
      fill(server, ['b']);
      const { seen, subscription } = follow(server, { resourceVersion });
      fill(server, ['c']);
      server.remove(boxes, at('a'), 'user');
      expect(seen).toEqual(['added b', 'added c', 'deleted a']);
      subscription.unsubscribe();
    }));

  test('begins with all objects when no version is given', () =>
    inVirtualTime(() => {
      const server = boxServer();
      fill(server, ['b', 'a']);
      const { seen, subscription } = follow(server, { resourceVersion: '0' });
      fill(server, ['c']);
      expect(seen).toEqual(['added a', 'added b', 'added c']);
      subscription.unsubscribe();
    }));

  test('from before the history is told 410 and ends', () =>
    inVirtualTime(() => {
      const server = boxServer({ historyLimit: 10 });
      const { resourceVersion } = server.list(boxes, {});
      for (let n = 0; n < 100; n += 1) fill(server, [`b${n}`]);
      expect(follow(server, { resourceVersion }).seen).toEqual(['error 410', 'end']);
    }));

  test('is sent a bookmark every minute, and ends in good order when its time is up', () =>
    inVirtualTime((scheduler) => {
      const server = boxServer();
      const { seen } = follow(server, { timeoutSeconds: 150 });
      const before = server.list(boxes, {}).resourceVersion;
      let after = '';
      timeline(scheduler, {
        // Another kind moves the version on, too.
        70000: () => {
          after = server.create(pods, pod('p'), 'user').metadata.resourceVersion ?? '';
        },
        149999: () => expect(seen).toEqual([`bookmark ${before}`, `bookmark ${after}`]),
        150001: () => expect(seen.at(-1)).toBe('end'),
      });
    }));

  test('with a selector sees an object come and go as its labels change', () =>
    inVirtualTime(() => {
      const server = boxServer();
      const { seen, subscription } = follow(server, { labelSelector: 'colour=red' });
      const paint = (colour: string | null) =>
        server.patch(boxes, at('a'), { type: 'merge', body: { metadata: { labels: { colour } } } }, 'user');
      fill(server, ['a']);
      paint('red');
      server.patch(boxes, at('a'), { type: 'merge', body: { spec: { size: 1 } } }, 'user');
      paint('blue');
      paint(null);
      server.remove(boxes, at('a'), 'user');
      expect(seen).toEqual(['added a', 'modified a', 'deleted a']);
      subscription.unsubscribe();
    }));

  test('follows one object, or one namespace', () =>
    inVirtualTime(() => {
      const server = boxServer();
      const one = follow(server, { fieldSelector: 'metadata.name=a' });
      const namespace = follow(server, { namespace: 'kube-system' });
      fill(server, ['a', 'b']);
      server.create(boxes, box('c', {}, { namespace: 'kube-system' }), 'user');
      expect([one.seen, namespace.seen]).toEqual([['added a'], ['added c']]);
      for (const { subscription } of [one, namespace]) subscription.unsubscribe();
    }));

  test('that begins while a change is being told hears of it once', () =>
    inVirtualTime(() => {
      const server = boxServer();
      const started: ReturnType<typeof follow>[] = [];
      const { resourceVersion } = server.list(boxes, {});
      server.changes$.subscribe(({ object }) => {
        if (object.metadata.name !== 'a') return;
        fill(server, ['b']);
        started.push(follow(server, { resourceVersion }));
      });
      fill(server, ['a']);
      expect(started.map(({ seen }) => seen)).toEqual([['added a', 'added b']]);
      for (const { subscription } of started) subscription.unsubscribe();
    }));
});
