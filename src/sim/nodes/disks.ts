// What is on every claim, so that "nothing lost" can be checked by comparing what guests wrote with what their disks
// hold. A disk is a few blocks, each holding who wrote it last and with which number; nothing here uses a timer: what a
// running guest wrote meanwhile is worked out whenever somebody looks.
import type { ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import type { claimsOf } from '../kubevirt/attachmentPods.ts';
import { model } from '../kubevirt/model.ts';
import type { Vm } from '../kubevirt/objects.ts';
import { blocksOf, type Content } from './blocks.ts';
import { type Clash, claimWriters } from './claimWriters.ts';

export interface MountedDisk {
  readonly volume: string;
  readonly claim: string;
}

/** A guest that started on a disk, and the newest write of that disk's guest that was missing then. */
export interface Boot {
  readonly at: number;
  readonly vm: string;
  readonly vmiUid: string;
  readonly volume: string;
  readonly claim: string;
  readonly lostBlocks: number;
}

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
}

export interface Disks {
  content(namespace: string, claim: string): Content;
  /** Puts a disk's first content there, as an installation would. Does nothing to a disk that has one. */
  install(namespace: string, vm: string, volume: string, claim: string): void;
  /** A guest starts on these disks. */
  boot(vm: ObjectRef, vmiUid: string, disks: readonly MountedDisk[]): void;
  attach(vmiUid: string, disk: MountedDisk): void;
  detach(vmiUid: string, volume: string): void;
  /** A guest stops writing for a while (paused). */
  suspend(vmiUid: string, suspended: boolean): void;
  /** The guest is gone. */
  halt(vmiUid: string): void;
  /** A live copy begins: what was on the targets is overwritten bit by bit from now on. */
  beginMirror(vmiUid: string, targets: readonly MountedDisk[]): void;
  /** A live copy ends without a switch-over; the targets stay half written. */
  endMirror(vmiUid: string): void;
  /** The guest runs on the targets, which hold everything. */
  switchOver(vmiUid: string): void;
  /** Copies a part of a disk as it is now, from `from` to `to` (0 to 1), in the name of `writer`. */
  copyPart(namespace: string, source: string, target: string, from: number, to: number): void;
  /** Somebody begins or ends to write a claim besides the guests. */
  opened(namespace: string, claim: string, writer: string): void;
  closed(namespace: string, claim: string, writer: string): void;
  /** Disks a running guest is on; undefined when it does not run. */
  running(vmiUid: string): readonly MountedDisk[] | undefined;
  /** Disks of a VM that lack writes its guest believes it made: of the running guest, else of the claims the VM names. */
  lostWrites(vm: ObjectRef): readonly Loss[];
  /** Blocks of this claim that are not what the VM's guest wrote last to this volume. */
  missing(vm: ObjectRef, volume: string, claim: string): number;
  readonly boots: readonly Boot[];
  readonly clashes: readonly Clash[];
}

interface Guest {
  readonly vm: string;
  readonly namespace: string;
  readonly vmiUid: string;
  disks: readonly MountedDisk[];
  mirror: readonly MountedDisk[];
  /** Everything up to here is written. */
  writtenUntil: number;
  suspended: boolean;
}

