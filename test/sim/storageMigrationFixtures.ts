// What the tests of StorageMigrations share: two machines, questions about where they stand, and what people write.
// All of it speaks of the StorageMigration `move` in the namespace of scene.ts.
import type { KubeObject } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { act, type Moment, machine, namespace, type Scene } from './scene.ts';
import { at, type Machine, sight } from './sight.ts';

/** The machine most tests are about. */
export const web = machine('web');
export const db = machine('db');

export const vmOf = ({ world }: Scene, { name }: Machine): KubeObject | undefined =>
  world.server.read(resources.virtualMachines, { namespace, name });

/** The claims that the VM names. */
export const sideOf = (performing: Scene, of: Machine) => sight.sideOf(vmOf(performing, of), of);

export const isRunning =
  (of: Machine) =>
  ({ world }: Scene): boolean =>
    at(world.server.read(resources.virtualMachineInstances, { namespace, name: of.name }), 'status', 'phase') ===
    'Running';

/** Its entry of the StorageMigration says that it is moved. */
export const isDone =
  (of: Machine) =>
  (performing: Scene): boolean =>
    at(performing.entry(of), 'mode') === 'Done';

export const ref = ({ name }: Machine) => ({ namespace, name });

export const patchMigration = ({ world }: Scene, spec: object): void => {
  world.server.patch(
    resources.storageMigrations,
    { namespace, name: 'move' },
    { type: 'merge', body: { spec } },
    'user',
  );
};

/** There is a claim of this name. */
export const exists = ({ world }: Scene, claim: string): boolean =>
  world.server.read(resources.persistentVolumeClaims, { namespace, name: claim }) !== undefined;

export const halted = { runStrategy: 'Halted' } as const;

/** Makes `web` and its claims. */
export const make = (vm: object): Moment => act((performing) => performing.create(web, vm));

/** Asks for `web` to be moved. */
export const ask = (more: object = {}): Moment =>
  act((performing) => performing.move({ ...performing.specOf(web), ...more }));
