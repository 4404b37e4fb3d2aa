// Asks the real functions of src/core what they decide about what the daemon sees. A sight that was judged before,
// under whatever names, is not judged again: the functions are pure.
import { decide } from '../../../src/core/decide.ts';
import type { Clearance, Command, Decision, Limits } from '../../../src/core/decision.ts';
import { factsOf, type MachineFacts } from '../../../src/core/facts.ts';
import { decideGroups } from '../../../src/core/groups.ts';
import { decideMigration } from '../../../src/core/migration.ts';
import type { VirtualMachine } from '../../../src/core/objects.ts';
import { isStillMovable } from '../../../src/core/stillMovable.ts';
import type { MigrationRecord } from '../../../src/core/storageMigration.ts';
import { type PatchOperation, patchRepair, patchToSource, patchToTarget } from '../../../src/core/volumePatch.ts';
import { startMs, targetOf } from '../builders.ts';
import { limits as usualLimits } from '../circumstances.ts';
import { decode, encode } from './codec.ts';
import { lawsOfDecision } from './decisionLaws.ts';
import {
  clientObject,
  copyIdOf,
  diskIndex,
  diskName,
  finalizer,
  indexOf,
  migrationObject,
  nameOf,
  podId,
  recOf,
  serverObject,
  viewObject,
  vmiObject,
} from './objects.ts';
import {
  type GroupSight,
  groupSightCodec,
  type MachineSight,
  machineSightCodec,
  type Rec,
  type Vmi,
  type VmPatch,
} from './world.ts';

/** The functions that are explored; a variant has one of them broken. */
export interface Core {
  readonly factsOf: typeof factsOf;
  readonly decide: typeof decide;
  readonly decideGroups: typeof decideGroups;
  readonly decideMigration: typeof decideMigration;
  readonly isStillMovable: typeof isStillMovable;
  readonly patchToTarget: typeof patchToTarget;
  readonly patchToSource: typeof patchToSource;
  readonly patchRepair: typeof patchRepair;
  /** What is told to the core, given whether something may be started (law 9). */
  readonly clearance: (clear: boolean) => boolean;
}

export const realCore: Core = {
  factsOf,
  decide,
  decideGroups,
  decideMigration,
  isStillMovable,
  patchToTarget,
  patchToSource,
  patchRepair,
  clearance: (clear) => clear,
};

export type Act =
  | { readonly kind: 'record'; readonly why: string; readonly rec: Rec }
  | { readonly kind: 'patch'; readonly patch: VmPatch };

/** A decision about one machine, in the terms of the world. */
export interface Judgement {
  readonly acts: readonly Act[];
  readonly begins: boolean;
  /** The cut-over waits for time alone. */
  readonly waitsForQuiet: boolean;
  readonly attention: string;
  readonly phase: string;
  /** A law of design §3 that the decision itself breaks. */
  readonly broken: string;
}

export interface GroupJudgement {
  /** uids of pods to delete. */
  readonly deletes: readonly number[];
  readonly createServer: readonly boolean[] | undefined;
  readonly createClients: readonly { readonly machine: number; readonly disk: number; readonly copy: number }[];
}

export interface MigrationJudgement {
  readonly finalizer: 'add' | 'remove' | 'keep';
  /** By machine: what its record becomes. */
  readonly accepted: readonly (Rec | undefined)[];
  readonly dropped: readonly boolean[];
}

export interface Shape {
  readonly machines: number;
  readonly disks: number;
}

const farFutureMs = 1_000_000_000;

const sideNamed = (value: unknown, machine: number): 'A' | 'B' =>
  JSON.stringify(value).includes(targetOf(nameOf(machine), diskName(0))) ? 'B' : 'A';

/** The tests and effects of a JSON patch of a VM, as far as the world knows them. */
const patchOf = (
  name: VmPatch['name'],
  operations: readonly PatchOperation[],
  before: VirtualMachine,
  machine: number,
): VmPatch => {
  const valueAt = (op: string, path: string): unknown => {
    const found = operations.find((operation) => operation.op === op && operation.path === path);
    return found !== undefined && 'value' in found ? found.value : undefined;
  };
  const version = valueAt('test', '/metadata/resourceVersion');
  const volumes = '/spec/template/spec/volumes';
  return {
    name,
    version: version === undefined ? 0 : Number(version),
    from: sideNamed(valueAt('test', volumes) ?? before.volumes, machine),
    to: sideNamed(valueAt('replace', volumes), machine),
    update: (valueAt('add', '/spec/updateVolumesStrategy') ?? before.updateVolumesStrategy) as VmPatch['update'],
    sawSwitchOver: false,
  };
};

