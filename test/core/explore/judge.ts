// Asks the real functions of src/core what they decide about what the daemon sees, and puts it in the terms of the
// explored world.
import type { Clearance, Command, Decision, Limits } from '../../../src/core/decision.ts';
import type { MachineFacts } from '../../../src/core/facts.ts';
import type { MigrationRecord } from '../../../src/core/storageMigration.ts';
import { startMs, targetOf } from '../builders.ts';
import { lawsOfDecision } from './decisionLaws.ts';
import type { Act, GroupJudgement, Judgement, MigrationJudgement, Shape } from './judgement.ts';
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
import type { Core } from './testedCore.ts';
import { patchOf } from './vmPatch.ts';
import type { GroupSight, MachineSight, Vmi } from './world.ts';

const farFutureMs = 1_000_000_000;

/** What a core decides in worlds of one shape. */
export const judgeOf = (core: Core, { machines, disks }: Shape, limits: Limits) => {
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

  return {
    machine: judge,
    group: judgeGroup,
    migration: judgeMigration,
    /** Whether the VMI that is read right before volumes are patched allows it. */
    isStillMovable: (sight: MachineSight, read: Vmi | undefined, machine: number): boolean => {
      const migration = migrationObject(sight.migration, migrationRecs(sight, machine), disks);
      const facts = core.factsOf(viewObject(sight, migration, machine, disks));
      return core.isStillMovable(read === undefined ? undefined : vmiObject(read, machine, disks), facts);
    },
  };
};
