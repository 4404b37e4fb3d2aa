// Server-side apply: what a manager applied is merged into the object, what it applied before and now leaves out is
// removed, and a field that another manager applied with another value is a conflict unless forced.
// Simplified: only appliers own fields (a real server also lets ordinary writers own what they changed), ownership is
// kept beside the object and not shown in metadata.managedFields, and it does not move when a field is renamed.
import type { Json } from '../cluster.ts';
import { json } from './json.ts';
import { listKeys } from './listKeys.ts';

/** The fields each manager applied last: paths as JSON text. */
export type Ownership = ReadonlyMap<string, ReadonlySet<string>>;

export interface Applied {
  readonly object: Json;
  readonly ownership: Ownership;
  /** One entry per field that somebody else applied with another value: who, and which field. */
  readonly conflicts: readonly { readonly manager: string; readonly field: string }[];
}

/** A field name, or for an item of a list its keys. */
type Segment = string | Json;

const identity = ['apiVersion', 'kind'];
const identityOfMetadata = ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'managedFields'];

const schemaOf = (schema: Json | undefined, field: string): Json | undefined => {
  if (schema === undefined) return undefined;
  const found = json.object(schema['properties'])[field] ?? schema['additionalProperties'];
  return json.object(found);
};

const keysOf = (item: unknown, keys: readonly string[]): Json =>
  Object.fromEntries(keys.map((key) => [key, json.object(item)[key]]));

/** Every field the document sets, as paths; an item of a map list is a path of its own. */
const fieldsOf = (
  value: unknown,
  path: readonly Segment[],
  field: string,
  schema: Json | undefined,
): readonly (readonly Segment[])[] => {
  if (json.isObject(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([name, item]) => {
      const isIdentity = path.length === 0 ? identity.includes(name) : path.length === 1 && path[0] === 'metadata';
      if (isIdentity && (path.length === 0 || identityOfMetadata.includes(name))) return [];
      return fieldsOf(item, [...path, name], name, schemaOf(schema, name));
    });
  }
  if (!Array.isArray(value)) return [path];
  const shape = listKeys(field, schema, value);
  if (shape.kind === 'atomic') return [path];
  if (shape.kind === 'set') return value.map((item) => [...path, { value: item }]);
  const items = schema === undefined ? undefined : json.object(schema['items']);
  return value.flatMap((item) => {
    const place = [...path, keysOf(item, shape.keys)];
    return [place, ...fieldsOf(item, place, '', items)];
  });
};

const merge = (current: unknown, applied: unknown, field: string, schema: Json | undefined): unknown => {
  if (json.isObject(applied)) {
    const merged = { ...json.object(current) };
    for (const [name, value] of Object.entries(applied)) {
      merged[name] = merge(merged[name], value, name, schemaOf(schema, name));
    }
    return merged;
  }
  if (!Array.isArray(applied) || !Array.isArray(current)) return applied;
  const shape = listKeys(field, schema, applied);
  if (shape.kind === 'atomic') return applied;
  const merged: unknown[] = [...current];
  const items = schema === undefined ? undefined : json.object(schema['items']);
  for (const item of applied) {
    if (shape.kind === 'set') {
      if (!merged.some((one) => json.equal(one, item))) merged.push(item);
      continue;
    }
    const keys = keysOf(item, shape.keys);
    const at = merged.findIndex((one) => json.equal(keysOf(one, shape.keys), keys));
    if (at < 0) merged.push(item);
    else merged[at] = merge(merged[at], item, '', items);
  }
  return merged;
};

const isItem = (item: unknown, segment: Json): boolean =>
  json.isObject(item)
    ? Object.entries(segment).every(([key, value]) => json.equal(item[key], value))
    : json.equal(item, segment['value']);

const read = (document: unknown, path: readonly Segment[]): unknown =>
  path.reduce<unknown>((found, segment) => {
    if (typeof segment === 'string') return json.object(found)[segment];
    return json.array(found).find((item) => isItem(item, segment));
  }, document);

const without = (document: unknown, path: readonly Segment[]): unknown => {
  const [first, ...rest] = path;
  if (first === undefined) return document;
  if (typeof first !== 'string') {
    const items = json.array(document);
    if (rest.length === 0) return items.filter((item) => !isItem(item, first));
    return items.map((item) => (isItem(item, first) ? without(item, rest) : item));
  }
  if (!json.isObject(document) || document[first] === undefined) return document;
  const { [first]: removed, ...others } = document;
  return rest.length === 0 ? others : { ...document, [first]: without(removed, rest) };
};

const shown = (path: readonly Segment[]): string =>
  path
    .map((segment) => (typeof segment === 'string' ? `.${segment}` : `[${JSON.stringify(segment).slice(1, -1)}]`))
    .join('');

const isFilled = (value: unknown): boolean => json.isObject(value) && Object.keys(value).length > 0;

/** An empty object claims nothing of what others have put into it. */
const agrees = (current: unknown, applied: unknown): boolean =>
  json.equal(current, applied) || (json.isObject(applied) && json.isObject(current) && !isFilled(applied));

const parsed = (text: string): readonly Segment[] => JSON.parse(text);

/** Applies `applied` to `current` as `manager`; with conflicts the caller must refuse unless the apply is forced. */
export const serverSideApply = (
  current: Json,
  applied: Json,
  manager: string,
  before: Ownership,
  schema: Json | undefined,
): Applied => {
  const fields = new Set(fieldsOf(applied, [], '', schema).map((path) => JSON.stringify(path)));
  const others = [...before].filter(([name]) => name !== manager);
  const conflicts = others.flatMap(([name, owned]) =>
    [...fields]
      .filter((path) => owned.has(path))
      .map(parsed)
      .filter((path) => typeof path.at(-1) === 'string' && !agrees(read(current, path), read(applied, path)))
      .map((path) => ({ manager: name, field: shown(path) })),
  );
  const dropped = [...(before.get(manager) ?? [])].filter(
    (path) =>
      !fields.has(path) &&
      !others.some(([, owned]) => owned.has(path)) &&
      !(typeof parsed(path).at(-1) === 'string' && isFilled(read(current, parsed(path)))),
  );
  const kept = dropped.reduce<unknown>((document, path) => without(document, parsed(path)), current);
  const lost = new Set(conflicts.map(({ field }) => field));
  const remaining = others.map(
    ([name, owned]) => [name, new Set([...owned].filter((path) => !lost.has(shown(parsed(path)))))] as const,
  );
  const { apiVersion: _v, kind: _k, ...body } = applied;
  return {
    object: json.object(merge(kept, body, '', schema)),
    ownership: new Map([...remaining, [manager, fields]]),
    conflicts,
  };
};
