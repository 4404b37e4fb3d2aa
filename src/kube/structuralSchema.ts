// Turns the JSON schema that zod prints into a structural schema, the part of OpenAPI v3 that an API server accepts
// in a CustomResourceDefinition: every node has a type, objects are closed by pruning and not by keyword.
// Guarantees that nothing is lost in silence: a keyword that it does not know is an error, met when the manifest is
// generated and never in a cluster.

/** A JSON schema as an API server wants it. */
export interface StructuralSchema {
  readonly description?: string;
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly items?: StructuralSchema;
  readonly [keyword: string]: unknown;
}

/** Kept as they are, in the order in which they are written. */
const keptKeywords = [
  'format',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'required',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
] as const;

/** Handled one by one below, or without meaning for an API server. */
const otherKeywords: ReadonlySet<string> = new Set([
  '$schema',
  'additionalProperties',
  'description',
  'items',
  'properties',
  'propertyNames',
  'type',
]);

const types: ReadonlySet<unknown> = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isType = (value: unknown): value is StructuralSchema['type'] => types.has(value);

/** zod bounds every integer by what a double can hold; as a rule for people that is noise. */
const isNoise = (keyword: string, value: unknown) =>
  (keyword === 'minimum' && value === Number.MIN_SAFE_INTEGER) ||
  (keyword === 'maximum' && value === Number.MAX_SAFE_INTEGER);

const mapValues = (object: Readonly<Record<string, unknown>>, at: string) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, structuralSchema(value, `${at}.${name}`)]));

/**
 * The structural schema of a JSON schema made with `target: 'openapi-3.0'` and `io: 'input'`. Throws an Error that
 * names the place if the schema says something that has no structural form (`$ref`, `anyOf`, a node without a type).
 */
export function structuralSchema(schema: unknown, at = '$'): StructuralSchema {
  if (!isObject(schema)) {
    throw new Error(`${at}: expected a schema, found ${JSON.stringify(schema)}`);
  }
  const unknown = Object.keys(schema).filter(
    (keyword) => !otherKeywords.has(keyword) && !keptKeywords.some((kept) => kept === keyword),
  );
  if (unknown.length > 0) {
    throw new Error(`${at}: ${unknown.join(', ')} cannot be said in a structural schema; write the type without it`);
  }
  const { type, description, properties, items, additionalProperties } = schema;
  if (!isType(type)) {
    throw new Error(`${at}: a structural schema needs one type, found ${JSON.stringify(type)}`);
  }
  if (type === 'array' && items === undefined) {
    throw new Error(`${at}: an array needs items`);
  }
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || isObject(properties);
  const kept = keptKeywords
    .filter((keyword) => schema[keyword] !== undefined && !isNoise(keyword, schema[keyword]))
    .map((keyword) => [keyword, schema[keyword]]);
  return {
    ...(typeof description === 'string' ? { description } : {}),
    type,
    ...(type === 'integer' && schema['format'] === undefined ? { format: 'int64' } : {}),
    ...Object.fromEntries(kept),
    ...(isObject(additionalProperties) && !open
      ? { additionalProperties: structuralSchema(additionalProperties, `${at}.*`) }
      : {}),
    ...(isObject(properties) ? { properties: mapValues(properties, at) } : {}),
    ...(items === undefined ? {} : { items: structuralSchema(items, `${at}[]`) }),
  };
}
