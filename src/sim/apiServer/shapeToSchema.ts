// Brings an object into the shape of its kind's structural schema before it is validated: fields the schema does not
// know are dropped, defaults are filled in. Whatever is already in shape is shared, and what was stored before is not
// looked at again.
import type { Json } from '../cluster.ts';
import { json } from './json.ts';

const passedOver = ['apiVersion', 'kind', 'metadata'];

const preserves = (schema: Json): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true;

const shapeObject = (value: Json, schema: Json, before: unknown, passOver: boolean): Json => {
  const properties = json.object(schema['properties']);
  const additional = schema['additionalProperties'];
  const stored = json.object(before);
  let shaped = value;
  const set = (field: string, made: unknown): void => {
    if (shaped === value) shaped = { ...value };
    shaped[field] = made;
  };
  for (const [field, item] of Object.entries(value)) {
    if (passOver && passedOver.includes(field)) continue;
    const known = Object.hasOwn(properties, field) ? properties[field] : additional;
    if (json.isObject(known)) {
      if (item === null && known['nullable'] !== true && known['default'] !== undefined) {
        set(field, known['default']);
      } else {
        const made = shape(item, known, stored[field], false);
        if (made !== item) set(field, made);
      }
    } else if (known !== true && !preserves(schema)) {
      if (shaped === value) shaped = { ...value };
      delete shaped[field];
    }
  }
  for (const [field, known] of Object.entries(properties)) {
    const fallback = json.object(known)['default'];
    if (fallback !== undefined && value[field] === undefined) {
      set(field, shape(json.copy(fallback), json.object(known), undefined, false));
    }
  }
  return shaped;
};

const shape = (value: unknown, schema: Json, before: unknown, isRoot: boolean): unknown => {
  if (value === before) return value;
  if (Array.isArray(value)) {
    const items = schema['items'];
    if (!json.isObject(items)) return value;
    const stored = json.array(before);
    const shaped = value.map((item, index) => shape(item, items, stored[index], false));
    return shaped.every((item, index) => item === value[index]) ? value : shaped;
  }
  if (!json.isObject(value)) return value;
  return shapeObject(value, schema, before, isRoot || schema['x-kubernetes-embedded-resource'] === true);
};

/** The object with unknown fields dropped and defaults filled in; `before` is what was stored of it, if anything. */
export const shapeToSchema = (object: Json, schema: Json, before: unknown): Json =>
  json.object(shape(object, schema, before, true));
