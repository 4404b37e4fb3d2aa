// The functions of src/core that are explored, as one thing, so that a guard of theirs can be taken out (variants.ts).
import { decide } from '../../../src/core/decide.ts';
import { factsOf } from '../../../src/core/facts.ts';
import { decideGroups } from '../../../src/core/groups.ts';
import { decideMigration } from '../../../src/core/migration.ts';
import { isStillMovable } from '../../../src/core/stillMovable.ts';
import { patchRepair, patchToSource, patchToTarget } from '../../../src/core/volumePatch.ts';

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
