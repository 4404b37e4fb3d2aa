// Order statistics of a sample. Pure.

/** The value below which a share of the sample lies (nearest rank); NaN for an empty sample. */
export const percentile = (sample: readonly number[], share: number): number => {
  const sorted = [...sample].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};

/** The middle of the sample. */
export const median = (sample: readonly number[]): number => percentile(sample, 0.5);
