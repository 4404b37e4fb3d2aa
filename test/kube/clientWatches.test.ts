// The real client against a small server on loopback: what it makes of a watch, whole, cut or broken.
import { firstValueFrom, lastValueFrom, config as rxjsConfig, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { WatchEvent } from '../../src/kube/api.ts';
import type { Connection } from '../../src/kube/client.ts';
import { resources } from '../../src/kube/resources.ts';
import { cleanUp, client, failureOf, pod, serve, watchOptions, web } from './clientFixtures.ts';
import { json } from './loopback.ts';

describe('connect, watches', () => {
  const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
  const agreed: WatchEvent = { type: 'bookmark', resourceVersion: watchOptions.resourceVersion };
  const all = (connection: Connection): Promise<WatchEvent[]> =>
    lastValueFrom(connection.watch(resources.pods, watchOptions).pipe(toArray()));

  test('cuts what comes into events, wherever the chunks end', async () => {
    const named = pod('kühlschrank-😀');
    const bytes = Buffer.from(
      line('ADDED', named) +
        line('MODIFIED', pod('b', '8')) +
        line('SOMETHING_NEW', {}) +
        line('DELETED', pod('b', '9')) +
        line('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '20' } }),
    );
    const server = await serve((_request, response) => {
      const next = (at: number): void => {
        if (at >= bytes.length) response.end();
        else response.write(bytes.subarray(at, at + 7), () => setImmediate(next, at + 7));
      };
      next(0);
    });
    expect(await all(client(server.url))).toStrictEqual([
      agreed,
      { type: 'added', object: named },
      { type: 'modified', object: pod('b', '8') },
      { type: 'deleted', object: pod('b', '9') },
      { type: 'bookmark', resourceVersion: '20' },
    ]);
    expect(server.received[0]?.query).toStrictEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '10',
      timeoutSeconds: '300',
    });
  });

  test('passes on a Status in the stream, and one instead of the stream', async () => {
    const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
    const inside = await serve((_request, response) => response.end(line('ERROR', gone)));
    const [first, event] = await all(client(inside.url));
    expect(first).toStrictEqual(agreed);
    expect(event).toMatchObject({ type: 'error', failure: { kind: 'status', code: 410, reason: 'Expired' } });
    const instead = await serve((_request, response) => json(response, 410, gone));
    expect(await failureOf(all(client(instead.url)))).toMatchObject({ kind: 'status', code: 410, reason: 'Expired' });
  });

  test('fails on a line that is not JSON, and names the kind', async () => {
    const server = await serve((_request, response) => response.end(`${line('ADDED', pod('a'))}<html>\n`));
    const failure = await failureOf(all(client(server.url)));
    expect(failure.kind).toBe('unknown');
    expect(failure.message).toContain('watch pods');
    expect(failure.message).toContain('not JSON: <html>');
  });

  test('fails when it is cut, after everything that came before', async () => {
    const server = await serve((_request, response) => {
      response.write(line('ADDED', pod('a')), () => response.destroy());
    });
    const events: WatchEvent[] = [];
    const failure = await failureOf(
      new Promise((resolve, reject) => {
        client(server.url)
          .watch(resources.pods, watchOptions)
          .subscribe({ next: (event) => events.push(event), error: reject, complete: () => resolve('end') });
      }),
    );
    expect(failure.kind).toBe('unknown');
    expect(events).toStrictEqual([agreed, { type: 'added', object: pod('a') }]);
  });

  test('says that the server has agreed, before anything happens', async () => {
    const server = await serve((_request, response) => response.writeHead(200).flushHeaders());
    expect(await firstValueFrom(client(server.url).watch(resources.pods, watchOptions))).toStrictEqual(agreed);
  });

  test('fails on a line longer than it may be', async () => {
    const server = await serve((_request, response) => response.end('x'.repeat(5000)));
    const failure = await failureOf(all(client(server.url, { maxAnswerBytes: 1000 })));
    expect(failure.message).toContain('too long');
  });

  test('does not swallow what a consumer throws', async () => {
    const server = await serve((_request, response) => response.end(line('ADDED', pod('a'))));
    const before = rxjsConfig.onUnhandledError;
    const thrown = new Promise((resolve) => {
      rxjsConfig.onUnhandledError = resolve;
    });
    cleanUp.push(() => {
      rxjsConfig.onUnhandledError = before;
    });
    const bug = new Error('a bug');
    client(server.url)
      .watch(resources.pods, watchOptions)
      .subscribe(() => {
        throw bug;
      });
    expect(await thrown).toBe(bug);
  });

  test('does not take connections from requests', async () => {
    const server = await serve((request, response) => {
      if (request.query['watch'] === 'true') response.write(line('ADDED', pod('a')));
      else json(response, 200, pod('web-1'));
    });
    const connection = client(server.url, { maxConnections: 1 });
    const watches = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise<{ unsubscribe(): void }>((resolve) => {
            const subscription = connection
              .watch(resources.pods, watchOptions)
              .subscribe(() => queueMicrotask(() => resolve(subscription)));
          }),
      ),
    );
    await firstValueFrom(connection.get(resources.pods, web));
    for (const watch of watches) watch.unsubscribe();
    expect(server.connections()).toBe(5);
  });
});
