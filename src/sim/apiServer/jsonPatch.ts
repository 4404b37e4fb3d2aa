// JSON patch (RFC 6902): all six operations, `-` for the end of a list, ~0 and ~1 in paths. The document is never
// changed; what an operation does not touch is shared. An operation that cannot be carried out refuses the whole patch.
import { failures } from './failures.ts';
import { json } from './json.ts';

/** One operation as it comes over the wire, move and copy included. */
export type WireOperation = Readonly<Record<string, unknown>>;

const segmentsOf = (pointer: unknown): readonly string[] => {
  if (pointer === '') return [];
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) {
    throw failures.badRequest(
      `a JSON patch path must be a string that starts with "/", found ${JSON.stringify(pointer)}`,
    );
  }
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
};

const indexOf = (segment: string, limit: number): number => {
  if (!/^(0|[1-9][0-9]*)$/.test(segment) || Number(segment) > limit) throw failures.patchRefused();
  return Number(segment);
};

const child = (parent: unknown, segment: string): unknown => {
  if (Array.isArray(parent)) return parent[indexOf(segment, parent.length - 1)];
  if (!json.isObject(parent) || !Object.hasOwn(parent, segment)) throw failures.patchRefused();
  return parent[segment];
};

const find = (document: unknown, path: readonly string[]): unknown => path.reduce(child, document);

/** Rebuilds the way down to the parent of the last segment and lets `change` make the new parent. */
const rebuild = (
  document: unknown,
  path: readonly string[],
  change: (parent: unknown, last: string) => unknown,
): unknown => {
  const [first, ...rest] = path;
  if (first === undefined) throw failures.patchRefused();
  if (rest.length === 0) return change(document, first);
  const made = rebuild(child(document, first), rest, change);
  if (Array.isArray(document)) return document.with(Number(first), made);
  return { ...json.object(document), [first]: made };
};

const add = (document: unknown, path: readonly string[], value: unknown): unknown => {
  if (path.length === 0) return value;
  return rebuild(document, path, (parent, last) => {
    if (Array.isArray(parent)) {
      return parent.toSpliced(last === '-' ? parent.length : indexOf(last, parent.length), 0, value);
    }
    if (!json.isObject(parent)) throw failures.patchRefused();
    return { ...parent, [last]: value };
  });
};

const replace = (document: unknown, path: readonly string[], value: unknown): unknown => {
  if (path.length === 0) return value;
  return rebuild(document, path, (parent, last) => {
    child(parent, last);
    return Array.isArray(parent) ? parent.with(Number(last), value) : { ...json.object(parent), [last]: value };
  });
};

const remove = (document: unknown, path: readonly string[]): unknown =>
  rebuild(document, path, (parent, last) => {
    child(parent, last);
    if (Array.isArray(parent)) return parent.toSpliced(Number(last), 1);
    const { [last]: _removed, ...rest } = json.object(parent);
    return rest;
  });

const test = (document: unknown, path: readonly string[], value: unknown): unknown => {
  if (!json.equal(find(document, path), value)) throw failures.patchRefused();
  return document;
};

const apply = (document: unknown, operation: WireOperation): unknown => {
  const path = segmentsOf(operation['path']);
  const value = operation['value'];
  switch (operation['op']) {
    case 'add':
      return add(document, path, value);
    case 'replace':
      return replace(document, path, value);
    case 'remove':
      return remove(document, path);
    case 'test':
      return test(document, path, value);
    case 'move': {
      const from = segmentsOf(operation['from']);
      return add(remove(document, from), path, find(document, from));
    }
    case 'copy':
      return add(document, path, find(document, segmentsOf(operation['from'])));
    default:
      throw failures.badRequest(`unknown JSON patch operation ${JSON.stringify(operation['op'])}`);
  }
};

/** The document after all operations; throws 422 when one does not hold or cannot be done, 400 when it is malformed. */
export const jsonPatch = (document: unknown, operations: readonly WireOperation[]): unknown =>
  operations.reduce(apply, document);
