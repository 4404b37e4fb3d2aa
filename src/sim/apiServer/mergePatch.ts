// JSON merge patch (RFC 7386): objects are merged, null removes, everything else replaces. What the patch does not
// name is shared with the document.
import { json } from './json.ts';

/** The document after the patch; neither is changed. */
export const mergePatch = (document: unknown, patch: unknown): unknown => {
  if (!json.isObject(patch)) return patch;
  const merged = json.isObject(document) ? { ...document } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete merged[field];
    else merged[field] = mergePatch(merged[field], value);
  }
  return merged;
};
