// What is on every claim, so that "nothing lost" can be checked by comparing what guests wrote with what their disks
// hold. A disk is a few blocks, each holding who wrote it last and with which number; where they are kept is given.
import type { ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import type { claimsOf } from '../kubevirt/attachmentPods.ts';
import { model } from '../kubevirt/model.ts';
import type { Vm } from '../kubevirt/objects.ts';
import { type Blocks, blocksOf, type Content } from './blocks.ts';
import { type Clash, claimWriters } from './claimWriters.ts';
import { type GuestDisks, guestDisks, type MountedDisk } from './guestDisks.ts';

/** A disk of a VM that does not hold what its guest wrote last. */
export interface Loss {
  readonly vm: string;
  readonly volume: string;
  readonly claim: string;
  readonly lostBlocks: number;
}

export interface DisksOptions {
  /** How often a running guest writes to each of its disks, in ms; 0: never. Default 1000. */
  readonly writeMs?: number;
  /** Blocks per disk. Default 16. */
  readonly blocks?: number;
  /** Where the blocks are kept. Default in memory. */
  readonly kept?: Blocks;
}

export interface Disks extends GuestDisks {
  content(namespace: string, claim: string): Content;
  /** Puts a disk's first content there, as an installation would. Does nothing to a disk that has one. */
  install(namespace: string, vm: string, volume: string, claim: string): void;
  /** Copies a part of a disk as it is now, from `from` to `to` (0 to 1), in the name of `writer`. */
  copyPart(namespace: string, source: string, target: string, from: number, to: number): void;
  /** Somebody begins or ends to write a claim besides the guests. */
  opened(namespace: string, claim: string, writer: string): void;
  closed(namespace: string, claim: string, writer: string): void;
  /** Disks of a VM that lack writes its guest believes it made: of the running guest, else of the claims the VM names. */
  lostWrites(vm: ObjectRef): readonly Loss[];
  /** Blocks of this claim that are not what the VM's guest wrote last to this volume. */
  missing(vm: ObjectRef, volume: string, claim: string): number;
  /** As `missing`, as far as a glance tells: for pictures. */
  glance(vm: ObjectRef, volume: string, claim: string): number;
  readonly clashes: readonly Clash[];
}

/** Makes the disks of one simulated cluster, all empty. */
export const disksOf = (server: ApiServer, options: DisksOptions = {}): Disks => {
  const blocks = options.kept ?? blocksOf(options.blocks ?? 16);
  const writers = claimWriters(() => server.now());
  const guests = guestDisks(() => server.now(), options.writeMs ?? 1000, blocks, writers);

  const writerOf = ({ namespace, name }: ObjectRef, volume: string): string => `${namespace ?? ''}/${name}/${volume}`;

  const missing = (vm: ObjectRef, volume: string, claim: string): number => {
    guests.catchUp();
    return blocks.missing(writerOf(vm, volume), `${vm.namespace ?? ''}/${claim}`);
  };

  const named = (vm: ObjectRef): readonly MountedDisk[] => {
    const found = model.maybe<Vm>(server.read(resources.virtualMachines, vm));
    return (found?.spec.template.spec.volumes ?? [])
      .map((volume) => ({ volume: volume.name, claim: model.claimOf(volume) }))
      .filter(({ claim }) => claim !== '');
  };

  return {
    ...guests,
    clashes: writers.clashes,
    install: (namespace, name, volume, claim) =>
      blocks.install(writerOf({ namespace, name }, volume), `${namespace}/${claim}`),
    missing,
    glance: (vm, volume, claim) => {
      guests.catchUp();
      return blocks.glance(writerOf(vm, volume), `${vm.namespace ?? ''}/${claim}`);
    },
    content: (namespace, claim) => {
      guests.catchUp();
      return blocks.read(`${namespace}/${claim}`);
    },
    copyPart: (namespace, source, target, from, to) => {
      guests.catchUp();
      const [first, last] = [Math.floor(from * blocks.size), Math.floor(to * blocks.size)];
      blocks.copy(`${namespace}/${source}`, `${namespace}/${target}`, first, last);
    },
    opened: (namespace, claim, writer) => writers.open(`${namespace}/${claim}`, writer),
    closed: (namespace, claim, writer) => writers.close(`${namespace}/${claim}`, writer),
    lostWrites: (vm) => {
      const disks = guests.onDisks(vm) ?? named(vm);
      return disks.flatMap(({ volume, claim }) => {
        const lostBlocks = missing(vm, volume, claim);
        return lostBlocks === 0 ? [] : [{ vm: `${vm.namespace}/${vm.name}`, volume, claim, lostBlocks }];
      });
    },
  };
};

/** The disks a pod mounts. */
export const mountedDisks = (pod: Parameters<typeof claimsOf>[0]): readonly MountedDisk[] =>
  (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [{ volume: name, claim: persistentVolumeClaim.claimName }],
  );
