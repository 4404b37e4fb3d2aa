// Rows of the table through the whole program as it is installed: a process of its own, over HTTP, in real time. What
// it leaves behind for people is looked at afterwards: numbers, Events and the log.
import { lastValueFrom, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { isResult, playRow, type RowResult } from '../../src/sim/scenario/playRow.ts';
import { migrationName } from '../../src/sim/scenario/rowObjects.ts';
import { rows } from '../../src/sim/scenario/rows.ts';
import { usualVariation } from '../../src/sim/scenario/variation.ts';
import { type World, world } from '../../src/sim/scenario/world.ts';
import { namespace, serve } from './cluster.ts';
import {
  afterwards,
  daemonFor,
  expectGoodLog,
  pageOfMetrics,
  pageWith,
  patient,
  type Transship,
  until,
} from './process.ts';

/** How much faster than a real cluster: people and KubeVirt must not outrun a process on a busy machine. */
const speed = 5;
const variation = { ...usualVariation, namespace, timeoutMs: 60_000 * speed };

interface Play {
  readonly world: World;
  readonly result: RowResult;
  /** The last of the processes that were started. */
  readonly daemon: Transship;
  /** All of them. */
  readonly daemons: readonly Transship[];
}

/**
 * Plays a row; at each milestone of `killAt` the process is killed and another one started. Until that is there, no
 * second launcher is: who ends a guest while nobody watches leaves no evidence of where it wrote last (law 7).
 */
const play = async (number: number, killAt: readonly string[] = [], args: readonly string[] = []): Promise<Play> => {
  // Copies and guests that end take long enough for somebody to act in the middle, however busy the machine.
  const running = world({ speed, copy: { durationMs: 2000 }, kubeVirt: { shutdownMs: 10_000 } });
  afterwards(() => running.unsubscribe());
  const { url } = await serve(running.server);
  const daemons = [daemonFor(url, args)];
  await pageWith(daemons[0] as Transship, '/readyz', 200);
  const row = rows.find((each) => each.number === number);
  if (row === undefined) throw new Error(`no row ${number}`);
  const due = [...killAt];
  const result = await lastValueFrom(
    playRow(running, row, variation).pipe(
      tap((item) => {
        if (isResult(item) || item.what !== due[0]) return;
        due.shift();
        daemons.at(-1)?.kill('SIGKILL');
        const next = daemonFor(url);
        daemons.push(next);
        for (const { name } of row.machines) running.kubeVirt.nodeSide({ namespace, name }, { target: 'hold' });
        void pageWith(next, '/readyz', 200).then(() => {
          for (const { name } of row.machines) running.kubeVirt.nodeSide({ namespace, name }, { target: 'release' });
        });
      }),
    ),
  );
  expect(due).toEqual([]);
  if (!isResult(result)) throw new Error('expected a result');
  return { world: running, result, daemon: daemons.at(-1) as Transship, daemons };
};

const reasonsOn = (play: Play, kind: string, name: string): readonly unknown[] =>
  play.world.server
    .all(resources.events, namespace)
    .filter((event) => {
      const regarding = event['regarding'] as { readonly kind?: string; readonly name?: string } | undefined;
      return regarding?.kind === kind && regarding.name === name && event['reportingController'] !== undefined;
    })
    .filter((event) => String(event['reportingController']).startsWith('transship.dev/'))
    .map((event) => event['reason']);

const finished = ({ world: { server } }: Play): KubeObject | undefined =>
  server.read(resources.storageMigrations, { namespace, name: migrationName });

describe('a row of the table, by the process over HTTP', () => {
  test('row 2: the machine is stopped in the middle of its live migration', async () => {
    const played = await play(2, [], patient);
    expect(played.result.faults).toEqual([]);
    const { daemon } = played;
    const commands = ['startLive', 'revert', 'createServer', 'createClient', 'cutOver', 'addFinalizer'];
    const some = (value: number): boolean => value > 0;
    await pageOfMetrics(daemon, {
      'transship_virtual_machines{mode="done"}': 1,
      'transship_virtual_machines{mode="live"}': 0,
      'transship_storage_migrations{phase="Succeeded"}': 1,
      'transship_cancels_total{cause="stopped"}': 1,
      ...Object.fromEntries(
        commands.map((command) => [`transship_commands_total{command="${command}",outcome="done"}`, 1]),
      ),
      'transship_mode_switches_total{from="live",to="hold"}': some,
      'transship_mode_switches_total{from="hold",to="offline"}': some,
      transship_reaction_seconds_count: some,
      transship_reaction_seconds_sum: some,
      'transship_watch_events_total{kind="pods",type="applied"}': some,
      'transship_store_objects{kind="persistentvolumeclaims"}': 2,
    });
    const turns = ['LiveMigrationStarted', 'LiveMigrationReverted', 'OfflineCopyStarted', 'CutOver', 'Moved'];
    await until(() => reasonsOn(played, 'StorageMigration', migrationName).includes('Moved'));
    await until(() => reasonsOn(played, 'VirtualMachine', 'a').includes('Moved'));
    expect(reasonsOn(played, 'StorageMigration', migrationName)).toEqual(expect.arrayContaining(turns));
    expect(reasonsOn(played, 'VirtualMachine', 'a').toSorted()).toEqual(turns.toSorted());
    expect(daemon.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    expectGoodLog(daemon);
  });

  test('row 4: one of two machines is started in the middle of the offline copies', async () => {
    const played = await play(4, [], ['--log-level=debug']);
    expect(played.result.faults).toEqual([]);
    const { daemon } = played;
    await pageOfMetrics(daemon, {
      'transship_virtual_machines{mode="done"}': 2,
      // Its client is cancelled; the other one and the server are through.
      'transship_cancels_total{cause="started"}': 1,
      'transship_cancels_total{cause="finished"}': 0,
    });
    await until(() => reasonsOn(played, 'VirtualMachine', 'b').includes('Moved'));
    expect(reasonsOn(played, 'VirtualMachine', 'a')).toContain('OfflineCopyCancelled');
    expect(reasonsOn(played, 'VirtualMachine', 'b')).not.toContain('OfflineCopyCancelled');
    expectGoodLog(daemon);
  });

  test('row 2 with the process killed in the middle of every step: another one comes to the same end', async () => {
    const killAt = ['live migration of a begins', 'client of a created', 'a cut over'];
    const played = await play(2, killAt);
    expect(played.result.faults).toEqual([]);
    expect(played.daemons).toHaveLength(4);
    const ends = await Promise.all(played.daemons.slice(0, 3).map(({ ended }) => ended));
    expect(ends).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL']);
    expect(finished(played)).toMatchObject({ status: { summary: '1/1', mode: 'Done', progress: '1/1' } });
    await pageOfMetrics(played.daemon, { 'transship_virtual_machines{mode="done"}': 1 });
    for (const daemon of played.daemons) expectGoodLog(daemon);
  });
});
