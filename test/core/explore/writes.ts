// The writes of the daemon in the explored world: each is one step, answered at once, or sent without an answer, to
// land later or never (law 8).
import { copyOf } from './copyOf.ts';
import { land } from './landing.ts';
import { type Step, swift } from './step.ts';
import type { Late, World } from './world.ts';

/** A write of nothing. */
export const noWrite = { vm: undefined, rec: undefined, client: undefined, server: undefined };

/** Adds a write: carried out at once or, where something may still go wrong, sent and left without an answer. */
export const addWrite = (
  name: string,
  write: Late,
  urgent: boolean,
  world: World,
  mayFail: boolean,
  steps: Step[],
): void => {
  steps.push({
    ...swift,
    name: `the daemon ${name}`,
    urgent,
    apply: (draft, tell) => land(copyOf(write), draft, tell, false),
  });
  if (!mayFail || world.late !== undefined) return;
  steps.push({
    ...swift,
    name: `the daemon sends, without an answer: ${name}`,
    fair: false,
    apply: (draft) => {
      draft.faults -= 1;
      draft.late = copyOf(write);
    },
  });
};

/** What becomes of the write that was not answered. */
export const lateSteps = (world: World, steps: Step[]): void => {
  const { late } = world;
  if (late === undefined) return;
  steps.push({
    ...swift,
    name: 'the unanswered write lands',
    apply: (draft, tell) => {
      draft.late = undefined;
      land(copyOf(late), draft, tell, true);
    },
  });
  steps.push({
    ...swift,
    name: 'the unanswered write was lost',
    apply: (draft) => {
      draft.late = undefined;
    },
  });
};
