// A recording of a real KubeVirt as a tape to be played: its lines checked, and the disks of its machines paired with
// the claims they are moved to. A recording knows no StorageMigration; what one would say is read from it here.

import { claimOf, volumeName } from '../../core/volumes.ts';
import { projectVirtualMachine } from '../../kube/project.ts';
import { type Recorded, type RecordedEvent, readRecording } from '../conform/recording.ts';

/** A disk that the recording has both claims of. */
export interface TapeDisk {
  readonly volume: string;
  readonly source: string;
  readonly target: string;
}

export interface TapeMachine {
  readonly namespace: string;
  readonly name: string;
  readonly disks: readonly TapeDisk[];
}

export interface Tape {
  readonly lines: readonly Recorded[];
  readonly machines: readonly TapeMachine[];
  /** VMs of the recording that are on no claim with a target beside it, as `namespace/name`. */
  readonly leftOut: readonly string[];
  /** Time of the last line, in ms. */
  readonly endMs: number;
}

const check = (line: Recorded): void => {
  if (!Number.isFinite(line.at)) throw new Error(`a line of the recording has no time "t", a number of ms`);
  if (line.kind !== 'event') return;
  const { name, resourceVersion, uid } = line.object.metadata ?? {};
  if (typeof name !== 'string' || typeof resourceVersion !== 'string' || typeof uid !== 'string') {
    throw new Error(
      `an object of ${line.watch} at ${line.at} ms has no metadata with name, uid and resourceVersion; the API server sends all three`,
    );
  }
};

interface Named {
  readonly namespace: string;
  readonly name: string;
  /** By volume name: the claims it was seen on, in order. */
  readonly volumes: Map<string, string[]>;
}

const machinesSeen = (events: readonly RecordedEvent[]): readonly Named[] => {
  const machines = new Map<string, Named>();
  for (const event of events) {
    if (event.watch !== 'virtualmachines') continue;
    const projected = projectVirtualMachine(event.object);
    if (projected.kind !== 'kept') continue;
    const { namespace, name, volumes } = projected.object;
    const known = machines.get(`${namespace}/${name}`) ?? { namespace, name, volumes: new Map<string, string[]>() };
    machines.set(`${namespace}/${name}`, known);
    for (const entry of volumes) {
      const claims = known.volumes.get(volumeName(entry)) ?? [];
      const claim = claimOf(entry);
      if (claim !== '' && !claims.includes(claim)) known.volumes.set(volumeName(entry), [...claims, claim]);
    }
  }
  return [...machines.values()];
};

/** `web-src-2` has `web-dst-2` beside it. */
const besideOf = (source: string): string | undefined => {
  const at = source.lastIndexOf('src');
  return at < 0 ? undefined : `${source.slice(0, at)}dst${source.slice(at + 3)}`;
};

/** The target of a volume: the claim beside its first one, else the next claim that it was seen on. */
const diskOf = (volume: string, [source, next]: readonly string[], claims: ReadonlySet<string>): TapeDisk[] => {
  if (source === undefined) return [];
  const beside = besideOf(source);
  const target = beside !== undefined && claims.has(beside) ? beside : next;
  return target === undefined ? [] : [{ volume, source, target }];
};

/** Reads a recording; throws with what was found and what was expected when it cannot be played. */
export const readTape = (text: string): Tape => {
  const lines = readRecording(text);
  for (const line of lines) check(line);
  const inOrder = lines.toSorted((a, b) => a.at - b.at);
  const events = inOrder.flatMap((line) => (line.kind === 'event' ? [line] : []));
  if (events.length === 0) throw new Error('the recording holds no event of any watch');
  const claims = new Set(
    events.flatMap(({ watch, object }) => (watch === 'persistentvolumeclaims' ? [object.metadata.name] : [])),
  );
  const machines = machinesSeen(events).map(({ namespace, name, volumes }) => ({
    namespace,
    name,
    disks: [...volumes].flatMap(([volume, on]) => diskOf(volume, on, claims)),
  }));
  if (machines.every(({ disks }) => disks.length === 0)) {
    throw new Error(
      'the recording has no VM on a claim with a target beside it (v-src and v-dst), so nothing would move',
    );
  }
  return {
    lines: inOrder,
    machines: machines.filter(({ disks }) => disks.length > 0),
    leftOut: machines.filter(({ disks }) => disks.length === 0).map(({ namespace, name }) => `${namespace}/${name}`),
    endMs: inOrder.at(-1)?.at ?? 0,
  };
};
