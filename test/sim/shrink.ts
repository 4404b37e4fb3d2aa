// Makes a failing schedule smaller: leaves parts out, many at once and then one at a time, for as long as what is left
// still fails in the same way. What remains is for a person to read.

export interface Shrunk {
  readonly parts: readonly string[];
  /** How many schedules were played for it. */
  readonly plays: number;
}

/** Drops parts while `failsAlike` holds of those that are kept; asks it at most `mostPlays` times. Earlier parts go first. */
export const shrink = (
  parts: readonly string[],
  failsAlike: (kept: ReadonlySet<string>) => boolean,
  mostPlays = 200,
): Shrunk => {
  let kept = parts;
  let plays = 0;
  /** One round with pieces of this size; whether anything could be left out. */
  const leaveOut = (size: number): boolean => {
    const before = kept.length;
    let from = 0;
    while (from < kept.length && plays < mostPlays) {
      const fewer = kept.toSpliced(from, size);
      plays += 1;
      if (failsAlike(new Set(fewer))) kept = fewer;
      else from += size;
    }
    return kept.length < before;
  };
  for (let size = Math.ceil(parts.length / 2); size > 1; size = Math.ceil(size / 2)) leaveOut(size);
  // What could not be left out may be dispensable once something else has gone.
  while (leaveOut(1) && plays < mostPlays);
  return { parts: kept, plays };
};
