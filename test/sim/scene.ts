// A small scene for tests of what a StorageMigration promises: a few machines, one object, and moments told one after
// the other in virtual time, under the laws as everything else.
import {
  concat,
  defer,
  EMPTY,
  filter,
  ignoreElements,
  map,
  merge,
  type Observable,
  of,
  startWith,
  take,
  timer,
} from 'rxjs';
import type { KubeObject } from '../../src/kube/api.ts';
import { labels } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Change } from '../../src/sim/cluster.ts';
import type { NewVm } from '../../src/sim/kubevirt/manifests.ts';
import { ensureNamespace } from '../../src/sim/scenario/world.ts';
import { at, type Machine } from './sight.ts';
import { isDaemon, perform, type Stage, type StageOptions } from './stage.ts';

export const namespace = 'shop';

/** A machine with one disk on `<name>-old`, to be moved to `<name>-new`. */
export const machine = (name: string, disks = ['disk0']): Machine => ({
  name,
  namespace,
  disks: disks.map((volume) => {
    const base = disks.length === 1 ? name : `${name}-${volume}`;
    return { volume, source: `${base}-old`, target: `${base}-new` };
  }),
});

/** Somebody else's pod that mounts a claim. */
export const backupPod = (claimName: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'backup', namespace },
  spec: {
    containers: [{ name: 'c', image: 'i' }],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
  },
});

export interface Scene extends Stage {
  /** Makes the VM of a machine, with both claims of each disk. */
  create(machine: Machine, vm?: Partial<NewVm>): void;
  /** Makes the StorageMigration `move`. */
  move(spec: object, name?: string): void;
  /** The spec that moves these machines. */
  specOf(...machines: readonly Machine[]): { readonly virtualMachines: readonly object[] };
  migration(name?: string): KubeObject | undefined;
  condition(
    type: string,
    name?: string,
  ): { readonly status: string; readonly reason: string; readonly message: string };
  entry(machine: Machine, name?: string): unknown;
  /** Writes of the daemon to anything but StorageMigrations and Events. */
  readonly deeds: readonly string[];
  copyPods(): readonly string[];
}

/** One moment: something is done, waited for, or checked. */
export type Moment = (scene: Scene) => Observable<unknown>;

export const act =
  (act: (scene: Scene) => void): Moment =>
  (scene) =>
    defer(() => {
      act(scene);
      return EMPTY;
    });

export const letPass =
  (ms: number): Moment =>
  () =>
    timer(ms);

/** Waits until something holds; looked at with every write. */
export const until =
  (holds: (scene: Scene) => boolean): Moment =>
  (scene) =>
    merge(scene.world.server.changes$, timer(0, 1000)).pipe(
      startWith(undefined),
      filter(() => holds(scene)),
      take(1),
    );

const deedOf = ({ type, resource, object }: Change): string => `${type} ${resource.plural}/${object.metadata.name}`;

const sceneOf = (stage: Stage): Scene => {
  const { world } = stage;
  const deeds: string[] = [];
  world.server.changes$.subscribe((change) => {
    const own = ['storagemigrations', 'events'].includes(change.resource.plural);
    if (isDaemon(change.actor) && !own) deeds.push(deedOf(change));
  });
  const migration = (name = 'move') => world.server.read(resources.storageMigrations, { namespace, name });
  const find = (list: unknown, field: string, value: string): unknown =>
    (Array.isArray(list) ? list : []).find((each) => at(each, field) === value);
  const specOf: Scene['specOf'] = (...machines) => ({
    virtualMachines: machines.map(({ name, disks }) => ({
      name,
      volumes: disks.map(({ volume, target }) => ({ name: volume, target: { claimName: target } })),
    })),
  });
  ensureNamespace(world.server, namespace);
  return {
    ...stage,
    deeds,
    migration,
    specOf,
    create: ({ name, disks }, vm = {}) => {
      const usual = disks.map(({ volume, source, target }) => ({ name: volume, claim: source, target }));
      world.people.createVm({ namespace, name, disks: usual, ...vm });
    },
    move: (spec, name = 'move') => {
      const apiVersion = 'transship.dev/v1alpha1';
      world.server.create(
        resources.storageMigrations,
        { apiVersion, kind: 'StorageMigration', metadata: { name, namespace }, spec },
        'user',
      );
    },
    condition: (type, name) => {
      const found = find(at(migration(name), 'status', 'conditions'), 'type', type);
      return {
        status: String(at(found, 'status')),
        reason: String(at(found, 'reason')),
        message: String(at(found, 'message')),
      };
    },
    entry: (of, name) => find(at(migration(name), 'status', 'virtualMachines'), 'name', of.name),
    copyPods: () =>
      world.server
        .all(resources.pods, namespace)
        .filter(({ metadata }) => metadata.labels?.[labels.role] !== undefined)
        .map(({ metadata }) => metadata.name),
  };
};

/** Plays the moments one after the other, with the daemon from the beginning; a broken law or an error fails the test. */
export const scene = (
  cast: readonly Machine[],
  moments: readonly Moment[],
  options: Omit<StageOptions, 'cast'> = {},
): Scene =>
  perform({ limitMs: 3_600_000, ...options, cast }, (stage) =>
    defer(() => {
      stage.start();
      const performing = sceneOf(stage);
      const told = moments.map((moment) => defer(() => moment(performing)).pipe(ignoreElements()));
      return concat(...told, of(performing));
    }).pipe(map((performed) => performed)),
  );
