// Who writes each claim at the moment: guests, mirrors of live copies, rsync. Two at once would be damage on a real disk,
// and is kept on record here.

/** Two who wrote one claim at the same time. */
export interface Clash {
  readonly at: number;
  readonly claim: string;
  readonly writers: readonly string[];
}

export interface ClaimWriters {
  open(claim: string, writer: string): void;
  close(claim: string, writer: string): void;
  readonly clashes: readonly Clash[];
}

/** Keeps the writers of claims, named `namespace/claim`. */
export const claimWriters = (now: () => number): ClaimWriters => {
  const writers = new Map<string, Set<string>>();
  const clashes: Clash[] = [];
  return {
    clashes,
    open: (claim, writer) => {
      const set = writers.get(claim) ?? new Set<string>();
      set.add(writer);
      writers.set(claim, set);
      if (set.size > 1) clashes.push({ at: now(), claim, writers: [...set] });
    },
    close: (claim, writer) => {
      const set = writers.get(claim);
      set?.delete(writer);
      if (set?.size === 0) writers.delete(claim);
    },
  };
};
