// The body of a request: JSON, or YAML which is a superset of it, as its content type says.
import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { failures } from '../apiServer/failures.ts';

export interface Body {
  /** Without parameters, in lower case. */
  readonly contentType: string;
  /** Undefined when the request has no body. */
  readonly value: unknown;
}

const mostBytes = 3 * 1024 * 1024;

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      throw failures.status(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${mostBytes}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

/** Reads the body to its end; throws 400 when it cannot be parsed, 413 when it is too long, 415 when it is protobuf. */
export const readBody = async (request: IncomingMessage): Promise<Body> => {
  const [contentType = ''] = (request.headers['content-type'] ?? 'application/json').split(';');
  const kind = contentType.trim().toLowerCase();
  const text = await textOf(request);
  if (text.trim() === '') return { contentType: kind, value: undefined };
  if (kind.includes('protobuf')) {
    throw failures.status(415, 'UnsupportedMediaType', `the body of the request was in an unknown format: ${kind}`);
  }
  try {
    return { contentType: kind, value: kind.includes('yaml') ? parse(text) : JSON.parse(text) };
  } catch (error) {
    throw failures.badRequest(
      `the body could not be read as ${kind}: ${error instanceof Error ? error.message : error}`,
    );
  }
};
