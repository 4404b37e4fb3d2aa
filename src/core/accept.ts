// Decides whether the machines of a StorageMigration that are not yet accepted can be accepted, before anything is
// started: every refusal of design §6 that watched objects can prove, each with the field and what to do. Pure.

import type { Attention } from './decision.ts';
import type { MachineView } from './facts.ts';
import { guestOf } from './guest.ts';
import { hasEnded } from './hasEnded.ts';
import { leftOutVolume, settingsObstacle } from './liveObstacle.ts';
import type { VirtualMachine } from './objects.ts';
import type { MigrationRecord, RecordedDisk, VirtualMachineSpec } from './storageMigration.ts';
import { claimsProblem } from './targets.ts';
import { claimOf, templateName, volumeName } from './volumes.ts';

export interface Refusal extends Attention {
  /** The machine it is about, for its own status entry. */
  readonly machine: string;
  /** Path of the field that a person has to change. */
  readonly field: string;
}

export type Acceptance =
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] }
  | { readonly kind: 'accepted'; readonly records: ReadonlyMap<string, MigrationRecord> };

/**
 * Judges all machines that have no record yet, together: one refusal refuses them all, so that nothing is started by
 * a spec that has a mistake in it. `taken` are the records of machines that were accepted before.
 */
export const accept = (
  candidates: readonly { view: MachineView; wanted: VirtualMachineSpec }[],
  taken: ReadonlyMap<string, MigrationRecord> = new Map(),
): Acceptance => {
  const records = new Map<string, MigrationRecord>();
  const refusals: Refusal[] = [];
  const claimed = new Map<string, string>();
  for (const [name, { disks }] of taken) {
    for (const disk of disks) {
      claimed.set(disk.source, `spec.virtualMachines[${name}].volumes[${disk.volume}]`);
      claimed.set(disk.target, `spec.virtualMachines[${name}].volumes[${disk.volume}]`);
    }
  }
  for (const { view, wanted } of candidates) {
    const machinePath = `spec.virtualMachines[${wanted.name}]`;
    const refuse = (field: string, problem: Attention): void => {
      refusals.push({ ...problem, machine: wanted.name, field: `${machinePath}${field}` });
    };
    const [unreadable] = [...view.unreadable, ...view.unreadableClaims];
    if (unreadable !== undefined) {
      // What cannot be read must not be told to be missing.
      refuse('', {
        reason: 'UnreadableObject',
        message: `${unreadable}; it has to be mended before anything is moved`,
      });
      continue;
    }
    const disks = view.machine === undefined ? [] : disksOf(view, view.machine, wanted, refuse);
    for (const disk of disks) {
      for (const claim of [disk.source, disk.target]) {
        const earlier = claimed.get(claim);
        const field = `.volumes[${disk.volume}]`;
        if (earlier !== undefined && earlier !== `${machinePath}${field}`) {
          refuse(field, {
            reason: 'ClaimNamedTwice',
            message: `claim ${claim} is also used by ${earlier}; name every claim once`,
          });
        }
        claimed.set(claim, `${machinePath}${field}`);
      }
    }
    const problem = machineProblem(view, wanted);
    if (problem !== undefined) refuse(problem.field, problem.found);
    if (view.machine !== undefined) records.set(wanted.name, recordOf(view.machine, disks));
  }
  const crowded = tooMuchFor([...taken.values(), ...records.values()]);
  const last = candidates.at(-1)?.wanted.name;
  if (crowded !== undefined && last !== undefined) {
    refusals.push({ ...crowded, machine: last, field: 'spec.virtualMachines' });
  }
  return refusals.length > 0 ? { kind: 'refused', refusals } : { kind: 'accepted', records };
};

/** Characters that the status of one object may have by what is known when it is accepted; etcd takes 1.5 MB with all else. */
const mostOfStatus = 1_000_000;

/** What stands in status of one disk: its record, its names in the copy and for people, and its progress. */
const sizeInStatus = (disk: RecordedDisk): number =>
  JSON.stringify(disk).length + 2 * (disk.source.length + disk.target.length) + 600;

/** A status that cannot be written would stop every machine in the middle: it is refused before anything is begun. */
const tooMuchFor = (records: readonly MigrationRecord[]): Attention | undefined => {
  const disks = records.flatMap((record) => record.disks);
  const size = disks.reduce((sum, disk) => sum + sizeInStatus(disk), 0);
  if (size <= mostOfStatus) return undefined;
  return {
    reason: 'TooManyDisks',
    message: `${disks.length} disks are more than the status of one object can tell of; name some of the machines in another StorageMigration`,
  };
};

const recordOf = (machine: VirtualMachine, disks: readonly RecordedDisk[]): MigrationRecord => ({
  vmUid: machine.uid,
  disks: [...disks],
  seenOnTarget: false,
  sourcesDeleted: false,
});

