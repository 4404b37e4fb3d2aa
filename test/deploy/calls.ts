// What the daemon really asks an API server for: every verb on every resource, recorded while it plays situations in
// which, together, everything it can do happens.
import { NEVER, type Observable, tap, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { daemon } from '../../src/daemon.ts';
import type { KubeApi, Resource } from '../../src/kube/api.ts';
import { labels } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import type { PortOptions } from '../../src/sim/cluster.ts';
import { daemonOptions } from '../../src/sim/scenario/daemonOptions.ts';
import { isResult, playRow } from '../../src/sim/scenario/playRow.ts';
import { type Row, rows } from '../../src/sim/scenario/rows.ts';
import { usualVariation } from '../../src/sim/scenario/variation.ts';
import { ensureNamespace, type World, world } from '../../src/sim/scenario/world.ts';

/** Verbs by `group/plural` or `group/plural/subresource`, as roles name them. */
export type Calls = Map<string, Set<string>>;

const recorded = (api: KubeApi, calls: Calls): KubeApi => {
  const called = <T>(verb: string, resource: Resource, subresource: string | undefined, answer: Observable<T>) => {
    const name = `${resource.group}/${resource.plural}${subresource === undefined ? '' : `/${subresource}`}`;
    calls.set(name, (calls.get(name) ?? new Set()).add(verb));
    return answer;
  };
  return {
    list: (resource, options) => called('list', resource, undefined, api.list(resource, options)),
    watch: (resource, options) => called('watch', resource, undefined, api.watch(resource, options)),
    get: (resource, ref) => called('get', resource, undefined, api.get(resource, ref)),
    create: (resource, object) => called('create', resource, undefined, api.create(resource, object)),
    patch: (resource, ref, patch, options) =>
      called('patch', resource, options?.subresource, api.patch(resource, ref, patch, options)),
    remove: (resource, ref, options) => called('delete', resource, undefined, api.remove(resource, ref, options)),
    log: (ref, options) => called('get', resources.pods, 'log', api.log(ref, options)),
  };
};

/** Refuses the first status write, so that what the server has is read again. */
const conflictOnce = (): NonNullable<PortOptions['onRequest']> => {
  let refused = false;
  return ({ verb, resource }) => {
    if (refused || verb !== 'patch' || resource.plural !== resources.storageMigrations.plural) return undefined;
    refused = true;
    return { kind: 'refuse', code: 409, reason: 'Conflict' };
  };
};

const inVirtualTime = (calls: Calls, script: (cluster: World, end: () => void) => void): void => {
  new TestScheduler(() => undefined).run(() => {
    const cluster = world();
    const running = daemon(
      recorded(cluster.server.port({ onRequest: conflictOnce() }), calls),
      daemonOptions(1, () => 0.5),
      NEVER,
    ).subscribe();
    script(cluster, () => {
      running.unsubscribe();
      cluster.unsubscribe();
    });
  });
};

const playOne = (calls: Calls, row: Row): void =>
  inVirtualTime(calls, (cluster, end) => {
    playRow(cluster, row, usualVariation).subscribe((item) => {
      if (isResult(item)) end();
    });
  });

/** A running machine with a plain claim and one of a DataVolume, whose sources are to be deleted; then all is deleted. */
const playRetention = (calls: Calls): void =>
  inVirtualTime(calls, (cluster, end) => {
    ensureNamespace(cluster.server, 'shop');
    cluster.people.createVm({
      name: 'a',
      namespace: 'shop',
      disks: [{ claim: 'plain' }, { claim: 'imported', dataVolume: 'template' }],
    });
    const volumes = ['disk0', 'disk1'].map((name) => ({ name, target: { claimName: `${name}-new` } }));
    const migration = { apiVersion: 'transship.dev/v1alpha1', kind: 'StorageMigration' };
    const metadata = { name: 'move', namespace: 'shop' };
    const spec = { virtualMachines: [{ name: 'a', volumes }], retention: 'DeleteSource' };
    cluster.server.create(resources.storageMigrations, { ...migration, metadata, spec }, 'user');
    timer(60_000)
      .pipe(tap(() => cluster.server.remove(resources.storageMigrations, metadata, 'user')))
      .subscribe();
    timer(90_000).subscribe(end);
  });

/** A machine that is off, whose copy pods do not get to run for longer than anybody waits in silence. */
const playPending = (calls: Calls): void =>
  inVirtualTime(calls, (cluster, end) => {
    ensureNamespace(cluster.server, 'shop');
    cluster.people.createVm({ name: 'a', namespace: 'shop', runStrategy: 'Halted', disks: [{ claim: 'plain' }] });
    cluster.nodes.holdContainers((pod) => pod.metadata.labels?.[labels.role] !== undefined);
    const volumes = [{ name: 'disk0', target: { claimName: 'disk0-new' } }];
    const migration = { apiVersion: 'transship.dev/v1alpha1', kind: 'StorageMigration' };
    const metadata = { name: 'move', namespace: 'shop' };
    cluster.server.create(
      resources.storageMigrations,
      { ...migration, metadata, spec: { virtualMachines: [{ name: 'a', volumes }] } },
      'user',
    );
    timer(90_000).subscribe(end);
  });

/** Plays it all and tells what was called. */
export const callsOfTheDaemon = (): Calls => {
  const calls: Calls = new Map();
  for (const row of rows) playOne(calls, row);
  playRetention(calls);
  playPending(calls);
  return calls;
};
