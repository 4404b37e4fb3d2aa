// Reads a CustomResourceDefinition into the kind it defines, and refuses one that a real server would not take.
import type { KubeObject } from '../../kube/api.ts';
import type { Json, KindOptions, PrinterColumn } from '../cluster.ts';
import { customResourceDefinitions } from './coreKinds.ts';
import { failures } from './failures.ts';
import { json } from './json.ts';
import { structuralErrors } from './structuralErrors.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const columnOf = (value: unknown): PrinterColumn => {
  const column = json.object(value);
  const { name, type, jsonPath, priority } = column;
  return {
    name: text(name),
    type: text(type) as PrinterColumn['type'],
    jsonPath: text(jsonPath),
    priority: typeof priority === 'number' ? priority : 0,
  };
};

const columnTypes = ['string', 'integer', 'date', 'boolean', 'number'];

const columnErrors = (column: PrinterColumn, path: string): readonly string[] => [
  ...(column.name === '' ? [`${path}.name: Required value`] : []),
  ...(column.jsonPath.startsWith('.')
    ? []
    : [
        `${path}.jsonPath: Invalid value: ${JSON.stringify(column.jsonPath)}: must be a simple json path starting with "."`,
      ]),
  ...(columnTypes.includes(column.type)
    ? []
    : [`${path}.type: Invalid value: ${JSON.stringify(column.type)}: must be one of ${columnTypes.join(',')}`]),
];

const errorsOf = (definition: KubeObject, spec: Json, names: Json): readonly string[] => {
  const versions = json.array(spec['versions']).map(json.object);
  const wanted = `${text(names['plural'])}.${text(spec['group'])}`;
  const errors: string[] = [];
  if (definition.metadata.name !== wanted) {
    errors.push(
      `metadata.name: Invalid value: ${JSON.stringify(definition.metadata.name)}: must be spec.names.plural+"."+spec.group`,
    );
  }
  for (const name of ['plural', 'kind']) {
    if (text(names[name]) === '') errors.push(`spec.names.${name}: Required value`);
  }
  if (spec['scope'] !== 'Namespaced' && spec['scope'] !== 'Cluster') {
    errors.push(
      `spec.scope: Unsupported value: ${JSON.stringify(spec['scope'])}: supported values: "Cluster", "Namespaced"`,
    );
  }
  if (versions.filter((version) => version['storage'] === true).length !== 1) {
    errors.push('spec.versions: Invalid value: must have exactly one version marked as storage version');
  }
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const schema = json.object(version['schema'])['openAPIV3Schema'];
    if (json.isObject(schema)) errors.push(...structuralErrors(schema, `${path}.schema.openAPIV3Schema`));
    else errors.push(`${path}.schema.openAPIV3Schema: Required value: schemas are required`);
    for (const [at, column] of json.array(version['additionalPrinterColumns']).entries()) {
      errors.push(...columnErrors(columnOf(column), `${path}.additionalPrinterColumns[${at}]`));
    }
  }
  return errors;
};

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** The kind that a definition defines; throws 422 naming the fields when it cannot be served. */
export const customResourceKind = (definition: KubeObject): KindOptions => {
  const spec = json.object(definition['spec']);
  const names = json.object(spec['names']);
  const errors = errorsOf(definition, spec, names);
  if (errors.length > 0) throw failures.invalid(customResourceDefinitions, definition.metadata.name, errors);
  const version = json
    .array(spec['versions'])
    .map(json.object)
    .find((one) => one['storage'] === true);
  const columns = json.array(version?.['additionalPrinterColumns']).map(columnOf);
  const shortNames = json.array(names['shortNames']).map(text);
  return {
    resource: {
      group: text(spec['group']),
      version: text(version?.['name']),
      plural: text(names['plural']),
      kind: text(names['kind']),
      namespaced: spec['scope'] === 'Namespaced',
    },
    singular: text(names['singular']) || text(names['kind']).toLowerCase(),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    status: json.isObject(json.object(version?.['subresources'])['status']),
    generation: true,
    columns: columns.length > 0 ? columns : [age],
    schema: json.object(json.object(version?.['schema'])['openAPIV3Schema']),
  };
};
