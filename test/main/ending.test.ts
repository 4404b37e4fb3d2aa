// How the process ends: at once when idle, after the write under way when there is one, and always in the end.
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import type { World } from '../../src/sim/scenario/world.ts';
import { type Gate, gate, makeMachine, migrationOf, namespace, runningWorld, serve } from './cluster.ts';
import { daemonFor, expectGoodLog, pageWith, patient, type Transship, token, until } from './process.ts';

/** Whether a request patches an object of this kind. */
const patches =
  (plural: string) =>
  ({ method, url }: IncomingMessage): boolean =>
    method === 'PATCH' && (url ?? '').includes(`/namespaces/${namespace}/${plural}/`);

interface Stage {
  readonly world: World;
  readonly gate: Gate;
  readonly daemon: Transship;
  /** Requests that came before the signal. */
  readonly before: number;
}

/** A daemon whose patch of a VM, or of a StorageMigration, is under way, and which is told to end then. */
const signalledInTheMiddle = async (plural: string, ...args: readonly string[]): Promise<Stage> => {
  const world = runningWorld(50);
  const gateway = await gate((await serve(world.server)).url, patches(plural));
  makeMachine(world, 'web', 'Always');
  await until(
    () => world.server.read(resources.virtualMachineInstances, { namespace, name: 'web' })?.['status'] !== undefined,
  );
  world.server.create(resources.storageMigrations, migrationOf('move', ['web']), 'user');
  const daemon = daemonFor(gateway.url, args);
  await until(() => gateway.held.length === 1);
  const before = gateway.seen.length;
  daemon.kill('SIGTERM');
  await daemon.logged('Transship was told to end');
  return { world, gate: gateway, daemon, before };
};

const claimsOf = (world: World): string =>
  JSON.stringify(world.server.read(resources.virtualMachines, { namespace, name: 'web' })?.['spec']);

const isListening = (port: unknown): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

describe('told to end', () => {
  test('while idle: ends with 0 and leaves no port open', async () => {
    const { url } = await serve(runningWorld(50).server);
    const daemon = daemonFor(url);
    await pageWith(daemon, '/readyz', 200);
    const { port } = await daemon.logged('Transship has started');
    expect(await isListening(port)).toBe(true);
    daemon.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(daemon.lines.slice(-2)).toMatchObject([
      { msg: 'Transship was told to end', signal: 'SIGTERM' },
      { msg: 'Transship has ended' },
    ]);
    expect(await isListening(port)).toBe(false);
    expectGoodLog(daemon);
  });

  test('while it waits for a server that is away, and by SIGINT: ends with 0', async () => {
    const daemon = daemonFor('http://127.0.0.1:1', ['--watch-backoff=1h', '--watch-backoff-max=1h']);
    await daemon.logged('A watch failed and is tried again');
    daemon.kill('SIGINT');
    expect(await daemon.ended).toBe(0);
    expectGoodLog(daemon);
  });

  test('while no request is answered: ends with 0', async () => {
    const gateway = await gate('http://127.0.0.1:1', () => true);
    const daemon = daemonFor(gateway.url, ['--list-timeout=1h']);
    await until(() => gateway.held.length === 7);
    expect((await daemon.page('/readyz')).body).toContain('watch pods: not synced: being listed');
    daemon.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expectGoodLog(daemon);
  });

  test('while it starts a live migration: lets the write be answered, begins nothing more, and ends with 0', async () => {
    const { world, gate, daemon, before } = await signalledInTheMiddle('virtualmachines', ...patient);
    // Nobody is there any more to be sent metrics, but whoever asks is told why.
    expect(await daemon.page('/readyz')).toEqual({ status: 503, body: 'Transship is ending\n' });
    gate.held[0]?.release();
    expect(await daemon.ended).toBe(0);
    expect(await daemon.logged('A write was made', ({ command }) => command === 'startLive')).toMatchObject({
      outcome: 'done',
    });
    expect(claimsOf(world)).toContain('"web-new"');
    // What was done is still told to people, and that is all.
    const after = gate.seen.slice(before);
    expect(after.filter((request) => !request.endsWith('/events'))).toEqual([]);
    expect(after).not.toEqual([]);
    expect(daemon.lines.at(-1)).toMatchObject({ msg: 'Transship has ended' });
    expectGoodLog(daemon);
  });

  test('in the middle of a write that is never answered: gives it up when its time is over, and ends with 0', async () => {
    const { world, daemon, gate, before } = await signalledInTheMiddle('virtualmachines');
    expect(await daemon.ended).toBe(0);
    expect(daemon.lines).toContainEqual(
      expect.objectContaining({ msg: 'A write was not carried out', command: 'startLive', outcome: 'unknown' }),
    );
    expect(claimsOf(world)).toContain('"web-old"');
    expect(gate.seen.slice(before)).toEqual([]);
    expectGoodLog(daemon);
  });

  test('in the middle of a write that takes longer than the process may: says so and ends with 0', async () => {
    const { daemon } = await signalledInTheMiddle(
      'storagemigrations',
      '--request-timeout=1h',
      '--startup-hold=1h',
      '--late-write=1h',
      '--shutdown-timeout=200ms',
    );
    expect(await daemon.ended).toBe(0);
    expect(daemon.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'Writes under way were not answered in time and are given up' }),
    );
    expectGoodLog(daemon);
  });

  test('twice: waits for nothing', async () => {
    const { daemon } = await signalledInTheMiddle(
      'storagemigrations',
      '--request-timeout=1h',
      '--startup-hold=1h',
      '--late-write=1h',
      '--shutdown-timeout=1h',
    );
    daemon.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(daemon.lines.slice(-2)).toMatchObject([
      { msg: 'Transship was told again to end and waits for nothing' },
      { msg: 'Transship has ended' },
    ]);
    expectGoodLog(daemon);
  });
});

test('a bug ends the process at once with 1, after a line that says where it was', async () => {
  const { url } = await serve(runningWorld(50).server);
  // The only thing that is not as it is installed: a signal that makes it fail.
  const fault = "process.on('SIGUSR2', () => { throw new Error('made to fail'); });";
  const daemon = daemonFor(url, [], token, {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}`,
  });
  await pageWith(daemon, '/readyz', 200);
  daemon.kill('SIGUSR2');
  expect(await daemon.ended).toBe(1);
  expect(daemon.lines.at(-1)).toMatchObject({
    level: 'fatal',
    msg: 'A bug ends this process',
    err: { message: 'made to fail', stack: expect.stringContaining('at process') },
  });
  expectGoodLog(daemon);
});
