// Reads a recorded KubeVirt watch stream: one JSON object a line, either an event of one of five watches or an act of
// the user or the node side, in the order of arrival.
import type { KubeObject } from '../../kube/api.ts';

export interface RecordedEvent {
  readonly kind: 'event';
  readonly at: number;
  readonly watch: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

export interface RecordedAct {
  readonly kind: 'act';
  readonly at: number;
  readonly act: string;
  /** Empty: concerns no single VM. */
  readonly vm: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Tells how a request was answered: nothing that somebody did. */
export const isAnswer = ({ act }: RecordedAct): boolean => act.endsWith('answered');

export type Recorded = RecordedEvent | RecordedAct;

const lineOf = (line: string, number: number): Recorded => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new Error(`line ${number} of the recording is not JSON`);
  }
  if (typeof parsed !== 'object' || parsed === null) {
    throw new Error(`line ${number} of the recording is neither an event nor an act`);
  }
  const fields = parsed as Readonly<Record<string, unknown>>;
  const at = Number(fields['t']);
  if (typeof fields['act'] === 'string') {
    return { kind: 'act', at, act: fields['act'], vm: typeof fields['vm'] === 'string' ? fields['vm'] : '', fields };
  }
  const { watch, type, object } = fields;
  const known = type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED';
  if (typeof watch !== 'string' || !known || typeof object !== 'object' || object === null) {
    throw new Error(`line ${number} of the recording is neither an event nor an act`);
  }
  return { kind: 'event', at, watch, type, object: object as KubeObject };
};

/** The lines of a recording; throws with the line's number when one cannot be read. */
export const readRecording = (text: string): readonly Recorded[] =>
  text
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }) => lineOf(line, number));
