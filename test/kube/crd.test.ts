// The CRD: that an API server would accept it, and that it says what the schema in core says.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { storageMigrationSchema } from '../../src/core/storageMigration.ts';
import { storageMigrationCrd } from '../../src/kube/crd.ts';
import { crdManifest } from '../../src/kube/crdManifest.ts';
import { type StructuralSchema, structuralSchema } from '../../src/kube/structuralSchema.ts';

const crd = storageMigrationCrd();
const [version] = crd.spec.versions;
const schema = version.schema.openAPIV3Schema;

interface Node {
  readonly path: string;
  readonly schema: StructuralSchema;
}

const isSchema = (value: unknown): value is StructuralSchema =>
  typeof value === 'object' && value !== null && 'type' in value;

/** Every node of a structural schema with its path. */
function nodesOf(root: StructuralSchema, path = '$'): readonly Node[] {
  const below = [
    ...Object.entries(root.properties ?? {}).map(([name, child]) => ({ path: `${path}.${name}`, child })),
    ...(root.items === undefined ? [] : [{ path: `${path}[]`, child: root.items }]),
    ...(isSchema(root['additionalProperties']) ? [{ path: `${path}.*`, child: root['additionalProperties'] }] : []),
  ];
  return [{ path, schema: root }, ...below.flatMap(({ path: at, child }) => nodesOf(child, at))];
}

const nodes = nodesOf(schema);
const nodeAt = (path: string): StructuralSchema => {
  const found = nodes.find((node) => node.path === path);
  if (found === undefined) {
    throw new Error(`the schema has no ${path}`);
  }
  return found.schema;
};

const names = (value: unknown): readonly string[] => z.array(z.string()).parse(value ?? []);

describe('the definition', () => {
  test('names the kind as kubectl shall find it', () => {
    expect(crd.metadata.name).toBe('storagemigrations.transship.dev');
    expect(crd.spec).toMatchObject({
      group: 'transship.dev',
      scope: 'Namespaced',
      names: {
        kind: 'StorageMigration',
        listKind: 'StorageMigrationList',
        plural: 'storagemigrations',
        singular: 'storagemigration',
        shortNames: ['smig'],
      },
    });
    expect(version).toMatchObject({ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } });
  });

  test('shows Ready, Done, Mode, Progress and Age, and on request what needs attention', () => {
    const shown = version.additionalPrinterColumns.filter((column) => (column.priority ?? 0) === 0);
    expect(shown.map((column) => column.name)).toEqual(['Ready', 'Done', 'Mode', 'Progress', 'Age']);
    expect(version.additionalPrinterColumns.map((column) => column.name)).toContain('Attention');
  });

  test('every column reads a field that exists', () => {
    for (const { jsonPath } of version.additionalPrinterColumns) {
      const path = jsonPath.replace(/\[\?\(@\.type=="\w+"\)\]/, '[]');
      if (!path.startsWith('.metadata.')) {
        nodeAt(`$${path}`);
      }
    }
  });

  test('the file in deploy/ is up to date (else run "npm run crd")', () => {
    const file = readFileSync(new URL('../../deploy/crd.yaml', import.meta.url), 'utf8');
    expect(file).toBe(crdManifest());
    expect(parse(file)).toEqual(crd);
  });
});

