// The body of a request: JSON, YAML, or for a few kinds protobuf, as its content type says.
import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { errorMessage } from '../../core/errorMessage.ts';
import { KubeFailure } from '../../kube/api.ts';
import { failures } from '../apiServer/failures.ts';
import type { Json } from '../cluster.ts';
import { protobufObject } from './protobufObject.ts';

export interface Body {
  /** Without parameters, in lower case. */
  readonly contentType: string;
  /** Undefined when the request has no body. */
  readonly value: unknown;
}

const mostBytes = 3 * 1024 * 1024;

const bytesOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      throw failures.status(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${mostBytes}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const fromProtobuf = (bytes: Buffer): Json => {
  const object = protobufObject(bytes);
  if (object !== undefined) return object;
  const why = 'protobuf is read for namespaces, service accounts, config maps and secrets only; send JSON or YAML';
  throw failures.status(415, 'UnsupportedMediaType', `the body of the request was in an unknown format: ${why}`);
};

/** Reads the body to its end; throws 400 when it cannot be parsed, 413 when it is too long, 415 for most protobuf. */
export const readBody = async (request: IncomingMessage): Promise<Body> => {
  const [contentType = ''] = (request.headers['content-type'] ?? 'application/json').split(';');
  const kind = contentType.trim().toLowerCase();
  const bytes = await bytesOf(request);
  if (bytes.length === 0) return { contentType: kind, value: undefined };
  try {
    if (kind.includes('protobuf')) return { contentType: kind, value: fromProtobuf(bytes) };
    const text = bytes.toString();
    return { contentType: kind, value: kind.includes('yaml') ? parse(text) : JSON.parse(text) };
  } catch (error) {
    if (error instanceof KubeFailure) throw error;
    throw failures.badRequest(`the body could not be read as ${kind}: ${errorMessage(error)}`);
  }
};
