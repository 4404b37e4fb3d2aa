// The guests that run, and what they do to the disks they are on: they write to each in turn, and a live copy mirrors
// them until they switch over or it is given up. What was written since somebody looked last is worked out when somebody
// looks again, so nothing here uses a timer.
import type { ObjectRef } from '../../kube/api.ts';
import type { Blocks } from './blocks.ts';
import type { ClaimWriters } from './claimWriters.ts';

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

export interface GuestDisks {
  readonly boots: readonly Boot[];
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
  /** Disks a running guest is on; undefined when it does not run. */
  running(vmiUid: string): readonly MountedDisk[] | undefined;
  /** The same by VM. */
  onDisks(vm: ObjectRef): readonly MountedDisk[] | undefined;
  /** Writes everything that guests have written until now. */
  catchUp(): void;
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

/** Keeps the guests; each writes to each of its disks every `writeMs`, 0: never. */
export const guestDisks = (
  now: () => number,
  writeMs: number,
  blocks: Blocks,
  { open, close }: ClaimWriters,
): GuestDisks => {
  const guests = new Map<string, Guest>();
  const boots: Boot[] = [];

  const writerOf = (guest: Guest, volume: string): string => `${guest.namespace}/${guest.vm}/${volume}`;
  const keyOf = (guest: Guest, claim: string): string => `${guest.namespace}/${claim}`;

  const catchUp = (guest: Guest): void => {
    if (writeMs === 0 || guest.suspended) {
      guest.writtenUntil = now();
      return;
    }
    const count = Math.floor((now() - guest.writtenUntil) / writeMs);
    if (count <= 0) return;
    guest.writtenUntil += count * writeMs;
    for (const { volume, claim } of guest.disks) blocks.write(writerOf(guest, volume), keyOf(guest, claim), count);
  };
  const catchUpAll = (): void => {
    for (const guest of guests.values()) catchUp(guest);
  };
  /** Does something to a guest that runs, after it has written what it had to. */
  const withGuest = (vmiUid: string, act: (guest: Guest) => void): void => {
    const guest = guests.get(vmiUid);
    if (guest === undefined) return;
    catchUp(guest);
    act(guest);
  };

  const enter = (guest: Guest, { volume, claim }: MountedDisk): void => {
    const { namespace, vm, vmiUid } = guest;
    const [writer, key] = [writerOf(guest, volume), keyOf(guest, claim)];
    blocks.install(writer, key);
    catchUpAll();
    boots.push({
      at: now(),
      vm: `${namespace}/${vm}`,
      vmiUid,
      volume,
      claim,
      lostBlocks: blocks.missing(writer, key),
    });
    open(key, vmiUid);
  };

  const endMirror = (guest: Guest): void => {
    for (const { claim } of guest.mirror) close(keyOf(guest, claim), `${guest.vmiUid} mirror`);
    guest.mirror = [];
  };

  return {
    boots,
    catchUp: catchUpAll,
    running: (vmiUid) => guests.get(vmiUid)?.disks,
    onDisks: (vm) =>
      [...guests.values()].find((guest) => guest.namespace === vm.namespace && guest.vm === vm.name)?.disks,
    boot: (vm, vmiUid, disks) => {
      catchUpAll();
      const place = { vm: vm.name, namespace: vm.namespace ?? '', vmiUid };
      const guest: Guest = { ...place, disks, mirror: [], writtenUntil: now(), suspended: false };
      for (const disk of disks) enter(guest, disk);
      guests.set(vmiUid, guest);
    },
    attach: (vmiUid, disk) =>
      withGuest(vmiUid, (guest) => {
        if (guest.disks.some(({ volume }) => volume === disk.volume)) return;
        enter(guest, disk);
        guest.disks = [...guest.disks, disk];
      }),
    detach: (vmiUid, volume) =>
      withGuest(vmiUid, (guest) => {
        const disk = guest.disks.find((held) => held.volume === volume);
        if (disk === undefined) return;
        close(keyOf(guest, disk.claim), vmiUid);
        guest.disks = guest.disks.filter((held) => held !== disk);
      }),
    suspend: (vmiUid, suspended) =>
      withGuest(vmiUid, (guest) => {
        guest.suspended = suspended;
      }),
    halt: (vmiUid) =>
      withGuest(vmiUid, (guest) => {
        endMirror(guest);
        for (const { claim } of guest.disks) close(keyOf(guest, claim), vmiUid);
        guests.delete(vmiUid);
      }),
    beginMirror: (vmiUid, targets) =>
      withGuest(vmiUid, (guest) => {
        guest.mirror = targets.filter(({ volume, claim }) =>
          guest.disks.some((disk) => disk.volume === volume && disk.claim !== claim),
        );
        for (const { volume, claim } of guest.mirror) {
          const source = guest.disks.find((disk) => disk.volume === volume)?.claim ?? '';
          // Half of it is there at once, and nothing of what was on the target before is of use.
          blocks.spoil(keyOf(guest, claim), 0);
          blocks.copy(keyOf(guest, source), keyOf(guest, claim), 0, blocks.size / 2);
          open(keyOf(guest, claim), `${guest.vmiUid} mirror`);
        }
      }),
    endMirror: (vmiUid) => withGuest(vmiUid, endMirror),
    switchOver: (vmiUid) =>
      withGuest(vmiUid, (guest) => {
        const { mirror } = guest;
        endMirror(guest);
        guest.disks = guest.disks.map((disk) => {
          const next = mirror.find(({ volume }) => volume === disk.volume);
          if (next === undefined) return disk;
          blocks.copy(keyOf(guest, disk.claim), keyOf(guest, next.claim), 0, blocks.size);
          close(keyOf(guest, disk.claim), vmiUid);
          open(keyOf(guest, next.claim), vmiUid);
          return next;
        });
      }),
  };
};