describe('the schema is structural', () => {
  test('every node has a type, and only keywords that an API server knows', () => {
    const known = new Set([
      ...['type', 'description', 'format', 'default', 'enum', 'pattern', 'required', 'properties', 'items'],
      ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minimum', 'maximum', 'additionalProperties'],
      ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-preserve-unknown-fields'],
    ]);
    expect(nodes.length).toBeGreaterThan(80);
    for (const { path, schema: node } of nodes) {
      expect(['object', 'array', 'string', 'integer', 'number', 'boolean'], path).toContain(node.type);
      expect(
        Object.keys(node).filter((keyword) => !known.has(keyword)),
        path,
      ).toEqual([]);
    }
  });

  test('metadata is left to the API server', () => {
    expect(nodeAt('$.metadata')).toEqual({ type: 'object' });
  });

  test('an object with named fields is not open for others as well', () => {
    for (const { path, schema: node } of nodes) {
      expect(node.properties !== undefined && node['additionalProperties'] !== undefined, path).toBe(false);
    }
  });

  test('the keys of a map list are required strings of its items', () => {
    const maps = nodes.filter((node) => node.schema['x-kubernetes-list-type'] === 'map');
    expect(maps.map((node) => node.path)).toEqual(
      expect.arrayContaining([
        '$.spec.virtualMachines',
        '$.spec.virtualMachines[].volumes',
        '$.status.conditions',
        '$.status.virtualMachines',
        '$.status.virtualMachines[].volumes',
      ]),
    );
    for (const { path, schema: node } of maps) {
      const keys = names(node['x-kubernetes-list-map-keys']);
      expect(keys.length, path).toBeGreaterThan(0);
      for (const key of keys) {
        expect(names(node.items?.['required']), path).toContain(key);
        expect(node.items?.properties?.[key]?.type, path).toBe('string');
      }
    }
  });

  test('what was found in a machine is kept to the letter', () => {
    const disk = '$.status.virtualMachines[].record.disks[]';
    for (const field of ['entry', 'template']) {
      expect(nodeAt(`${disk}.${field}`)).toMatchObject({
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
      });
    }
  });

  test('integers are 64 bits wide and carry no bounds of a double', () => {
    const integers = nodes.filter((node) => node.schema.type === 'integer');
    expect(integers.length).toBeGreaterThan(2);
    for (const { path, schema: node } of integers) {
      expect(node['format'], path).toBe('int64');
      expect(node['minimum'], path).not.toBe(Number.MIN_SAFE_INTEGER);
      expect(node['maximum'], path).not.toBe(Number.MAX_SAFE_INTEGER);
    }
  });

  test('every required field exists, and none with a default is required', () => {
    for (const { path, schema: node } of nodes) {
      for (const name of names(node['required'])) {
        expect(node.properties?.[name], `${path}.${name}`).toBeDefined();
        expect(node.properties?.[name]?.['default'], `${path}.${name}`).toBeUndefined();
      }
    }
  });

  test('every field that people write is described', () => {
    const undescribed = nodes.filter(
      ({ path, schema: node }) =>
        path.startsWith('$.spec') &&
        ['string', 'boolean'].includes(node.type) &&
        !path.endsWith('[]') &&
        !node.description,
    );
    expect(undescribed.map((node) => node.path)).toEqual([]);
  });
});

describe('defaults', () => {
  test('are those of the schema in core', () => {
    const spec = {
      virtualMachines: [{ name: 'web-1', volumes: [{ name: 'rootdisk', target: { claimName: 'web-1-fast' } }] }],
    };
    const filled = storageMigrationSchema.parse({ spec }).spec;
    expect(nodeAt('$.spec.paused')['default']).toBe(filled.paused);
    expect(nodeAt('$.spec.retention')['default']).toBe(filled.retention);
    expect(nodeAt('$.spec.transfer')['default']).toEqual(filled.transfer);
    expect(nodeAt('$.spec.transfer.server')['default']).toBe(filled.transfer.server);
    expect(nodeAt('$.spec.transfer.verify')['default']).toBe(filled.transfer.verify);
  });
});

describe('structuralSchema', () => {
  const from = (type: z.ZodType) => structuralSchema(z.toJSONSchema(type, { target: 'openapi-3.0', io: 'input' }));

  test('a record of strings stays an open object', () => {
    expect(from(z.record(z.string(), z.string()))).toEqual({
      type: 'object',
      additionalProperties: { type: 'string' },
    });
  });

  test('a strict object is closed by pruning, not by keyword', () => {
    expect(from(z.strictObject({ a: z.boolean() }))).toEqual({
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'boolean' } },
    });
  });

  test('bounds that somebody chose are kept', () => {
    expect(from(z.number().int().min(1).max(9))).toEqual({ type: 'integer', format: 'int64', minimum: 1, maximum: 9 });
  });

  test.each([
    ['a union', z.object({ a: z.union([z.string(), z.number()]) }), '$.a: anyOf cannot be said in a structural schema'],
    ['anything', z.object({ a: z.array(z.unknown()) }), '$.a[]: a structural schema needs one type, found undefined'],
  ])('%s is refused with its place', (_, type, message) => {
    expect(() => from(type)).toThrow(message);
  });
});
