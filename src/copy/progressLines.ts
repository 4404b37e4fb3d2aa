// Reads how far rsync is from what it prints with --info=progress2: records that begin with \r and end without a newline
// (data plane §7). Pure; text may come in any pieces.

export interface Progress {
  /** How far into the source: sent and matched together. */
  readonly bytes: number;
  readonly percent: number;
  readonly bytesPerSecond: number;
  /** Null when rsync does not know. */
  readonly secondsLeft: number | null;
}

const units: Readonly<Record<string, number>> = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };

const form = /^\s*([\d,]+)\s+(\d{1,3})%\s+(\d+(?:\.\d+)?)([kMGT]?B)\/s\s+(?:(\d+):(\d\d):(\d\d)|[?:]+)/;

/** One record; undefined when the text is none. */
export const progressOf = (record: string): Progress | undefined => {
  const match = form.exec(record);
  if (match === null) return undefined;
  const [, bytes = '', percentText, rate, unit = '', hours, minutes, seconds] = match;
  const percent = Number(percentText);
  const bytesPerSecond = Math.round(Number(rate) * (units[unit] ?? 1));
  const time = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  // At the end it is the time that the copy took; and without a rate rsync writes 0 for not knowing.
  const left = hours === undefined || bytesPerSecond === 0 ? null : time;
  return {
    bytes: Number(bytes.replaceAll(',', '')),
    percent,
    bytesPerSecond,
    secondsLeft: percent === 100 ? 0 : left,
  };
};

/**
 * Takes rsync's output piece by piece: `take` gives the newest progress in a piece, `rest` all that was no progress.
 * A record counts when it is complete, which is when the next one begins.
 */
export const progressReader = () => {
  let open = '';
  let rest = '';
  const settle = (record: string): Progress | undefined => {
    const progress = progressOf(record);
    if (progress === undefined) rest = `${rest}${record}\n`.slice(-16_384);
    return progress;
  };
  return {
    take: (piece: string): Progress | undefined => {
      const records = `${open}${piece}`.split(/[\r\n]+/);
      open = (records.pop() ?? '').slice(-4096);
      const found = records.map(settle).findLast((progress) => progress !== undefined);
      return progressOf(open) ?? found;
    },
    /** Everything else that was printed: the statistics. */
    rest: (): string => `${rest}${open}`,
  };
};
