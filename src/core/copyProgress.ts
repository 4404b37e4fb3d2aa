// How far a copy is, read from the last lines of a client's log (data plane §7). For people alone: nothing is ever
// decided by it. It starts anew with each attempt.

export interface CopyProgress {
  /** Position in the source, in bytes: what is matched on a resume counts as well as what is sent. */
  readonly bytes: number;
  /** Bytes of the source. */
  readonly total: number;
  /** 0 to 100, rounded down. */
  readonly percent: number;
  readonly bytesPerSecond: number;
  /** Undefined while rsync cannot tell. */
  readonly secondsLeft: number | undefined;
}

const whole = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.floor(value) : undefined;

const progressIn = (line: string): CopyProgress | undefined => {
  if (!line.startsWith('{')) return undefined;
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    // The first line of a tail may be cut off.
    return undefined;
  }
  const [bytes, total, percent] = [whole(fields['bytes']), whole(fields['total']), whole(fields['percent'])];
  if (fields['t'] !== 'progress' || bytes === undefined || total === undefined || percent === undefined)
    return undefined;
  return {
    bytes,
    total,
    percent: Math.min(percent, 100),
    bytesPerSecond: whole(fields['bytesPerSecond']) ?? 0,
    secondsLeft: whole(fields['secondsLeft']),
  };
};

/** The newest progress in the tail of a log; undefined when there is none in it. */
export const copyProgressIn = (log: string): CopyProgress | undefined =>
  log
    .split('\n')
    .map(progressIn)
    .findLast((progress) => progress !== undefined);
