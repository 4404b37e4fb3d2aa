// Newer kubectl sends what it makes itself (`create namespace`, `create configmap`, `create secret`) as protobuf, and
// never asks for JSON instead. Read here are the small kinds that people create like that; nothing else is.
import type { Json } from '../cluster.ts';

/** How a field is to be read: text, bytes shown in base64, a map of either, or a message of fields. */
type Shape =
  | { readonly kind: 'text' | 'bytes' | 'flag' }
  | { readonly kind: 'map'; readonly values: 'text' | 'bytes' }
  | { readonly kind: 'message'; readonly fields: Fields };

/** Field numbers with names and shapes, as the published API types number them. */
type Fields = Readonly<Record<number, readonly [string, Shape]>>;

const text: Shape = { kind: 'text' };
const texts: Shape = { kind: 'map', values: 'text' };
const blobs: Shape = { kind: 'map', values: 'bytes' };

const metadata: Shape = {
  kind: 'message',
  fields: {
    1: ['name', text],
    2: ['generateName', text],
    3: ['namespace', text],
    11: ['labels', texts],
    12: ['annotations', texts],
  },
};

const kinds: Readonly<Record<string, Fields>> = {
  Namespace: { 1: ['metadata', metadata] },
  ServiceAccount: { 1: ['metadata', metadata] },
  ConfigMap: {
    1: ['metadata', metadata],
    2: ['data', texts],
    3: ['binaryData', blobs],
    4: ['immutable', { kind: 'flag' }],
  },
  Secret: {
    1: ['metadata', metadata],
    2: ['data', blobs],
    3: ['type', text],
    4: ['stringData', texts],
    5: ['immutable', { kind: 'flag' }],
  },
};

const typeMeta: Fields = { 1: ['apiVersion', text], 2: ['kind', text] };
/** What a body in protobuf begins with: `k8s` and a zero byte. */
const envelopePrefix = Buffer.of(0x6b, 0x38, 0x73, 0);

interface Field {
  readonly number: number;
  /** The bytes of a field that has a length; empty for a number. */
  readonly bytes: Buffer;
  readonly value: number;
}

const varint = (bytes: Buffer, from: number): readonly [number, number] => {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length; at += 1, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at + 1];
  }
  throw new Error('a protobuf number is cut off');
};

const fieldsOf = (bytes: Buffer): readonly Field[] => {
  const fields: Field[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [tag, afterTag] = varint(bytes, at);
    const [value, afterValue] = varint(bytes, afterTag);
    const number = tag >>> 3;
    if ((tag & 7) === 0) {
      fields.push({ number, bytes: Buffer.alloc(0), value });
      at = afterValue;
    } else if ((tag & 7) === 2) {
      at = afterValue + value;
      if (at > bytes.length) throw new Error('a protobuf field is cut off');
      fields.push({ number, bytes: bytes.subarray(afterValue, at), value: 0 });
    } else {
      throw new Error(`protobuf wire type ${tag & 7} is not read`);
    }
  }
  return fields;
};

const plain = (kind: 'text' | 'bytes', bytes: Buffer): string => bytes.toString(kind === 'text' ? 'utf8' : 'base64');

const message = (bytes: Buffer, known: Fields): Json => {
  const made: Json = {};
  for (const { number, bytes: content, value } of fieldsOf(bytes)) {
    const [name, shape] = known[number] ?? [];
    if (name === undefined || shape === undefined) continue;
    if (shape.kind === 'message') made[name] = message(content, shape.fields);
    else if (shape.kind === 'flag') made[name] = value === 1;
    else if (shape.kind === 'map') {
      const entry = message(content, { 1: ['key', text], 2: ['value', { kind: shape.values }] });
      made[name] = { ...(made[name] ?? {}), [String(entry['key'] ?? '')]: entry['value'] ?? '' };
    } else if (content.length > 0) made[name] = plain(shape.kind, content);
  }
  return made;
};

/** The object in the body; undefined when it is of a kind that is not read here. Throws when it is cut off. */
export const protobufObject = (body: Buffer): Json | undefined => {
  if (!body.subarray(0, envelopePrefix.length).equals(envelopePrefix)) return undefined;
  const fields = fieldsOf(body.subarray(envelopePrefix.length));
  const bytesOf = (number: number): Buffer => fields.find((field) => field.number === number)?.bytes ?? Buffer.alloc(0);
  const type = message(bytesOf(1), typeMeta);
  const known = type['apiVersion'] === 'v1' ? kinds[String(type['kind'])] : undefined;
  return known === undefined ? undefined : { ...type, ...message(bytesOf(2), known) };
};
