// Times in a record were written by whichever daemon ran then, on a node whose clock may have been ahead of ours.

/** Reads a time of a record, in ms since the epoch. One that is still to come for us tells nothing, and counts as long past. */
export const pastMs = (at: string, now: number): number => {
  const ms = Date.parse(at);
  return ms <= now ? ms : 0;
};
