// Kubernetes quantities ("10Gi", "1500M", "1e3", "128974848") as bytes. Pure arithmetic on whole numbers, so that a
// size is never off by the rounding of a fraction.

const binary = new Map([
  ['Ki', 1],
  ['Mi', 2],
  ['Gi', 3],
  ['Ti', 4],
  ['Pi', 5],
  ['Ei', 6],
]);

const decimal = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);

const form = /^\+?(\d{1,40})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,2})|([KMGTPE]i|[numkMGTPE]))?$/;

/**
 * Reads a quantity as bytes, rounded up to a whole one as Kubernetes does. Undefined when it is not a quantity, is
 * negative, or is more than a number can hold exactly.
 */
export const quantityBytes = (quantity: unknown): number | undefined => {
  const match = form.exec(
    typeof quantity === 'number' ? String(quantity) : typeof quantity === 'string' ? quantity : '',
  );
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent, suffix = ''] = match;
  const powerOfTen = (exponent === undefined ? (decimal.get(suffix) ?? 0) : Number(exponent)) - fraction.length;
  const digits = BigInt(whole + fraction) * 1024n ** BigInt(binary.get(suffix) ?? 0);
  const scale = 10n ** BigInt(Math.abs(powerOfTen));
  const bytes = Number(powerOfTen >= 0 ? digits * scale : (digits + scale - 1n) / scale);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
};

/** Writes bytes as people write them: with the largest binary suffix that loses nothing. */
export const quantityText = (bytes: number): string => {
  const suffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
  let power = 0;
  let value = bytes;
  while (power < suffixes.length - 1 && value >= 1024 && value % 1024 === 0) {
    value /= 1024;
    power += 1;
  }
  return `${value}${suffixes[power]}`;
};