export type Brain = ReturnType<typeof brainOf>;

/** A brain that remembers what it has judged. */
export const brainOf = (core: Core, { machines, disks }: Shape, limits: Limits = usualLimits) => {
  const judgements = new Map<string, Judgement>();
  const groupJudgements = new Map<string, GroupJudgement>();
  const migrationJudgements = new Map<string, MigrationJudgement>();
  const clearanceOf = (clear: boolean): Clearance =>
    core.clearance(clear) ? { kind: 'clear' } : { kind: 'wait', for: 'clearance' };

  const actOf = (command: Command, facts: MachineFacts, record: MigrationRecord, machine: number): Act => {
    const vm = facts.view.machine;
    if (command.kind === 'record') return { kind: 'record', why: command.why, rec: recOf(command.record, disks) };
    if (vm === undefined) throw new Error(`${command.kind} without a VM`);
    switch (command.kind) {
      case 'startLive':
      case 'cutOver':
        return { kind: 'patch', patch: patchOf(command.kind, core.patchToTarget(vm, record), vm, machine) };
      case 'revert':
        return { kind: 'patch', patch: patchOf(command.kind, core.patchToSource(vm, record), vm, machine) };
      case 'repair':
        return {
          kind: 'patch',
          patch: patchOf(command.kind, core.patchRepair(vm, record, command.strategy), vm, machine),
        };
      default:
        throw new Error(`${command.kind} is not expected: every claim exists`);
    }
  };

  const migrationRecs = (sight: MachineSight, machine: number) =>
    Array.from({ length: machines }, (_, index) => (index === machine ? sight.rec : undefined));

  const judge = (sight: MachineSight, machine: number): Judgement => {
    const migration = migrationObject(sight.migration, migrationRecs(sight, machine), disks);
    const facts = core.factsOf(viewObject(sight, migration, machine, disks));
    const now = startMs + (sight.quiet ? limits.cutOverQuietMs : 0);
    const decision: Decision = core.decide(facts, { clearance: clearanceOf(sight.clear), limits, now });
    const { record } = facts;
    return {
      acts: record === undefined ? [] : decision.commands.map((command) => actOf(command, facts, record, machine)),
      begins: decision.begins,
      waitsForQuiet: decision.checkAgainMs !== undefined,
      attention: decision.attention?.reason ?? '',
      phase: decision.phase,
      // A variant that is told of clearance it does not have is to be caught by what comes of it.
      broken: lawsOfDecision({ ...sight, clear: core.clearance(sight.clear) }, decision),
    };
  };

  const factsOfGroup = (sight: GroupSight) => {
    const migration = migrationObject(
      sight.migration,
      sight.machines.map(({ rec }) => rec),
      disks,
    );
    const members = sight.machines.map((each, machine) =>
      core.factsOf(viewObject({ ...each, server: sight.server, ending: [] }, migration, machine, disks)),
    );
    const pods = [
      ...sight.machines.flatMap(({ pods: { clients } }, machine) =>
        clients.flatMap((client, disk) => (client === undefined ? [] : [clientObject(client, machine, disk)])),
      ),
      ...(sight.server === undefined ? [] : [serverObject(sight.server, disks)]),
    ];
    return { migration, members, pods };
  };

  const judgeGroup = (sight: GroupSight): GroupJudgement => {
    const decision = core.decideGroups(factsOfGroup(sight), {
      clearanceOf: (name) => clearanceOf(sight.clear[indexOf(name)] === true),
      limits,
      now: startMs + farFutureMs,
    });
    const mounts = (targets: readonly string[]): readonly boolean[] =>
      Array.from({ length: machines * disks }, (_, index) =>
        targets.includes(targetOf(nameOf(Math.floor(index / disks)), diskName(index % disks))),
      );
    let createServer: readonly boolean[] | undefined;
    const createClients: { machine: number; disk: number; copy: number }[] = [];
    for (const command of decision.begins) {
      if (command.kind === 'createServer') createServer = mounts(command.targets);
      if (command.kind === 'createClient') {
        const { machine, disk, copyId } = command;
        createClients.push({ machine: indexOf(machine), disk: diskIndex(disk.volume), copy: copyIdOf(copyId) });
      }
    }
    const deletes = decision.ends.flatMap((command) => (command.kind === 'deletePod' ? [podId(command.pod)] : []));
    return { deletes, createServer, createClients };
  };

  const judgeMigration = (sight: GroupSight): MigrationJudgement => {
    const decision = core.decideMigration(factsOfGroup(sight), finalizer);
    const records = decision.acceptance?.kind === 'accepted' ? decision.acceptance.records : new Map();
    return {
      finalizer: decision.finalizer,
      accepted: sight.machines.map((_, machine) => {
        const record: MigrationRecord | undefined = records.get(nameOf(machine));
        return record === undefined ? undefined : recOf(record, disks);
      }),
      dropped: sight.machines.map((_, machine) => decision.dropped.has(nameOf(machine))),
    };
  };

  const remembered = <T>(known: Map<string, T>, text: string, make: () => T): T => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make();
    known.set(text, made);
    return made;
  };

  return {
    machine: (sight: MachineSight, machine: number): Judgement => {
      const { text, order } = encode(machineSightCodec, sight);
      const judgement = remembered(judgements, `${machine}${text}`, () =>
        judge(decode(machineSightCodec, text), machine),
      );
      return judgement.acts.length === 0
        ? judgement
        : { ...judgement, acts: judgement.acts.map((act) => renamedAct(act, order)) };
    },
    group: (sight: GroupSight): GroupJudgement => {
      const { text, order } = encode(groupSightCodec, sight);
      const { deletes, createServer, createClients } = remembered(groupJudgements, text, () =>
        judgeGroup(decode(groupSightCodec, text)),
      );
      return {
        deletes: deletes.map((id) => nameIn(order, id)),
        createServer,
        createClients: createClients.map((each) => ({ ...each, copy: nameIn(order, each.copy) })),
      };
    },
    migration: (sight: GroupSight): MigrationJudgement => {
      const { text, order } = encode(groupSightCodec, sight);
      const judgement = remembered(migrationJudgements, text, () => judgeMigration(decode(groupSightCodec, text)));
      return {
        ...judgement,
        accepted: judgement.accepted.map((rec) => (rec === undefined ? undefined : renamedRec(rec, order))),
      };
    },
    /** Whether the VMI that is read right before volumes are patched allows it. */
    isStillMovable: (sight: MachineSight, read: Vmi | undefined, machine: number): boolean => {
      const migration = migrationObject(sight.migration, migrationRecs(sight, machine), disks);
      const facts = core.factsOf(viewObject(sight, migration, machine, disks));
      return core.isStillMovable(read === undefined ? undefined : vmiObject(read, machine, disks), facts);
    },
    /** Different sights that were judged. */
    sights: () => judgements.size + groupJudgements.size + migrationJudgements.size,
  };
};

const nameIn = (order: readonly number[], id: number): number => (id === 0 ? 0 : (order[id - 1] ?? 0));

const renamedRec = (rec: Rec, order: readonly number[]): Rec => ({
  ...rec,
  live: rec.live && {
    ...rec.live,
    vmi: nameIn(order, rec.live.vmi),
    generation: nameIn(order, rec.live.generation),
    known: rec.live.known.map((id) => nameIn(order, id)),
  },
  over: rec.over && { vmi: nameIn(order, rec.over.vmi), vmim: nameIn(order, rec.over.vmim) },
  offline: rec.offline && {
    id: nameIn(order, rec.offline.id),
    offSince: nameIn(order, rec.offline.offSince),
    copied: [...rec.offline.copied],
    failures: rec.offline.failures.map((failure) => ({ ...failure, pod: nameIn(order, failure.pod) })),
  },
  cutOver: nameIn(order, rec.cutOver),
});

const renamedAct = (act: Act, order: readonly number[]): Act =>
  act.kind === 'record'
    ? { ...act, rec: renamedRec(act.rec, order) }
    : { kind: 'patch', patch: { ...act.patch, version: nameIn(order, act.patch.version) } };
