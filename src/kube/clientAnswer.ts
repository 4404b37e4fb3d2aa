// What the API server's answers mean in the terms of the port: objects, list pages and lines of a watch.
import type { KubeObject, ListPage, Resource, WatchEvent } from './api.ts';
import { type Asked, refusedRequest, strangeAnswer } from './clientFailure.ts';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parse = (asked: Asked, what: string, text: string): Fields => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw strangeAnswer(asked, `${what} is not JSON`, text);
  }
  if (!isFields(parsed)) throw strangeAnswer(asked, `${what} is not a JSON object`, text);
  return parsed;
};

const textAt = (fields: unknown, name: string): string => {
  const value = isFields(fields) ? fields[name] : undefined;
  return typeof value === 'string' ? value : '';
};

/** The object of an answer. */
export const readObject = (asked: Asked, text: string): KubeObject => {
  const object = parse(asked, 'the answer', text);
  if (textAt(object['metadata'], 'name') === '') throw strangeAnswer(asked, 'the answer is not an object', text);
  return object as unknown as KubeObject;
};

/** Items of a list of a built-in kind do not say what they are; here they do. */
const withKind = (item: unknown, { group, version, kind }: Resource): KubeObject => {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  if (isFields(item) && item['kind'] === undefined) return Object.assign(item, { apiVersion, kind }) as never;
  return item as KubeObject;
};

/** One page of a list. */
export const readPage = (asked: Asked, text: string): ListPage => {
  const list = parse(asked, 'the list', text);
  const resourceVersion = textAt(list['metadata'], 'resourceVersion');
  const token = textAt(list['metadata'], 'continue');
  const items: unknown = list['items'] ?? [];
  if (!Array.isArray(items) || resourceVersion === '') throw strangeAnswer(asked, 'the answer is not a list', text);
  return {
    resourceVersion,
    items: items.map((item: unknown) => withKind(item, asked.resource)),
    ...(token === '' ? {} : { continue: token }),
  };
};

/** The events of one line of a watch: one, or none for a type of event that we do not know. */
export const readEvent = (asked: Asked, line: string): readonly WatchEvent[] => {
  const event = parse(asked, 'a line of the watch', line);
  const object = event['object'];
  switch (event['type']) {
    case 'ADDED':
      return [{ type: 'added', object: object as KubeObject }];
    case 'MODIFIED':
      return [{ type: 'modified', object: object as KubeObject }];
    case 'DELETED':
      return [{ type: 'deleted', object: object as KubeObject }];
    case 'BOOKMARK':
      return [{ type: 'bookmark', resourceVersion: textAt(isFields(object) && object['metadata'], 'resourceVersion') }];
    case 'ERROR': {
      const code = isFields(object) && typeof object['code'] === 'number' ? object['code'] : 500;
      return [{ type: 'error', failure: refusedRequest(asked, code, JSON.stringify(object ?? {})) }];
    }
    default:
      return [];
  }
};
