// Readers for single fields of an object from the API server, and the frame that turns them into a projection. An
// absent field reads as empty, as the API's omitempty means it; a field of another type ends the projection with the
// field's path, never with an exception that leaves this folder.
import type { Kept } from '../../core/objects.ts';
import type { Malformed, Projection } from '../../core/projection.ts';
import type { KubeObject } from '../api.ts';

export type Fields = Readonly<Record<string, unknown>>;

const nothing: Fields = Object.freeze({});
const none: readonly never[] = Object.freeze([]);

/** Thrown by the readers and caught by `projection`: what stood in which field, and what was expected there. */
export class Unexpected extends Error {
  readonly field: string;
  constructor(field: string, found: string, expected: string) {
    super(`is ${found}, expected ${expected}`);
    this.field = field;
  }
}

/** What a value is, in words short enough for a log line. */
export const describe = (value: unknown): string => {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const pathOf = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`);

/** The object in a field; an empty one when absent. */
export const section = (parent: Fields, name: string, at: string): Fields => {
  const value = parent[name];
  if (value === undefined || value === null) return nothing;
  if (!isFields(value)) throw new Unexpected(pathOf(at, name), describe(value), 'an object');
  return value;
};

/** The text in a field; empty when absent. */
export const text = (parent: Fields, name: string, at: string): string => {
  const value = parent[name];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new Unexpected(pathOf(at, name), describe(value), 'a text');
  return value;
};

/** The text in a field that must be there. */
export const requiredText = (parent: Fields, name: string, at: string): string => {
  const value = text(parent, name, at);
  if (value === '') throw new Unexpected(pathOf(at, name), 'absent', 'a text');
  return value;
};

/** The boolean in a field; false when absent. */
export const flag = (parent: Fields, name: string, at: string): boolean => {
  const value = parent[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw new Unexpected(pathOf(at, name), describe(value), 'true or false');
  return value;
};

/** The whole number in a field; 0 when absent. */
export const whole = (parent: Fields, name: string, at: string): number => {
  const value = parent[name];
  if (value === undefined || value === null) return 0;
  if (!Number.isSafeInteger(value)) throw new Unexpected(pathOf(at, name), describe(value), 'a whole number');
  return value as number;
};

/** The objects of a list; none when absent. */
export const entries = (parent: Fields, name: string, at: string): readonly Fields[] => {
  const value = parent[name];
  if (value === undefined || value === null) return none;
  if (!Array.isArray(value)) throw new Unexpected(pathOf(at, name), describe(value), 'a list');
  value.forEach((entry: unknown, index) => {
    if (!isFields(entry)) throw new Unexpected(`${pathOf(at, name)}[${index}]`, describe(entry), 'an object');
  });
  return value as readonly Fields[];
};

/** The texts of a list; none when absent. */
export const texts = (parent: Fields, name: string, at: string): readonly string[] => {
  const value = parent[name];
  if (value === undefined || value === null) return none;
  if (!Array.isArray(value)) throw new Unexpected(pathOf(at, name), describe(value), 'a list of texts');
  value.forEach((entry: unknown, index) => {
    if (typeof entry !== 'string') throw new Unexpected(`${pathOf(at, name)}[${index}]`, describe(entry), 'a text');
  });
  return value as readonly string[];
};

/** The condition of a type in `status.conditions`; undefined when there is none. */
export const condition = (
  status: Fields,
  type: string,
): { readonly status: string; readonly reason: string; readonly message: string } | undefined => {
  const at = 'status.conditions';
  const found = entries(status, 'conditions', 'status').find((each) => each['type'] === type);
  if (found === undefined) return undefined;
  return { status: text(found, 'status', at), reason: text(found, 'reason', at), message: text(found, 'message', at) };
};

const shared = new Map<string, string>();
const mostShared = 4096;

/**
 * One string for all equal ones. For values that thousands of objects have in common (namespaces, nodes, classes),
 * which JSON.parse makes anew for each.
 */
export const share = (value: string): string => {
  const known = shared.get(value);
  if (known !== undefined) return known;
  if (shared.size >= mostShared) shared.clear();
  shared.set(value, value);
  return value;
};

const identityOf = (raw: KubeObject): Kept => {
  const metadata = section(raw as Fields, 'metadata', '');
  return {
    namespace: share(text(metadata, 'namespace', 'metadata')),
    name: requiredText(metadata, 'name', 'metadata'),
    uid: requiredText(metadata, 'uid', 'metadata'),
    resourceVersion: requiredText(metadata, 'resourceVersion', 'metadata'),
    deleting: text(metadata, 'deletionTimestamp', 'metadata') !== '',
  };
};

const partOf = (field: string): Malformed['part'] =>
  field.startsWith('metadata') ? 'metadata' : field.startsWith('status') ? 'status' : 'spec';

/** Everything here is read with suspicion: it is called because something about the object is wrong. */
const malformedOf = (kind: string, raw: KubeObject, fault: Unexpected): Malformed => {
  const found: unknown = isFields(raw) ? raw['metadata'] : undefined;
  const metadata = isFields(found) ? found : nothing;
  const read = (name: string): string => {
    const value = metadata[name];
    return typeof value === 'string' ? value : '';
  };
  const finalizers = metadata['finalizers'];
  const generation = metadata['generation'];
  const [namespace, name] = [read('namespace'), read('name')];
  return {
    namespace,
    name,
    uid: read('uid'),
    resourceVersion: read('resourceVersion'),
    deleting: read('deletionTimestamp') !== '',
    generation: typeof generation === 'number' ? generation : 0,
    finalizers: Array.isArray(finalizers) ? finalizers.filter((each) => typeof each === 'string') : none,
    part: partOf(fault.field),
    field: fault.field,
    message: `${kind} ${namespace === '' ? '' : `${namespace}/`}${name || 'without a name'}: ${fault.field} ${fault.message}`,
  };
};

/**
 * Makes a projection of a reader that returns the kept object, or undefined for an object of no interest. What the
 * field readers object to becomes `malformed`; no shape of input makes the projection throw.
 */
export const projection =
  <T extends Kept>(kind: string, read: (raw: Fields, identity: Kept) => T | undefined) =>
  (raw: KubeObject): Projection<T> => {
    try {
      if (!isFields(raw)) throw new Unexpected('metadata', describe(raw), 'an object');
      const object = read(raw, identityOf(raw));
      return object === undefined ? { kind: 'ignored' } : { kind: 'kept', object };
    } catch (fault) {
      if (!(fault instanceof Unexpected)) throw fault;
      return { kind: 'malformed', malformed: malformedOf(kind, raw, fault) };
    }
  };
