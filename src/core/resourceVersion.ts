// The order of resourceVersions. Kubernetes promises it for decimal ones, which every server in use has; of others
// only equality is known.

const isDecimal = (version: string): boolean => /^[1-9][0-9]*$/.test(version) || version === '0';

/**
 * Negative, zero or positive as `a` is older than, the same as or newer than `b`; undefined when they differ and at
 * least one is not a decimal number, so that their order cannot be told.
 */
export const compareVersions = (a: string, b: string): number | undefined => {
  if (a === b) return 0;
  if (!isDecimal(a) || !isDecimal(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
};