/** The disks as they are found; each one that cannot be moved is refused and left out. */
const disksOf = (
  view: MachineView,
  machine: VirtualMachine,
  wanted: VirtualMachineSpec,
  refuse: (field: string, problem: Attention) => void,
): readonly RecordedDisk[] =>
  wanted.volumes.flatMap((volume): readonly RecordedDisk[] => {
    const field = `.volumes[${volume.name}]`;
    const entry = machine.volumes.find((candidate) => volumeName(candidate) === volume.name);
    if (entry === undefined) {
      const names = machine.volumes.map(volumeName).join(', ');
      refuse(`${field}.name`, {
        reason: 'UnknownVolume',
        message: `the VM has no volume ${volume.name}; it has ${names}`,
      });
      return [];
    }
    const source = claimOf(entry);
    if (source === '') {
      refuse(`${field}.name`, {
        reason: 'NotAClaim',
        message: `volume ${volume.name} is not on a claim; only persistentVolumeClaim and dataVolume volumes can be moved`,
      });
      return [];
    }
    const target = volume.target.claimName;
    const problem = diskProblem(view, machine, volume.name, source, target);
    if (problem !== undefined) refuse(`${field}${problem.field}`, problem.found);
    const template = machine.dataVolumeTemplates.find((candidate) => templateName(candidate) === source);
    const sourceUid = view.claim(source)?.uid ?? '';
    return [
      {
        volume: volume.name,
        source,
        sourceUid,
        target,
        entry: { ...entry },
        ...(template ? { template: { ...template } } : {}),
      },
    ];
  });

interface Problem {
  readonly field: string;
  readonly found: Attention;
}

const diskProblem = (
  view: MachineView,
  machine: VirtualMachine,
  volume: string,
  source: string,
  target: string,
): Problem | undefined => {
  const onTarget = (reason: string, message: string): Problem => ({
    field: '.target.claimName',
    found: { reason, message },
  });
  if (source === target) {
    return onTarget('TargetIsSource', `volume ${volume} is on claim ${target} already; name another target`);
  }
  const immovable = machine.immovable.find((disk) => disk.volume === volume);
  if (immovable !== undefined) {
    const message = `volume ${volume} is ${immovable.why}; KubeVirt cannot move it, remove it from this migration`;
    return { field: '.name', found: { reason: 'VolumeNotMovable', message } };
  }
  const problem = claimsProblem(view, { source, target });
  if (problem !== undefined) {
    return { field: problem.reason === 'SourceClaimMissing' ? '.name' : '.target.claimName', found: problem };
  }
  const users = view.otherUsersOf(target);
  const own = machine.volumes.some((entry) => claimOf(entry) === target) ? [machine.name] : [];
  if (users.length + own.length > 0) {
    return onTarget(
      'TargetInUse',
      `claim ${target} is named by VM ${[...own, ...users].join(', ')}; name an unused one`,
    );
  }
  const rivals = view.targetRivals(target);
  if (rivals.length > 0) {
    return onTarget(
      'TargetInUse',
      `claim ${target} is a target of unfinished StorageMigration ${rivals.join(', ')}; name an unused one`,
    );
  }
  const holders = view.pods.filter((pod) => pod.claims.includes(target) && !hasEnded(pod));
  if (holders.length > 0) {
    return onTarget(
      'TargetInUse',
      `claim ${target} is mounted by pod ${holders.map((pod) => pod.name).join(', ')}; name an unused one`,
    );
  }
  return undefined;
};

const machineProblem = (view: MachineView, wanted: VirtualMachineSpec): Problem | undefined => {
  const { machine } = view;
  if (machine === undefined) {
    return {
      field: '.name',
      found: {
        reason: 'UnknownVirtualMachine',
        message: `there is no VM ${wanted.name} in namespace ${view.migration.namespace}; mend the name`,
      },
    };
  }
  if (view.rivals.length > 0) {
    return {
      field: '.name',
      found: {
        reason: 'InAnotherMigration',
        message: `VM ${wanted.name} is in unfinished StorageMigration ${view.rivals.join(', ')}; wait for it or delete it`,
      },
    };
  }
  const settings = settingsObstacle(view.settings);
  if (settings !== undefined) return { field: '', found: settings };
  if (machine.restartRequired !== undefined) {
    return {
      field: '.name',
      found: { reason: 'RestartRequired', message: `the VM must be restarted first: ${machine.restartRequired}` },
    };
  }
  const leftOut = leftOutVolume(
    view,
    wanted.volumes.map((volume) => volume.name),
  );
  if (leftOut !== undefined && guestOf(machine, view.instance).kind !== 'off') {
    return {
      field: '.volumes',
      found: {
        reason: 'DiskLeftOut',
        message: `volume ${leftOut} of the running VM is ReadWriteOnce and not listed; list it too, or stop the VM`,
      },
    };
  }
  return undefined;
};
