// Keeps a label's values few and well-formed, whatever is put in: a time series is never made from a text that came
// out of a cluster.

const wellFormed = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

/** What stands for every value that is not let through. */
const otherValue = 'other';

/**
 * A function that lets the first `most` distinct well-formed values through and turns all others into `other`.
 * What was let through once is let through always, so no series changes its name.
 */
export function boundLabel(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) {
      return value;
    }
    if (known.size >= most || !wellFormed.test(value)) {
      return otherValue;
    }
    known.add(value);
    return value;
  };
}
