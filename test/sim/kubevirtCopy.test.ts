// Disks with content, and the pretended copy between them: a copy is one only if it is whole and its source stood still.
import { describe, expect, test } from 'vitest';
import { copyProgressIn } from '../../src/core/copyProgress.ts';
import { annotations, labels, roles } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Pod } from '../../src/sim/kubevirt/objects.ts';
import { createWeb, live, type World, type WorldOptions, web } from './kubevirtWorld.ts';

const pod =
  (
    name: string,
    role: string,
    claims: readonly string[],
    own: Readonly<Record<string, string>> = {},
    args: readonly string[] = [],
  ) =>
  ({ server }: World): void => {
    server.create(
      resources.pods,
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', labels: { [labels.role]: role }, annotations: own },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 10,
          containers: [{ name: 'copy', image: 'x', args }],
          volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
        },
      },
      'daemon',
    );
  };
const server = pod('server', roles.server, ['b']);
const itsDisk = { [annotations.source]: 'a', [annotations.target]: 'b', [annotations.server]: 'server' };
const client = pod('client', roles.client, ['a'], itsDisk);
const named = ({ pods }: World, name: string): Pod | undefined => pods().find(({ metadata }) => metadata.name === name);
const endOf = (world: World, name: string): { readonly exitCode?: number; readonly message?: string } => {
  const statuses = named(world, name)?.status?.['containerStatuses'] as
    | readonly { readonly state?: { readonly terminated?: { readonly exitCode: number; readonly message?: string } } }[]
    | undefined;
  return statuses?.[0]?.state?.terminated ?? {};
};
const missing = ({ disks }: World): number => disks.missing(web, 'disk0', 'b');
const size = 2 ** 30;

/** A VM that ran for a while on `a` and is off at 8 s. */
const off = (moments: readonly (readonly [number, (world: World) => void])[], options: WorldOptions = {}): void =>
  live(options, [[0, createWeb('Always')], [5, ({ user }) => user.stop(web)], ...moments]);

