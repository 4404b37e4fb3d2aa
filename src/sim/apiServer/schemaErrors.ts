// Validates an object against its kind's structural schema. Gives every mistake with the path of its field, in the
// words of a real server. Rules in CEL (x-kubernetes-validations) are not evaluated.
import type { Json } from '../cluster.ts';
import { json } from './json.ts';

const isDateTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': isDateTime,
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  uuid: (text) => /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(text),
  byte: (text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0,
};

const hasType = (value: unknown, type: unknown): boolean => {
  switch (type) {
    case 'object':
      return json.isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'string':
    case 'boolean':
      return typeof value === type;
    default:
      return true;
  }
};

const nameOfType = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
};

const patterns = new Map<string, RegExp>();

const patternOf = (pattern: string): RegExp => {
  const known = patterns.get(pattern) ?? new RegExp(pattern);
  patterns.set(pattern, known);
  return known;
};

const field = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

type Check = (value: never, limit: never) => string | undefined;

const plural = (count: number): string => `${count} item${count === 1 ? '' : 's'}`;

const checks: Readonly<Record<string, Check>> = {
  minLength: (value: unknown, least: number) =>
    typeof value === 'string' && [...value].length < least
      ? `Invalid value: ${JSON.stringify(value)}: should be at least ${least} chars long`
      : undefined,
  maxLength: (value: unknown, most: number) =>
    typeof value === 'string' && [...value].length > most ? `Too long: may not be more than ${most} bytes` : undefined,
  pattern: (value: unknown, pattern: string) =>
    typeof value === 'string' && !patternOf(pattern).test(value)
      ? `Invalid value: ${JSON.stringify(value)}: should match '${pattern}'`
      : undefined,
  format: (value: unknown, format: string) =>
    typeof value === 'string' && formats[format]?.(value) === false
      ? `Invalid value: ${JSON.stringify(value)}: must be of type ${format}`
      : undefined,
  minItems: (value: unknown, least: number) =>
    Array.isArray(value) && value.length < least
      ? `Invalid value: ${value.length}: should have at least ${plural(least)}`
      : undefined,
  maxItems: (value: unknown, most: number) =>
    Array.isArray(value) && value.length > most
      ? `Too many: ${value.length}: must have at most ${plural(most)}`
      : undefined,
  minProperties: (value: unknown, least: number) =>
    json.isObject(value) && Object.keys(value).length < least
      ? `Invalid value: ${Object.keys(value).length}: should have at least ${least} properties`
      : undefined,
  maxProperties: (value: unknown, most: number) =>
    json.isObject(value) && Object.keys(value).length > most
      ? `Too many: ${Object.keys(value).length}: must have at most ${plural(most)}`
      : undefined,
  multipleOf: (value: unknown, step: number) =>
    typeof value === 'number' && !Number.isInteger(value / step)
      ? `Invalid value: ${value}: should be a multiple of ${step}`
      : undefined,
  enum: (value: unknown, allowed: readonly unknown[]) =>
    allowed.some((one) => json.equal(one, value))
      ? undefined
      : `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map((one) => JSON.stringify(one)).join(', ')}`,
};

const boundErrors = (value: number, schema: Json): readonly string[] => {
  const { minimum, maximum } = schema;
  const wrong: string[] = [];
  if (typeof minimum === 'number') {
    const beyond = schema['exclusiveMinimum'] === true;
    if (beyond ? value <= minimum : value < minimum) {
      wrong.push(`Invalid value: ${value}: should be greater than ${beyond ? '' : 'or equal to '}${minimum}`);
    }
  }
  if (typeof maximum === 'number') {
    const beyond = schema['exclusiveMaximum'] === true;
    if (beyond ? value >= maximum : value > maximum) {
      wrong.push(`Invalid value: ${value}: should be less than ${beyond ? '' : 'or equal to '}${maximum}`);
    }
  }
  return wrong;
};

/** Says where a rule of the body was broken: the real server repeats the path in front of such rules. */
const worded = (path: string, error: string): string =>
  `${path}: ${error.replace(/: should /, `: ${path} in body should `)}`;

