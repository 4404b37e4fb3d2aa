// JSON values inside the simulated API server: copied once on the way in, frozen, and shared from then on. A frozen
// value is taken to be frozen all the way down, so an update only costs what it changes.
import type { Json } from '../cluster.ts';

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const copyObject = (value: Json): Json => {
  const copied: Json = {};
  for (const [field, item] of Object.entries(value)) {
    if (item !== undefined) copied[field] = copy(item);
  }
  return copied;
};

const copy = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  return Array.isArray(value) ? value.map(copy) : copyObject(value as Json);
};

const freeze = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
};

const equalArrays = (left: readonly unknown[], right: readonly unknown[]): boolean =>
  left.length === right.length && left.every((item, index) => equal(item, right[index]));

const equal = (left: unknown, right: unknown): boolean => {
  if (left === right) return true;
  if (Array.isArray(left)) return Array.isArray(right) && equalArrays(left, right);
  if (!isObject(left) || !isObject(right)) return false;
  const fields = Object.keys(left);
  return (
    fields.length === Object.keys(right).length &&
    fields.every((field) => Object.hasOwn(right, field) && equal(left[field], right[field]))
  );
};

/** An object, or an empty one where there is none: for reading fields that may be absent. */
const object = (value: unknown): Json => (isObject(value) ? value : {});

/** An array, or an empty one where there is none. */
const array = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What the server does with JSON values; `copy` drops fields that are undefined and shares what is frozen. */
export const json = { isObject, object, array, copy, freeze, equal };
