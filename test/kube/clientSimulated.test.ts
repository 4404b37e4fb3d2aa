// The real client and the simulated port answer alike, and the way from the watch to the store holds over a real
// connection that breaks.
import { filter, firstValueFrom, type Observable, ReplaySubject } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import type { PersistentVolumeClaim } from '../../src/core/objects.ts';
import { type KubeApi, KubeFailure, type KubeObject } from '../../src/kube/api.ts';
import { connect } from '../../src/kube/client.ts';
import type { ConnectOptions } from '../../src/kube/clientSend.ts';
import { projectPersistentVolumeClaim } from '../../src/kube/project.ts';
import type { ApiServer } from '../../src/sim/cluster.ts';
import { type HttpOptions, serveHttp } from '../../src/sim/http/serveHttp.ts';
import type { Store } from '../../src/streams/store.ts';
import { storeOf } from '../../src/streams/storeOf.ts';
import { watchKind } from '../../src/streams/watchKind.ts';
import { at, box, boxes, boxServer, claim, claims } from '../sim/apiServerFixtures.ts';
import { kubeConfigFor } from './loopback.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const serve = async (server: ApiServer, options: HttpOptions = {}) => {
  const http = await serveHttp(server, options);
  cleanUp.push(http.close);
  return http;
};

const clientOf = (url: string, user = {}, options: Partial<ConnectOptions> = {}): KubeApi => {
  const connection = connect(kubeConfigFor(url, user), options);
  cleanUp.push(connection.close);
  return connection;
};

const outcomeOf = async (request: Observable<unknown>): Promise<unknown> => {
  try {
    return await firstValueFrom(request, { defaultValue: 'nothing' });
  } catch (failure) {
    if (!(failure instanceof KubeFailure)) throw failure;
    return { kind: failure.kind, code: failure.code, reason: failure.reason };
  }
};

/** What the server makes up differs between two servers. */
const withoutIdentity = (outcome: unknown): unknown =>
  JSON.parse(
    JSON.stringify(outcome ?? 'nothing', (key, value: unknown) =>
      ['uid', 'creationTimestamp', 'managedFields', 'time'].includes(key) ? undefined : value,
    ),
  );

describe('the real client against the simulated API server', () => {
  const requests: readonly (readonly [string, (api: KubeApi, made: KubeObject) => Observable<unknown>])[] = [
    ['list', (api) => api.list(boxes, { namespace: 'default', limit: 1 })],
    ['list with a selector that is none', (api) => api.list(boxes, { labelSelector: '=,=' })],
    ['get', (api) => api.get(boxes, at('a'))],
    ['get what is not there', (api) => api.get(boxes, at('z'))],
    ['create', (api) => api.create(boxes, box('b', { size: 2 }))],
    ['create what is there', (api) => api.create(boxes, box('a'))],
    ['create what is malformed', (api) => api.create(boxes, box('NOT A NAME'))],
    ['merge patch', (api) => api.patch(boxes, at('a'), { type: 'merge', body: { spec: { size: 3 } } })],
    [
      'merge patch with a stale version',
      (api) => api.patch(boxes, at('a'), { type: 'merge', body: { metadata: { resourceVersion: '1' }, spec: {} } }),
    ],
    [
      'JSON patch',
      (api) =>
        api.patch(boxes, at('a'), { type: 'json', operations: [{ op: 'add', path: '/spec/color', value: 'red' }] }),
    ],
    [
      'JSON patch with a test that does not hold',
      (api) =>
        api.patch(boxes, at('a'), {
          type: 'json',
          operations: [{ op: 'test', path: '/metadata/resourceVersion', value: '1' }],
        }),
    ],
    [
      'apply patch',
      (api) =>
        api.patch(boxes, at('a'), { type: 'apply', body: box('a', { size: 9 }), fieldManager: 'tester', force: true }),
    ],
    [
      'status patch',
      (api) => api.patch(boxes, at('a'), { type: 'merge', body: { status: { ok: true } } }, { subresource: 'status' }),
    ],
    ['delete with another uid', (api) => api.remove(boxes, at('a'), { uid: 'another' })],
    ['delete', (api, made) => api.remove(boxes, at('a'), { uid: made.metadata.uid ?? '' })],
    [
      'watch from a version that is too old',
      // That the server has agreed to watch is heard only from the real one.
      (api) =>
        api
          .watch(boxes, { resourceVersion: '1', timeoutSeconds: 1 })
          .pipe(filter((event) => event.type !== 'bookmark')),
    ],
  ];

  test.each(requests)('%s has the outcome that the simulated port has', async (_name, request) => {
    const prepare = (): { readonly server: ApiServer; readonly made: KubeObject } => {
      const server = boxServer();
      return { server, made: server.create(boxes, box('a', { size: 1 }), 'user') };
    };
    const [simulated, real] = [prepare(), prepare()];
    const { url } = await serve(real.server);
    const expected = await outcomeOf(request(simulated.server.port(), simulated.made));
    const actual = await outcomeOf(request(clientOf(url), real.made));
    expect(withoutIdentity(actual)).toStrictEqual(withoutIdentity(expected));
  });

  test('a token that is wrong and a right that is missing are told apart', async () => {
    const { url } = await serve(boxServer(), { token: 'right', forbid: ({ plural }) => plural === 'boxes' });
    expect(await outcomeOf(clientOf(url, { token: 'wrong' }).list(boxes, {}))).toMatchObject({ code: 401 });
    const failure: unknown = await firstValueFrom(clientOf(url, { token: 'right' }).list(boxes, {})).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 403, reason: 'Forbidden' });
    expect(String(failure)).toContain('grant verb list on boxes in API group example.dev');
  });
});

describe('watch and store over a real connection', () => {
  test('catch up with what happened while the server could not be reached', async () => {
    const server = boxServer();
    server.create(claims, claim('a'), 'user');
    server.create(claims, claim('b'), 'user');
    const first = await serveHttp(server);
    const api = clientOf(first.url);

    const stores = new ReplaySubject<Store<PersistentVolumeClaim>>(1);
    const subscription = watchKind(api, claims, projectPersistentVolumeClaim, {
      random: () => 0,
      pageSize: 1,
      backoffMs: 10,
      maxBackoffMs: 20,
    })
      .pipe(storeOf<PersistentVolumeClaim>({ keepDeleted: true }))
      .subscribe(stores);
    cleanUp.push(() => subscription.unsubscribe());
    const when = (holds: (store: Store<PersistentVolumeClaim>) => boolean): Promise<Store<PersistentVolumeClaim>> =>
      firstValueFrom(stores.pipe(filter(holds)));

    expect((await when((store) => store.synced)).size).toBe(2);
    server.create(claims, claim('c'), 'user');
    await when((store) => store.get('default', 'c') !== undefined);

    await first.close();
    await when((store) => store.trouble?.kind === 'unreachable');
    server.remove(claims, at('a'), 'user');
    server.create(claims, claim('d'), 'user');
    await serve(server, { port: Number(new URL(first.url).port) });
    const after = await when((store) => store.get('default', 'd') !== undefined);
    expect([...after.all()].map(({ name }) => name).sort()).toStrictEqual(['b', 'c', 'd']);
    // It resumed from the last version, so the deletion was seen and not inferred.
    expect(after.tombstone('default', 'a')).toMatchObject({ gap: false, object: { name: 'a' } });
    expect(after.trouble).toBeUndefined();
  });
});