const valueErrors = (value: unknown, schema: Json, path: string): readonly string[] => {
  const found = Object.entries(checks).flatMap(([keyword, check]) => {
    const limit = schema[keyword];
    return limit === undefined ? [] : (check(value as never, limit as never) ?? []);
  });
  return [...found, ...(typeof value === 'number' ? boundErrors(value, schema) : [])].map((error) =>
    worded(path, error),
  );
};

const junctorErrors = (value: unknown, schema: Json, path: string): readonly string[] => {
  const errors: string[] = [];
  const matches = (branch: unknown): boolean =>
    !json.isObject(branch) || errorsOf(value, branch, path, undefined).length === 0;
  for (const branch of json.array(schema['allOf'])) {
    errors.push(...errorsOf(value, json.object(branch), path, undefined));
  }
  const any = json.array(schema['anyOf']);
  if (any.length > 0 && !any.some(matches)) {
    errors.push(
      `${path}: Invalid value: ${JSON.stringify(value)}: ${path} in body must validate at least one schema (anyOf)`,
    );
  }
  const one = json.array(schema['oneOf']);
  if (one.length > 0 && one.filter(matches).length !== 1) {
    errors.push(
      `${path}: Invalid value: ${JSON.stringify(value)}: ${path} in body must validate one and only one schema (oneOf)`,
    );
  }
  if (json.isObject(schema['not']) && matches(schema['not'])) {
    errors.push(`${path}: Invalid value: ${JSON.stringify(value)}: ${path} in body must not validate the schema (not)`);
  }
  return errors;
};

const objectErrors = (value: Json, schema: Json, path: string, before: unknown): readonly string[] => {
  const properties = json.object(schema['properties']);
  const stored = json.object(before);
  const missing = json
    .array(schema['required'])
    .filter((name): name is string => typeof name === 'string' && value[name] === undefined)
    .map((name) => `${field(path, name)}: Required value`);
  const wrong = Object.entries(value).flatMap(([name, item]) => {
    const known = Object.hasOwn(properties, name) ? properties[name] : schema['additionalProperties'];
    return json.isObject(known) ? errorsOf(item, known, field(path, name), stored[name]) : [];
  });
  return [...missing, ...wrong];
};

const duplicateErrors = (value: readonly unknown[], schema: Json, path: string): readonly string[] => {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'map' && type !== 'set') return [];
  const keys = json.array(schema['x-kubernetes-list-map-keys']).map(String);
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const key = JSON.stringify(type === 'set' ? item : keys.map((name) => json.object(item)[name]));
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const shown =
      type === 'set' ? key : JSON.stringify(Object.fromEntries(keys.map((name) => [name, json.object(item)[name]])));
    return [`${path}[${index}]: Duplicate value: ${shown}`];
  });
};

const arrayErrors = (value: readonly unknown[], schema: Json, path: string, before: unknown): readonly string[] => {
  const items = schema['items'];
  const stored = json.array(before);
  const wrong = json.isObject(items)
    ? value.flatMap((item, index) => errorsOf(item, items, `${path}[${index}]`, stored[index]))
    : [];
  return [...wrong, ...duplicateErrors(value, schema, path)];
};

const errorsOf = (value: unknown, schema: Json, path: string, before: unknown): readonly string[] => {
  if (value === before && before !== undefined) return [];
  if (value === null && schema['nullable'] === true) return [];
  const either = schema['x-kubernetes-int-or-string'] === true;
  const typed = either ? typeof value === 'string' || Number.isInteger(value) : hasType(value, schema['type']);
  if (!typed) {
    const wanted = either ? 'integer,string' : String(schema['type']);
    return [
      `${path}: Invalid value: ${JSON.stringify(nameOfType(value))}: ${path} in body must be of type ${wanted}: ${JSON.stringify(nameOfType(value))}`,
    ];
  }
  const own = [...valueErrors(value, schema, path), ...junctorErrors(value, schema, path)];
  if (Array.isArray(value)) return [...own, ...arrayErrors(value, schema, path, before)];
  if (json.isObject(value)) return [...own, ...objectErrors(value, schema, path, before)];
  return own;
};

/** Every mistake in the object; `before` is what was stored of it, which is not checked again where it is shared. */
export const schemaErrors = (object: Json, schema: Json, before: unknown): readonly string[] =>
  errorsOf(object, schema, '', before);