describe('a copy', () => {
  test('tells how far it is while it runs, and its end in the log as well', () => {
    const log = ({ server }: World): string => server.log({ namespace: 'default', name: 'client' });
    const percents: (number | undefined)[] = [];
    const look = (world: World): void => {
      percents.push(copyProgressIn(log(world))?.percent);
    };
    off([
      [8, server],
      [8, client],
      // It runs from 8.76 s on and takes 3 s, in quarters.
      [9, look],
      [9.6, look],
      [11.1, look],
      [
        15,
        (world) => {
          look(world);
          expect(percents).toEqual([0, 25, 75, 100]);
          expect(copyProgressIn(log(world))).toMatchObject({ bytes: size, total: size, secondsLeft: 0 });
          expect(JSON.parse(log(world).trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ t: 'end', rc: 0 });
        },
      ],
    ]);
  });

  test('that ends well holds everything, and says what was sent', () => {
    off([
      [8, server],
      [8, client],
      [
        15,
        (world) => {
          expect(named(world, 'server')?.status?.phase).toBe('Running');
          expect(endOf(world, 'client').exitCode).toBe(0);
          expect(JSON.parse(endOf(world, 'client').message ?? '')).toMatchObject({
            t: 'end',
            rc: 0,
            files: 1,
            literal: size,
            matched: 0,
            size,
          });
          expect([missing(world), world.disks.clashes]).toEqual([0, []]);
        },
      ],
    ]);
  });

  test('that is to verify tells digests of source and target', () => {
    off([
      [8, server],
      [8, pod('client', roles.client, ['a'], itsDisk, ['--verify'])],
      [
        15,
        (world) => {
          const { sourceDigest, targetDigest } = JSON.parse(endOf(world, 'client').message ?? '');
          expect(sourceDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
          expect(targetDigest).toBe(sourceDigest);
        },
      ],
    ]);
  });

  test('made again sends only what differs', () => {
    off([
      [8, server],
      [8, client],
      [15, ({ user }) => user.deletePod({ namespace: 'default', name: 'client' })],
      [16, client],
      [
        22,
        (world) =>
          expect(JSON.parse(endOf(world, 'client').message ?? '')).toMatchObject({ rc: 0, literal: 0, matched: size }),
      ],
    ]);
  });

  test('of a source that is written meanwhile is no copy, although it ends well', () => {
    live({}, [
      [
        0,
        ({ user }) =>
          user.createVm({ name: 'web', disks: [{ claim: 'a', target: 'b', accessModes: ['ReadWriteMany'] }] }),
      ],
      [5, server],
      [5, client],
      [12, (world) => expect([endOf(world, 'client').exitCode, missing(world) > 0]).toEqual([0, true])],
    ]);
  });

  test('that is stopped in the middle leaves the target partial and ends with 20', () => {
    off([
      [8, server],
      [8, client],
      [10.5, ({ user }) => user.deletePod({ namespace: 'default', name: 'client' })],
      [
        10.7,
        (world) =>
          expect([endOf(world, 'client').exitCode, missing(world) > 0, missing(world) < 16]).toEqual([20, true, true]),
      ],
      [12, (world) => expect(named(world, 'client')).toBeUndefined()],
    ]);
  });

  test('waits for its server and gives up with 10; one whose server goes away ends with 12', () => {
    off([
      [8, client],
      [15, (world) => expect(named(world, 'client')?.status?.phase).toBe('Running')],
      [20, (world) => expect(endOf(world, 'client').exitCode).toBe(10)],
    ]);
    off([
      [8, server],
      [8, client],
      [10, ({ user }) => user.deletePod({ namespace: 'default', name: 'server' })],
      [15, (world) => expect([endOf(world, 'client').exitCode, missing(world) > 0]).toEqual([12, true])],
    ]);
  });

  test('fails as it is told to', () => {
    off(
      [
        [8, server],
        [8, client],
        [15, (world) => expect([endOf(world, 'client').exitCode, missing(world) > 0]).toEqual([30, true])],
      ],
      { copy: { failure: () => ({ exitCode: 30, share: 0.5 }) } },
    );
  });
});

describe('what a guest wrote', () => {
  test('is missing when the VM boots an empty disk, and that stays on record', () => {
    off([
      [8, ({ user }) => user.setClaims(web, { disk0: 'b' })],
      [
        8,
        (world) =>
          expect(world.disks.lostWrites(web)).toEqual([
            { vm: 'default/web', volume: 'disk0', claim: 'b', lostBlocks: 16 },
          ]),
      ],
      [8, ({ user }) => user.start(web)],
      [
        12,
        (world) =>
          expect(world.disks.boots.map(({ claim, lostBlocks }) => [claim, lostBlocks])).toEqual([
            ['a', 0],
            ['b', 16],
          ]),
      ],
    ]);
  });

  test('goes on growing while it runs, and not while it is paused', () => {
    const newest = ({ disks }: World): number =>
      Math.max(...disks.content('default', 'a').map((block) => block?.sequence ?? 0));
    live({}, [
      [0, createWeb('Always')],
      [10, (world) => expect(newest(world)).toBeGreaterThanOrEqual(8)],
      [10, ({ user }) => user.pause(web)],
      [30, (world) => expect(newest(world)).toBeLessThan(11)],
    ]);
  });

  test('is told apart from what another writes to the same claim at the same time', () => {
    live({}, [
      [
        0,
        ({ user }) =>
          user.createVm({ name: 'web', disks: [{ claim: 'a', target: 'b', accessModes: ['ReadWriteMany'] }] }),
      ],
      [5, pod('server', roles.server, ['a'])],
      [
        5,
        pod('client', roles.client, ['b'], {
          [annotations.source]: 'b',
          [annotations.target]: 'a',
          [annotations.server]: 'server',
        }),
      ],
      [12, (world) => expect(world.disks.clashes.map(({ claim }) => claim)).toEqual(['default/a'])],
    ]);
  });
});