/** Makes the disks of one simulated cluster, all empty. */
export const disksOf = (server: ApiServer, options: DisksOptions = {}): Disks => {
  const writeMs = options.writeMs ?? 1000;
  const blocks = blocksOf(options.blocks ?? 16);
  const guests = new Map<string, Guest>();
  const { open, close, clashes } = claimWriters(() => server.now());
  const boots: Boot[] = [];

  const writerOf = (guest: Guest, volume: string): string => `${guest.namespace}/${guest.vm}/${volume}`;

  /** Writes what the guest has written since somebody looked last. */
  const catchUp = (guest: Guest): void => {
    const now = server.now();
    if (writeMs === 0 || guest.suspended) {
      guest.writtenUntil = now;
      return;
    }
    const count = Math.floor((now - guest.writtenUntil) / writeMs);
    if (count <= 0) return;
    guest.writtenUntil += count * writeMs;
    for (const { volume, claim } of guest.disks) {
      blocks.write(writerOf(guest, volume), `${guest.namespace}/${claim}`, count);
    }
  };
  const catchUpAll = (): void => {
    for (const guest of guests.values()) catchUp(guest);
  };

  const install = (namespace: string, vm: string, volume: string, claim: string): void =>
    blocks.install(`${namespace}/${vm}/${volume}`, `${namespace}/${claim}`);

  const missing = (vm: ObjectRef, volume: string, claim: string): number => {
    catchUpAll();
    return blocks.missing(`${vm.namespace ?? ''}/${vm.name}/${volume}`, `${vm.namespace ?? ''}/${claim}`);
  };

  const enter = (guest: Guest, { volume, claim }: MountedDisk): void => {
    const { namespace, vm, vmiUid } = guest;
    install(namespace, vm, volume, claim);
    const lostBlocks = missing({ namespace, name: vm }, volume, claim);
    boots.push({ at: server.now(), vm: `${namespace}/${vm}`, vmiUid, volume, claim, lostBlocks });
    open(`${namespace}/${claim}`, vmiUid);
  };

  const guestOf = (vm: ObjectRef): Guest | undefined =>
    [...guests.values()].find((guest) => guest.namespace === vm.namespace && guest.vm === vm.name);

  const named = (vm: ObjectRef): readonly MountedDisk[] => {
    const found = model.maybe<Vm>(server.read(resources.virtualMachines, vm));
    return (found?.spec.template.spec.volumes ?? [])
      .map((volume) => ({ volume: volume.name, claim: model.claimOf(volume) }))
      .filter(({ claim }) => claim !== '');
  };

  const endMirror = (guest: Guest): void => {
    for (const { claim } of guest.mirror) close(`${guest.namespace}/${claim}`, `${guest.vmiUid} mirror`);
    guest.mirror = [];
  };

  return {
    boots,
    clashes,
    install,
    missing,
    content: (namespace, claim) => {
      catchUpAll();
      return blocks.read(`${namespace}/${claim}`);
    },
    boot: (vm, vmiUid, disks) => {
      catchUpAll();
      const guest: Guest = {
        vm: vm.name,
        namespace: vm.namespace ?? '',
        vmiUid,
        disks,
        mirror: [],
        writtenUntil: server.now(),
        suspended: false,
      };
      for (const disk of disks) enter(guest, disk);
      guests.set(vmiUid, guest);
    },
    attach: (vmiUid, disk) => {
      const guest = guests.get(vmiUid);
      if (guest === undefined || guest.disks.some(({ volume }) => volume === disk.volume)) return;
      catchUp(guest);
      enter(guest, disk);
      guest.disks = [...guest.disks, disk];
    },
    detach: (vmiUid, volume) => {
      const guest = guests.get(vmiUid);
      const disk = guest?.disks.find((held) => held.volume === volume);
      if (guest === undefined || disk === undefined) return;
      catchUp(guest);
      close(`${guest.namespace}/${disk.claim}`, vmiUid);
      guest.disks = guest.disks.filter((held) => held !== disk);
    },
    suspend: (vmiUid, suspended) => {
      const guest = guests.get(vmiUid);
      if (guest === undefined) return;
      catchUp(guest);
      guest.suspended = suspended;
    },
    halt: (vmiUid) => {
      const guest = guests.get(vmiUid);
      if (guest === undefined) return;
      catchUp(guest);
      endMirror(guest);
      for (const { claim } of guest.disks) close(`${guest.namespace}/${claim}`, vmiUid);
      guests.delete(vmiUid);
    },
    beginMirror: (vmiUid, targets) => {
      const guest = guests.get(vmiUid);
      if (guest === undefined) return;
      catchUp(guest);
      guest.mirror = targets.filter(({ volume, claim }) =>
        guest.disks.some((disk) => disk.volume === volume && disk.claim !== claim),
      );
      for (const { volume, claim } of guest.mirror) {
        const source = guest.disks.find((disk) => disk.volume === volume)?.claim ?? '';
        const content = blocks.read(`${guest.namespace}/${source}`);
        // Half of it is there at once, and nothing of what was on the target before is of use.
        blocks.put(
          `${guest.namespace}/${claim}`,
          content.map((block, index) => (index < blocks.size / 2 ? block : undefined)),
        );
        open(`${guest.namespace}/${claim}`, `${guest.vmiUid} mirror`);
      }
    },
    endMirror: (vmiUid) => {
      const guest = guests.get(vmiUid);
      if (guest !== undefined) endMirror(guest);
    },
    switchOver: (vmiUid) => {
      const guest = guests.get(vmiUid);
      if (guest === undefined) return;
      catchUp(guest);
      const { mirror } = guest;
      endMirror(guest);
      guest.disks = guest.disks.map((disk) => {
        const next = mirror.find(({ volume }) => volume === disk.volume);
        if (next === undefined) return disk;
        blocks.put(`${guest.namespace}/${next.claim}`, blocks.read(`${guest.namespace}/${disk.claim}`));
        close(`${guest.namespace}/${disk.claim}`, vmiUid);
        open(`${guest.namespace}/${next.claim}`, vmiUid);
        return next;
      });
    },
    copyPart: (namespace, source, target, from, to) => {
      catchUpAll();
      const content = blocks.read(`${namespace}/${source}`);
      const [first, last] = [Math.floor(from * blocks.size), Math.floor(to * blocks.size)];
      const before = blocks.read(`${namespace}/${target}`);
      blocks.put(
        `${namespace}/${target}`,
        before.map((block, index) => (index >= first && index < last ? content[index] : block)),
      );
    },
    opened: (namespace, claim, writer) => open(`${namespace}/${claim}`, writer),
    closed: (namespace, claim, writer) => close(`${namespace}/${claim}`, writer),
    running: (vmiUid) => guests.get(vmiUid)?.disks,
    lostWrites: (vm) => {
      const disks = guestOf(vm)?.disks ?? named(vm);
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
