// What a recording says of answers and of the disks that guests are on, beside its objects, in words that can be
// compared with those of the simulation.
import { isAnswer, type RecordedAct } from './recording.ts';
import type { Timeline } from './timeline.ts';

/** An answer, reduced to what can be compared: `accepted`, or the status code. */
const answerOf = (answer: unknown): string => {
  const code = /\b([45]\d\d)\b/.exec(JSON.stringify(answer) ?? '')?.[1];
  return code ?? (typeof answer === 'string' && /accept/i.test(answer) ? 'accepted' : 'refused');
};

/** Claims that an act speaks of, whatever it calls them. */
const claimsIn = (value: unknown, claims: ReadonlySet<string>): readonly string[] => {
  if (typeof value === 'string') return value.split(/[^a-z0-9.-]+/).filter((word) => claims.has(word));
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner) => claimsIn(inner, claims));
};

/** What a recording says of answers and of the disk a guest is on, noted beside the objects. */
export const noteAct = (into: Timeline, act: RecordedAct, claims: ReadonlySet<string>): void => {
  if (isAnswer(act)) into.note(`VM ${act.vm}`, 'answers', `${act.act}: ${answerOf(act.fields['answer'])}`);
  if (act.act === 'runs on') into.note(`VM ${act.vm}`, 'runs on', claimsIn(act.fields, claims).toSorted().join(', '));
};
