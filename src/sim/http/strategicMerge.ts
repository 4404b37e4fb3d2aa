// Strategic merge patch for the core kinds: as a JSON merge patch, but lists whose items have keys are merged by them.
// Of the directives `$patch: delete | replace`, `$deleteFromPrimitiveList` and `$retainKeys` are followed; the order
// asked for by `$setElementOrder` is not.
import { json } from '../apiServer/json.ts';
import { listKeys } from '../apiServer/listKeys.ts';
import type { Json } from '../cluster.ts';

const plain = (patch: Json): Json =>
  Object.fromEntries(Object.entries(patch).filter(([field]) => !field.startsWith('$')));

const mergeItems = (
  current: readonly unknown[],
  patch: readonly unknown[],
  keys: readonly string[],
): readonly unknown[] => {
  const isSame = (left: unknown, right: unknown): boolean =>
    keys.every((key) => json.equal(json.object(left)[key], json.object(right)[key]));
  if (patch.some((item) => json.object(item)['$patch'] === 'replace')) {
    return patch.filter((item) => json.object(item)['$patch'] === undefined);
  }
  let merged = current;
  for (const item of patch) {
    const at = merged.findIndex((one) => isSame(one, item));
    if (json.object(item)['$patch'] === 'delete') merged = merged.filter((one) => !isSame(one, item));
    else if (at < 0) merged = merged.concat([strategicMerge({}, item)]);
    else merged = merged.with(at, strategicMerge(merged[at], item));
  }
  return merged;
};

const mergeField = (current: unknown, patch: unknown, field: string): unknown => {
  if (!Array.isArray(patch)) return strategicMerge(current, patch);
  const shape = listKeys(field, undefined, patch);
  switch (shape.kind) {
    case 'atomic':
      return patch;
    case 'set':
      return [...new Set([...json.array(current), ...patch])];
    case 'map':
      return mergeItems(json.array(current), patch, shape.keys);
  }
};

const deletions = '$deleteFromPrimitiveList/';

/** The document after the patch; neither is changed. */
export const strategicMerge = (document: unknown, patch: unknown): unknown => {
  if (!json.isObject(patch)) return patch;
  if (patch['$patch'] === 'replace') return plain(patch);
  if (patch['$patch'] === 'delete') return {};
  const merged = { ...json.object(document) };
  const retained = patch['$retainKeys'];
  if (Array.isArray(retained)) {
    for (const field of Object.keys(merged)) if (!retained.includes(field)) delete merged[field];
  }
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith(deletions)) {
      const name = field.slice(deletions.length);
      const gone = json.array(value);
      merged[name] = json.array(merged[name]).filter((item) => !gone.includes(item));
    } else if (value === null) {
      delete merged[field];
    } else if (!field.startsWith('$')) {
      merged[field] = mergeField(merged[field], value, field);
    }
  }
  return merged;
};
