// Objects that do not look as expected: told in log, metrics and status, left alone, and no hindrance to the others.
import { expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import type { ApiServer } from '../../src/sim/cluster.ts';
import { conditionOf, guardedWorld, makeMachine, migrationOf, modeOf, namespace, statusOf } from './cluster.ts';
import { daemonFor, expectGoodLog, pageOfMetrics, pageWith, until } from './process.ts';

/** From here on the server takes any StorageMigration, as one with another version of the CRD might. */
const takeAnyMigration = (server: ApiServer): void => {
  server.register({
    resource: resources.storageMigrations,
    singular: 'storagemigration',
    status: true,
    generation: true,
  });
};

const patchSpec = (server: ApiServer, name: string, spec: unknown): KubeObject =>
  server.patch(resources.storageMigrations, { namespace, name }, { type: 'merge', body: { spec } }, 'user');

test('a machine that cannot be read is left alone until it can, and the others go on', async () => {
  const cluster = await guardedWorld();
  const { server } = cluster;
  const odd = { namespace, name: 'odd' };
  const setStrategy = (value: unknown) =>
    server.patch(
      resources.virtualMachines,
      odd,
      { type: 'merge', body: { spec: { updateVolumesStrategy: value } } },
      'user',
    );
  for (const name of ['odd', 'web', 'late']) makeMachine(cluster, name, 'Halted');
  setStrategy(7);
  server.create(resources.storageMigrations, migrationOf('move-odd', ['odd']), 'user');
  server.create(resources.storageMigrations, migrationOf('move-web', ['web']), 'user');
  const daemon = daemonFor(cluster.url);
  await until(() => modeOf(server, 'move-web', 'web') === 'Done');

  expect(await daemon.logged('An object cannot be read and is left alone')).toMatchObject({
    level: 'error',
    kind: 'virtualmachines',
    object: `${namespace}/odd`,
    field: 'spec.updateVolumesStrategy',
    reason: `VirtualMachine ${namespace}/odd: spec.updateVolumesStrategy is 7, expected a text`,
  });
  await pageOfMetrics(daemon, { 'transship_malformed_objects{kind="virtualmachines"}': 1 });
  const ready = await until(() => conditionOf(server, 'move-odd', 'Ready'));
  expect(ready).toMatchObject({
    status: 'False',
    message: expect.stringContaining('spec.updateVolumesStrategy is 7, expected a text'),
  });
  expect(daemon.lines.filter(({ machine }) => String(machine).endsWith('/odd'))).toEqual([]);
  // Others are served although it is there, and it is told of once however often it changes.
  server.patch(resources.virtualMachines, odd, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } }, 'user');
  server.create(resources.storageMigrations, migrationOf('move-late', ['late']), 'user');
  await until(() => modeOf(server, 'move-late', 'late') === 'Done');
  expect(daemon.lines.filter(({ msg }) => msg === 'An object cannot be read and is left alone')).toHaveLength(1);
  expect((await pageWith(daemon, '/readyz', 200)).body).toBe('ready\n');

  setStrategy(null);
  await until(() => modeOf(server, 'move-odd', 'odd') === 'Done');
  await daemon.logged('An object that could not be read can be read again, or is gone');
  await pageOfMetrics(daemon, { 'transship_malformed_objects{kind="virtualmachines"}': 0 });
  expectGoodLog(daemon);
});

test('a StorageMigration whose spec cannot be read says so in its conditions, until it is mended', async () => {
  const cluster = await guardedWorld();
  const { server } = cluster;
  takeAnyMigration(server);
  makeMachine(cluster, 'web', 'Halted');
  const wanted = migrationOf('move', ['web']);
  server.create(resources.storageMigrations, { ...wanted, spec: { virtualMachines: 'all of them' } }, 'user');
  cluster.refused.add('patch storagemigrations');
  const daemon = daemonFor(cluster.url);
  await daemon.logged('A write was not carried out');
  cluster.refused.clear();
  const ready = await until(() => conditionOf(server, 'move', 'Ready'));
  expect(ready).toMatchObject({ status: 'False', reason: 'SpecNotReadable', observedGeneration: 1 });
  expect(ready.message).toContain(`StorageMigration ${namespace}/move: spec.virtualMachines is string, expected array`);
  expect(conditionOf(server, 'move', 'NeedsAttention')).toMatchObject({ status: 'True' });
  await pageOfMetrics(daemon, { 'transship_malformed_objects{kind="storagemigrations"}': 1 });

  patchSpec(server, 'move', { virtualMachines: [{ name: 'web', volumes: [{ name: 3 }] }] });
  const other = await until(() => {
    const found = conditionOf(server, 'move', 'Ready');
    return found?.message.includes('spec.virtualMachines[0].volumes[0].name') && found;
  });
  // Only the words have changed, not what they say.
  expect(other).toMatchObject({ observedGeneration: 2, lastTransitionTime: Reflect.get(ready, 'lastTransitionTime') });
  const version = server.read(resources.storageMigrations, { namespace, name: 'move' })?.metadata.resourceVersion;

  makeMachine(cluster, 'later', 'Halted');
  server.create(resources.storageMigrations, migrationOf('another', ['later']), 'user');
  await until(() => modeOf(server, 'another', 'later') === 'Done');
  // The refusal was written once, and not again for its own echo.
  expect(server.read(resources.storageMigrations, { namespace, name: 'move' })?.metadata.resourceVersion).toBe(version);

  patchSpec(server, 'move', wanted['spec']);
  await until(() => modeOf(server, 'move', 'web') === 'Done');
  expect(conditionOf(server, 'move', 'Ready')).toMatchObject({ status: 'True' });
  expect(conditionOf(server, 'move', 'NeedsAttention')).toMatchObject({ status: 'False' });
  expectGoodLog(daemon);
});

test('a StorageMigration whose status cannot be read keeps its record to the letter and is left alone', async () => {
  const cluster = await guardedWorld();
  const { server } = cluster;
  takeAnyMigration(server);
  makeMachine(cluster, 'web', 'Halted');
  const made = server.create(resources.storageMigrations, migrationOf('move', ['web']), 'user');
  const status = { summary: '0/1', virtualMachines: [{ name: 'web', record: { from: 'another version' } }] };
  server.replace(resources.storageMigrations, { ...made, status }, 'user', { subresource: 'status' });
  const daemon = daemonFor(cluster.url);
  const ready = await until(() => conditionOf(server, 'move', 'Ready'));
  expect(ready).toMatchObject({ status: 'False', reason: 'StatusNotReadable' });
  expect(ready.message).toContain('status.virtualMachines[0].mode is not valid, expected one of');
  expect(statusOf(server, 'move')).toEqual({ ...status, conditions: expect.anything() });
  expect(daemon.lines.filter(({ command }) => command !== undefined && command !== 'status')).toEqual([]);
  expectGoodLog(daemon);
});
