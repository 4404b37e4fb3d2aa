// A little world for the pure core: machines, their pods and claims, one StorageMigration, and the daemon's decisions
// carried out on the spot. What each claim holds is a number, the newest write that is on it, so that a guest that
// boots on less than it has written is noticed. Its KubeVirt and kubelet stand in worldMoves.ts.
import { decide } from '../../src/core/decide.ts';
import type { Command, Decision } from '../../src/core/decision.ts';
import { factsOf, type MachineFacts } from '../../src/core/facts.ts';
import { decideGroups, type GroupCommand } from '../../src/core/groups.ts';
import { isFinal } from '../../src/core/guest.ts';
import type {
  Pod,
  StorageMigration,
  Verbatim,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from '../../src/core/objects.ts';
import { type PatchOperation, patchRepair, patchToSource, patchToTarget } from '../../src/core/volumePatch.ts';
import { claimOf } from '../../src/core/volumes.ts';
import { offSince } from '../../src/streams/offSince.ts';
import { claim, pod, settings } from './builders.ts';
import { clear, held, limits } from './circumstances.ts';
import { brokenByDecision, brokenByGroups } from './laws.ts';

export interface World {
  now: number;
  version: number;
  serial: number;
  migration: StorageMigration;
  readonly vms: Map<string, VirtualMachine>;
  readonly vmis: Map<string, VirtualMachineInstance>;
  readonly ended: Map<string, { readonly object: VirtualMachineInstance; readonly gap: boolean }>;
  readonly attempts: Map<string, VirtualMachineInstanceMigration>;
  readonly pods: Map<string, Pod>;
  /** Claims that were deleted. */
  readonly gone: Set<string>;
  /** The newest write on each claim. */
  readonly content: Map<string, number>;
  /** The newest write of each guest. */
  readonly newest: Map<string, number>;
  /** What happened, for the message of a test that fails. */
  readonly log: string[];
  /** Laws that were broken. */
  readonly faults: Set<string>;
}

export const emptyWorld = (migration: StorageMigration, now: number): World => ({
  now,
  version: 200,
  serial: 100,
  migration,
  vms: new Map(),
  vmis: new Map(),
  ended: new Map(),
  attempts: new Map(),
  pods: new Map(),
  gone: new Set(),
  content: new Map(),
  newest: new Map(),
  log: [],
  faults: new Set(),
});

export const say = (world: World, what: string): void => {
  world.log.push(`${world.now} ${what}`);
};

/** Writes a VM as the API server would, and folds it as the store does. */
export const writeVm = (world: World, name: string, change: Partial<VirtualMachine>): void => {
  const before = world.vms.get(name);
  if (before === undefined) return;
  world.version += 1;
  const isSpec = ['runStrategy', 'volumes', 'dataVolumeTemplates', 'updateVolumesStrategy'].some(
    (field) => field in change,
  );
  const { offSince: _, offSinceMs: __, ...rest } = before;
  const next: VirtualMachine = {
    ...rest,
    ...change,
    offSince: undefined,
    offSinceMs: undefined,
    resourceVersion: String(world.version),
    generation: before.generation + (isSpec ? 1 : 0),
  };
  world.vms.set(name, offSince.next(before, next, { contiguous: true, nowMs: world.now }));
};

export const writeVmi = (world: World, name: string, change: Partial<VirtualMachineInstance>): void => {
  const before = world.vmis.get(name);
  if (before !== undefined) world.vmis.set(name, { ...before, ...change });
};

export const writePod = (world: World, name: string, change: Partial<Pod>): void => {
  const before = world.pods.get(name);
  if (before !== undefined) world.pods.set(name, { ...before, ...change });
};

export const podsOf = (world: World, instanceUid: string): readonly Pod[] =>
  [...world.pods.values()].filter((each) => each.ownerUid === instanceUid);

const memberNames = (world: World): readonly string[] => [
  ...new Set([
    ...world.migration.spec.virtualMachines.map(({ name }) => name),
    ...(world.migration.status?.virtualMachines ?? []).map(({ name }) => name),
  ]),
];

export const factsFor = (world: World, name: string): MachineFacts => {
  const { migration } = world;
  const record = migration.status?.virtualMachines?.find((each) => each.name === name)?.record;
  const claims = new Set(record?.disks.flatMap((disk) => [disk.source, disk.target]));
  const instance = world.vmis.get(name);
  const pods = [...world.pods.values()];
  return factsOf({
    migration,
    name,
    machine: world.vms.get(name),
    instance,
    lastInstance: world.ended.get(name),
    attempts: [...world.attempts.values()].filter((attempt) => attempt.vmiName === name),
    pods: pods.filter((each) => each.ownerUid === instance?.uid || each.claims.some((mounted) => claims.has(mounted))),
    endingCopyPods:
      migration.spec.transfer.server === 'Shared'
        ? pods.filter((each) => each.migrationUid === migration.uid && each.deleting)
        : [],
    claim: (asked) => (asked === '' || world.gone.has(asked) ? undefined : claim(asked)),
    settings: settings(),
    rivals: [],
    targetRivals: () => [],
    otherUsersOf: (asked) =>
      [...world.vms.values()].flatMap((other) =>
        other.name !== name && other.volumes.some((entry) => claimOf(entry) === asked) ? [other.name] : [],
      ),
    unreadable: [],
    unreadableClaims: [],
  });
};

const patchVm = (world: World, name: string, operations: readonly PatchOperation[]): void => {
  const valueAt = (path: string): unknown => operations.find((each) => each.op !== 'test' && each.path === path);
  const written = (path: string): unknown => {
    const operation = valueAt(path) as { readonly value?: unknown } | undefined;
    return operation === undefined ? undefined : (operation.value ?? []);
  };
  const volumes = written('/spec/template/spec/volumes') as readonly Verbatim[];
  const strategy = written('/spec/updateVolumesStrategy') as string | undefined;
  writeVm(world, name, { volumes, ...(strategy === undefined ? {} : { updateVolumesStrategy: strategy }) });
};

const carryOut = (world: World, facts: MachineFacts, command: Command): void => {
  const { name, record } = facts;
  const machine = world.vms.get(name);
  const instance = world.vmis.get(name);
  if (command.kind === 'record') {
    const entries = world.migration.status?.virtualMachines ?? [];
    const virtualMachines = entries.map((each) => (each.name === name ? { ...each, record: command.record } : each));
    world.migration = { ...world.migration, status: { ...world.migration.status, virtualMachines } };
    return;
  }
  if (machine === undefined || record === undefined) return;
  switch (command.kind) {
    case 'startLive':
      // The effects read the VMI from the server before this patch and the next.
      if (instance?.phase === 'Running' && !instance.deleting) patchVm(world, name, patchToTarget(machine, record));
      break;
    case 'cutOver':
      if (instance === undefined || isFinal(instance)) patchVm(world, name, patchToTarget(machine, record));
      break;
    case 'revert':
      patchVm(world, name, patchToSource(machine, record));
      break;
    case 'repair':
      patchVm(world, name, patchRepair(machine, record, command.strategy));
      break;
    case 'createClaim':
      world.gone.delete(command.disk.target);
      break;
    case 'deleteSource':
      world.gone.add(command.disk.source);
      break;
    default:
      command satisfies never;
  }
};

const carryOutCopy = (world: World, command: GroupCommand): void => {
  const create = (made: Partial<Pod> & { readonly name: string }): void => {
    if (world.pods.has(made.name)) return;
    world.serial += 1;
    const fresh = {
      uid: `pod-${world.serial}`,
      phase: 'Pending' as const,
      address: '10.0.0.7',
      migrationUid: world.migration.uid,
    };
    world.pods.set(made.name, pod({ ...made, ...fresh }));
  };
  switch (command.kind) {
    case 'deletePod':
      if (world.pods.get(command.pod.name)?.uid === command.pod.uid)
        writePod(world, command.pod.name, { deleting: true });
      break;
    case 'createServer':
      create({
        name: `server ${command.machine ?? ''}`,
        role: 'copyServer',
        vmName: command.machine ?? '',
        claims: command.targets,
      });
      break;
    case 'createClient':
      create({
        name: `client ${command.machine} ${command.disk.volume}`,
        role: 'copyClient',
        vmName: command.machine,
        volumeName: command.disk.volume,
        copyId: command.copyId,
        claims: [command.disk.source],
      });
      break;
    default:
      command satisfies never;
  }
};

const wordsOf = (command: Command | GroupCommand): string => {
  if (command.kind === 'record') return `record ${command.why}`;
  if (command.kind === 'deletePod') return `deletePod ${command.pod.name} ${command.cause}`;
  if (command.kind === 'createClient') return `createClient ${command.machine}`;
  return command.kind;
};

export interface Turn {
  /** Something was commanded. */
  readonly acted: boolean;
  /** When to look again with no event, in ms; undefined: never. */
  readonly checkAgainMs: number | undefined;
  readonly decisions: ReadonlyMap<string, Decision>;
}

/** Lets the daemon decide once about everything, holds what it decides to the laws, and carries it out. */
export const daemonTurn = (world: World): Turn => {
  const waits: number[] = [];
  let acted = false;
  const decisions = new Map<string, Decision>();
  const circumstances = clear({ now: world.now });
  for (const name of memberNames(world)) {
    const facts = factsFor(world, name);
    const decision = decide(facts, circumstances);
    decisions.set(name, decision);
    for (const rule of brokenByDecision(facts, decision, decide(facts, held({ now: world.now })), world.now)) {
      world.faults.add(rule);
    }
    if (decision.checkAgainMs !== undefined) waits.push(decision.checkAgainMs);
    for (const command of decision.commands) {
      acted = true;
      say(world, `${name}: ${wordsOf(command)}`);
      carryOut(world, facts, command);
    }
  }
  const members = memberNames(world).map((name) => factsFor(world, name));
  const pods = [...world.pods.values()].filter((each) => each.migrationUid === world.migration.uid);
  const group = { migration: world.migration, members, pods };
  const copies = decideGroups(group, { clearanceOf: () => ({ kind: 'clear' }), limits, now: world.now });
  for (const rule of brokenByGroups(group, copies)) world.faults.add(rule);
  if (copies.checkAgainMs !== undefined) waits.push(copies.checkAgainMs);
  for (const command of [...copies.ends, ...copies.begins]) {
    acted = true;
    say(world, wordsOf(command));
    carryOutCopy(world, command);
  }
  return { acted, checkAgainMs: waits.length === 0 ? undefined : Math.min(...waits), decisions };
};
