// Makes log fields safe to print: values under names that tell of a secret are replaced, bearer tokens inside texts
// too, errors become plain data, and depth and length are bounded. Everything that log.ts prints went through here.

const secretName = /(authorization|token|password|passwd|secret|cookie|credentials?|privatekey|keydata)$/;
const bearer = /\b(bearer|basic)\s+[\w\-.~+/=]{8,}/gi;

const hidden = '[redacted]';
const maxDepth = 6;
const maxTextLength = 8192;

/** `client-key-data` and `clientKeyData` are the same name. */
const isSecret = (name: string) => secretName.test(name.toLowerCase().replaceAll(/[-_]/g, ''));

function redactText(text: string): string {
  const cut = text.length > maxTextLength ? `${text.slice(0, maxTextLength)} (cut off)` : text;
  return cut.replaceAll(bearer, `$1 ${hidden}`);
}

/** Name, message and stack of an error are not enumerable; its causes are followed. */
function errorFields(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: redactText(error.message),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
    ...objectFields(error, depth),
  };
}

function objectFields(object: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name,
      isSecret(name) && value !== undefined && value !== null && value !== '' ? hidden : redact(value, depth + 1),
    ]),
  );
}

/** Ends on cycles too: below six levels a value is named, not shown. */
function redact(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    return redactText(value);
  }
  if (typeof value === 'bigint') {
    return value.toString();
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) {
    return value;
  }
  if (depth >= maxDepth) {
    return Array.isArray(value) ? '[list]' : '[object]';
  }
  if (value instanceof Error) {
    return errorFields(value, depth);
  }
  if (Array.isArray(value)) {
    return value.map((item) => redact(item, depth + 1));
  }
  if (value instanceof Map) {
    return objectFields(Object.fromEntries(value), depth);
  }
  if (value instanceof Set) {
    return [...value].map((item) => redact(item, depth + 1));
  }
  return objectFields(value, depth);
}

/** A copy of the fields of a log line that is fit to be printed. Throws only what a getter in them throws. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return objectFields(fields, 0);
}
