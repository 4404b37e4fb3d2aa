// What the core decides about what the daemon sees. A sight that was judged before, under whatever names, is not judged
// again: the functions are pure.
import type { Limits } from '../../../src/core/decision.ts';
import { decode, encode } from './codec.ts';
import { judgeOf } from './judge.ts';
import {
  type GroupJudgement,
  type Judgement,
  type MigrationJudgement,
  nameIn,
  renamedAct,
  renamedRec,
  type Shape,
} from './judgement.ts';
import type { Core } from './testedCore.ts';
import { type GroupSight, groupSightCodec, type MachineSight, machineSightCodec } from './world.ts';

export type Brain = ReturnType<typeof brainOf>;

const remembered = <T>(known: Map<string, T>, text: string, make: () => T): T => {
  const found = known.get(text);
  if (found !== undefined) return found;
  const made = make();
  known.set(text, made);
  return made;
};

/** A brain that remembers what it has judged. */
export const brainOf = (core: Core, shape: Shape, limits: Limits) => {
  const judge = judgeOf(core, shape, limits);
  const judgements = new Map<string, Judgement>();
  const groupJudgements = new Map<string, GroupJudgement>();
  const migrationJudgements = new Map<string, MigrationJudgement>();
  return {
    machine: (sight: MachineSight, machine: number): Judgement => {
      const { text, order } = encode(machineSightCodec, sight);
      const judgement = remembered(judgements, `${machine}${text}`, () =>
        judge.machine(decode(machineSightCodec, text), machine),
      );
      return judgement.acts.length === 0
        ? judgement
        : { ...judgement, acts: judgement.acts.map((act) => renamedAct(act, order)) };
    },
    group: (sight: GroupSight): GroupJudgement => {
      const { text, order } = encode(groupSightCodec, sight);
      const { deletes, createServer, createClients } = remembered(groupJudgements, text, () =>
        judge.group(decode(groupSightCodec, text)),
      );
      return {
        deletes: deletes.map((id) => nameIn(order, id)),
        createServer,
        createClients: createClients.map((each) => ({ ...each, copy: nameIn(order, each.copy) })),
      };
    },
    migration: (sight: GroupSight): MigrationJudgement => {
      const { text, order } = encode(groupSightCodec, sight);
      const judgement = remembered(migrationJudgements, text, () => judge.migration(decode(groupSightCodec, text)));
      return {
        ...judgement,
        accepted: judgement.accepted.map((rec) => (rec === undefined ? undefined : renamedRec(rec, order))),
      };
    },
    isStillMovable: judge.isStillMovable,
    /** Different sights that were judged. */
    sights: () => judgements.size + groupJudgements.size + migrationJudgements.size,
  };
};
