// What the traps share: the moments they wait for, what people do in the middle of a migration, a network on which a
// revert is late, and what must be true of the disks in the end.
import { expect } from 'vitest';
import type { ObjectRef } from '../../../src/kube/api.ts';
import { resources } from '../../../src/kube/resources.ts';
import type { RequestInfo } from '../../../src/sim/cluster.ts';
import { type Network, networkOf } from '../network.ts';
import { at, type Machine, sight } from '../sight.ts';
import { act, type Scene, type Step, targetsOf, until, web } from './trap.ts';

/** The StorageMigration that the traps ask for. */
export const migration = { namespace: web.namespace, name: 'move' };

export const deleteMigration: Step = act(({ world }) =>
  world.server.remove(resources.storageMigrations, migration, 'user'),
);

/** The first machine of the StorageMigration has its record. */
export const accepted: Step = until(
  'it is accepted',
  ({ world }) =>
    at(world.server.all(resources.storageMigrations)[0], 'status', 'virtualMachines', '0', 'record') !== undefined,
);

/** The daemon's first write to the VM of `web`. */
export const ourPatch: Step = until('our patch', (scene) => scene.vmWrites().length === 1);

/** The VM of `web` names its sources again. */
export const backOnSource: Step = until('the VM on A', (scene) => sight.sideOf(scene.vm(), web) === 'source');

/** Somebody else's pod, for the first target of `web`. */
export const reader: ObjectRef = { namespace: web.namespace, name: 'reader' };

export const mountTarget: Step = act(({ world }) => {
  const spec = {
    containers: [{ name: 'reader', image: 'reader' }],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: targetsOf(web)[0] } }],
  };
  world.server.create(resources.pods, { apiVersion: 'v1', kind: 'Pod', metadata: reader, spec }, 'user');
});

export const unmountTarget: Step = act(({ world }) => world.people.deletePod(reader));

/** Holds a revert up on its way, so that it lands so long after it was sent. */
export const slowRevert = (ms: number): Network =>
  networkOf({
    request: ({ verb, resource, body }: RequestInfo) =>
      verb === 'patch' && resource.plural === 'virtualmachines' && !JSON.stringify(body).includes('Migration')
        ? { kind: 'slow', ms }
        : undefined,
  });

/** No write of the guest is lost, and it was never booted on a claim that lacks some. */
export const lossless = (scene: Scene, machine: Machine = web): void => {
  expect(scene.world.disks.lostWrites(machine)).toEqual([]);
  expect(scene.world.disks.boots.filter(({ lostBlocks }) => lostBlocks > 0)).toEqual([]);
};
