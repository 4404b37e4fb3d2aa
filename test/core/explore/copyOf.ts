// A copy of plain data, all the way down. The platform has one too, which takes five times as long.

/** Copies data as it comes from JSON; what is undefined stays so. */
export const copyOf = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  const copy = { ...value };
  for (const key in copy) copy[key] = copyOf(copy[key]);
  return copy;
};
