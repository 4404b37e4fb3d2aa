// Holds the simulated KubeVirt to a recording of the real one: replays its acts and compares. KubeVirt loses a write to
// a conflict now and then; a recording in which it did is compared with a simulation to which the same accident happens.
import type { Accidents } from '../kubevirt/options.ts';
import { type Difference, differences } from './compare.ts';
import { noteAct } from './noteAct.ts';
import { type Recorded, readRecording } from './recording.ts';
import { replay } from './replay.ts';
import { type Sequences, timeline } from './timeline.ts';

/** Accidents of KubeVirt that a recording may show; the first is none. */
const accidents: readonly Accidents[] = [{}, { losesMigrationRecord: 1 }, { losesCancellation: 1 }];

const recordedSequences = (recorded: readonly Recorded[]): Sequences => {
  const seen = timeline();
  const claims = new Set(
    recorded.flatMap((line) =>
      line.kind === 'event' && line.watch === 'persistentvolumeclaims' ? [line.object.metadata.name] : [],
    ),
  );
  for (const line of recorded) {
    if (line.kind === 'event') seen.take(line.watch, line.type.toLowerCase() as 'added', line.object);
    else noteAct(seen, line, claims);
  }
  return seen.sequences();
};

/** Replays a recording and compares it, and other recordings of the same scenario, with the simulation. */
export const conform = (text: string, siblings: readonly string[] = []): readonly Difference[] => {
  const recorded = readRecording(text);
  const expected = [
    recordedSequences(recorded),
    ...siblings.map((sibling) => recordedSequences(readRecording(sibling))),
  ];
  let first: readonly Difference[] | undefined;
  for (const accident of accidents) {
    const found = differences(replay(recorded, { accidents: accident }).sequences(), expected);
    if (found.length === 0) return [];
    first ??= found;
  }
  return first ?? [];
};
