// What a real server demands of the schema in a CustomResourceDefinition: it must be structural (every node has a type),
// use only the keywords that exist there, and may not say things that would contradict pruning. A keyword that does not
// exist is only a warning for some clients; here it is always refused, as by a client that validates strictly.
import type { Json } from '../cluster.ts';
import { json } from './json.ts';
import { schemaErrors } from './schemaErrors.ts';

const keywords = new Set(
  `id title description type format nullable default example externalDocs enum pattern minLength maxLength minimum
   maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems minProperties maxProperties required properties
   additionalProperties items allOf anyOf oneOf not uniqueItems x-kubernetes-preserve-unknown-fields
   x-kubernetes-embedded-resource x-kubernetes-int-or-string x-kubernetes-list-type x-kubernetes-list-map-keys
   x-kubernetes-map-type x-kubernetes-validations`.split(/\s+/),
);

const types = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

const keywordErrors = (schema: Json, path: string): readonly string[] => {
  const errors = Object.keys(schema)
    .filter((keyword) => !keywords.has(keyword))
    .map((keyword) => `${path}.${keyword}: Invalid value: unknown field`);
  for (const keyword of ['exclusiveMinimum', 'exclusiveMaximum']) {
    const bound = schema[keyword];
    if (bound !== undefined && typeof bound !== 'boolean') {
      errors.push(`${path}.${keyword}: Invalid value: ${JSON.stringify(bound)}: must be a boolean`);
    }
  }
  if (schema['uniqueItems'] === true) errors.push(`${path}.uniqueItems: Forbidden: uniqueItems cannot be set to true`);
  if (schema['additionalProperties'] === false) {
    errors.push(`${path}.additionalProperties: Forbidden: additionalProperties cannot be set to false`);
  }
  if (schema['additionalProperties'] !== undefined && Object.keys(json.object(schema['properties'])).length > 0) {
    errors.push(`${path}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`);
  }
  return errors;
};

const typeErrors = (schema: Json, path: string): readonly string[] => {
  const { type } = schema;
  const free = schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (type === undefined) {
    return free ? [] : [`${path}.type: Required value: must not be empty for specified object fields`];
  }
  if (!types.has(String(type))) {
    return [
      `${path}.type: Unsupported value: ${JSON.stringify(type)}: supported values: ${[...types].map((one) => `"${one}"`).join(', ')}`,
    ];
  }
  return type === 'array' && !json.isObject(schema['items'])
    ? [`${path}.items: Required value: must be specified`]
    : [];
};

const listErrors = (schema: Json, path: string): readonly string[] => {
  if (schema['x-kubernetes-list-type'] !== 'map') return [];
  const items = json.object(schema['items']);
  const keys = json.array(schema['x-kubernetes-list-map-keys']).map(String);
  if (keys.length === 0)
    return [`${path}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`];
  return keys.flatMap((key) => {
    const known = json.object(items['properties'])[key];
    const place = `${path}.items.properties[${key}]`;
    if (known === undefined)
      return [
        `${path}.x-kubernetes-list-map-keys: Invalid value: ${JSON.stringify(key)}: must be a property of the items`,
      ];
    return json.array(items['required']).includes(key) || json.object(known)['default'] !== undefined
      ? []
      : [
          `${place}.default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
        ];
  });
};

const defaultErrors = (schema: Json, path: string): readonly string[] =>
  schema['default'] === undefined
    ? []
    : schemaErrors({ value: schema['default'] }, { properties: { value: { ...schema, required: [] } } }, undefined).map(
        (error) => `${path}.default: Invalid value: ${error}`,
      );

/** What a real server would refuse in this schema, with paths. */
export const structuralErrors = (schema: Json, path: string): readonly string[] => {
  const errors = [
    ...keywordErrors(schema, path),
    ...typeErrors(schema, path),
    ...listErrors(schema, path),
    ...defaultErrors(schema, path),
  ];
  for (const [name, property] of Object.entries(json.object(schema['properties']))) {
    errors.push(...structuralErrors(json.object(property), `${path}.properties[${name}]`));
  }
  for (const keyword of ['items', 'additionalProperties']) {
    const inner = schema[keyword];
    if (json.isObject(inner)) errors.push(...structuralErrors(inner, `${path}.${keyword}`));
  }
  return errors;
};
