// A recording as steps to be played: each act, with the time since the act before it and with what had been seen of
// every object just before it. Pure.
import { isAnswer, type Recorded, type RecordedAct } from './recording.ts';
import { type Sequences, timeline } from './timeline.ts';

/** Acts that come sooner after the one before are performed after the same time, whatever has been seen. In ms. */
export const shortGapMs = 1000;

/** What was read after everything, and is nothing that somebody did. */
const isRead = ({ act }: RecordedAct): boolean => act === 'state at the end';

export interface Step {
  readonly act: RecordedAct | undefined;
  /** Lines before it. */
  readonly until: number;
  /** Time since the act before. */
  readonly gapMs: number;
  /** Time since the last event before. */
  readonly quietMs: number;
  /** What had been seen of every object. */
  readonly seen: Sequences;
}

const copied = (sequences: Sequences): Sequences =>
  new Map(
    [...sequences].map(([object, fields]) => [
      object,
      new Map([...fields].map(([field, values]) => [field, [...values]])),
    ]),
  );

/** The acts to perform, each with what the recording looked like just before, and the end as a step without an act. */
export const stepsOf = (recorded: readonly Recorded[]): readonly Step[] => {
  const seen = timeline();
  const steps: Step[] = [];
  let lastAct = recorded[0]?.at ?? 0;
  let lastEvent = lastAct;
  for (const [index, line] of recorded.entries()) {
    if (line.kind === 'event') {
      seen.take(line.watch, line.type.toLowerCase() as 'added', line.object);
      lastEvent = line.at;
    } else if (!isAnswer(line) && !isRead(line)) {
      const gapMs = line.at - lastAct;
      steps.push({ act: line, until: index, gapMs, quietMs: line.at - lastEvent, seen: copied(seen.sequences()) });
      lastAct = line.at;
    }
  }
  const end = recorded.at(-1)?.at ?? 0;
  steps.push({
    act: undefined,
    until: recorded.length,
    gapMs: Math.max(shortGapMs, end - lastAct),
    quietMs: end - lastEvent,
    seen: seen.sequences(),
  });
  return steps;
};
