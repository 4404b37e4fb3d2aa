// The simulated API server, custom resources: definitions that it takes or refuses, and what their schemas do.
import { describe, expect, test } from 'vitest';
import type { Resource } from '../../src/kube/api.ts';
import { apiServer } from '../../src/sim/apiServer/apiServer.ts';
import { customResourceDefinitions } from '../../src/sim/apiServer/coreKinds.ts';
import type { ApiServer, Json } from '../../src/sim/cluster.ts';
import { at, box, boxDefinition, boxes, inVirtualTime, refusal, timeline } from './apiServerFixtures.ts';

const served = (spec: Json): ApiServer => {
  const server = apiServer();
  server.create(customResourceDefinitions, boxDefinition(spec), 'user');
  return server;
};

const object = (properties: Json, more: Json = {}): Json => ({ type: 'object', properties, ...more });

const size = { type: 'integer', minimum: 1, maximum: 9 };
const everything = object(
  {
    size,
    colour: { type: 'string', enum: ['red', 'blue'], default: 'red' },
    label: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
    when: { type: 'string', format: 'date-time' },
    port: { 'x-kubernetes-int-or-string': true },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    counts: { type: 'object', additionalProperties: { type: 'integer' } },
    note: { type: 'string', nullable: true },
    inner: object({ deep: { type: 'boolean', default: true } }, { default: {} }),
    items: {
      type: 'array',
      minItems: 1,
      items: object({ name: { type: 'string' }, n: { type: 'integer' } }, { required: ['name'] }),
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    either: { type: 'object', properties: { a: size, b: size }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
  },
  { required: ['size'] },
);

describe('an object of a custom kind', () => {
  const specOf = (spec: Json): unknown => served(everything).create(boxes, box('a', spec), 'user')['spec'];

  test('is filled with defaults, also inside of defaults', () => {
    expect(specOf({ size: 1 })).toEqual({ size: 1, colour: 'red', inner: { deep: true } });
  });

  test('takes the default where null is given and not allowed', () => {
    expect(specOf({ size: 1, colour: null, note: null })).toMatchObject({ colour: 'red', note: null });
  });

  test('loses fields that the schema does not know, but not where they are preserved', () => {
    expect(specOf({ size: 1, unknown: 1, free: { x: { y: 1 } }, items: [{ name: 'a', z: 1 }] })).toEqual({
      size: 1,
      colour: 'red',
      inner: { deep: true },
      free: { x: { y: 1 } },
      items: [{ name: 'a' }],
    });
  });

  test('loses what stands beside spec and status', () => {
    const made = served(everything).create(boxes, { ...box('a', { size: 1 }), extra: 1 }, 'user');
    expect(Object.keys(made).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
  });

  test('takes what is allowed', () => {
    const spec = {
      size: 9,
      colour: 'blue',
      label: 'abc',
      when: '2026-01-01T00:00:00Z',
      port: '80',
      counts: { x: 1 },
      items: [{ name: 'a' }, { name: 'b' }],
      tags: ['x', 'y'],
      either: { a: 1 },
      inner: { deep: false },
    };
    expect(specOf(spec)).toEqual(spec);
  });

  test.each<readonly [string, Json, string]>([
    ['a missing field', {}, 'spec.size: Required value'],
    [
      'the wrong type',
      { size: 'x' },
      'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
    ],
    ['a fraction for an integer', { size: 1.5 }, 'spec.size in body must be of type integer: "number"'],
    ['null where it is not allowed', { size: null }, 'spec.size in body must be of type integer: "null"'],
    [
      'a number too small',
      { size: 0 },
      'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    ],
    ['a number too large', { size: 10 }, 'spec.size in body should be less than or equal to 9'],
    [
      'a value not in the list',
      { size: 1, colour: 'green' },
      'spec.colour: Unsupported value: "green": supported values: "red", "blue"',
    ],
    ['a pattern not matched', { size: 1, label: 'ABC' }, "spec.label in body should match '^[a-z]+$'"],
    ['a text too long', { size: 1, label: 'abcdef' }, 'spec.label: Too long: may not be more than 5 bytes'],
    ['a date that is none', { size: 1, when: 'today' }, 'spec.when: Invalid value: "today"'],
    ['neither integer nor string', { size: 1, port: true }, 'spec.port: Invalid value'],
    ['a wrong value in a map', { size: 1, counts: { x: 'y' } }, 'spec.counts.x: Invalid value: "string"'],
    [
      'an empty list',
      { size: 1, items: [] },
      'spec.items: Invalid value: 0: spec.items in body should have at least 1 item',
    ],
    ['an item without its key', { size: 1, items: [{ n: 1 }] }, 'spec.items[0].name: Required value'],
    [
      'the same key twice',
      {
        size: 1,
        items: [
          { name: 'a', n: 1 },
          { name: 'a', n: 2 },
        ],
      },
      'spec.items[1]: Duplicate value: {"name":"a"}',
    ],
    ['the same value twice in a set', { size: 1, tags: ['x', 'x'] }, 'spec.tags[1]: Duplicate value: "x"'],
    [
      'both of two that exclude each other',
      { size: 1, either: { a: 1, b: 1 } },
      'must validate one and only one schema (oneOf)',
    ],
  ])('is refused with %s, naming the field', (_what, spec, words) => {
    const failure = refusal(() => served(everything).create(boxes, box('a', spec), 'user'));
    expect(failure).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(failure.message).toContain('Box.example.dev "a" is invalid: ');
    expect(failure.message).toContain(words);
  });

  test('is checked when it is patched, too', () => {
    const server = served(everything);
    server.create(boxes, box('a', { size: 1 }), 'user');
    const patch = { type: 'merge', body: { spec: { size: 99 } } } as const;
    expect(refusal(() => server.patch(boxes, at('a'), patch, 'user'))).toMatchObject({ code: 422 });
  });

  test('is merged by the keys of its lists when applied', () => {
    const server = served(everything);
    const put = (manager: string, items: readonly Json[]) => {
      const body = box('a', { size: 1, items });
      return server.patch(boxes, at('a'), { type: 'apply', body, fieldManager: manager, force: false }, 'user');
    };
    put('one', [{ name: 'a', n: 1 }]);
    expect(put('two', [{ name: 'b', n: 2 }])['spec']).toMatchObject({
      items: [
        { name: 'a', n: 1 },
        { name: 'b', n: 2 },
      ],
    });
    expect(put('two', [{ name: 'c', n: 3 }])['spec']).toMatchObject({
      items: [
        { name: 'a', n: 1 },
        { name: 'c', n: 3 },
      ],
    });
  });
});

describe('a definition', () => {
  test('is established at once and serves its kind', () => {
    const server = served(object({ size }));
    const conditions = { conditions: [{ type: 'NamesAccepted' }, { type: 'Established', status: 'True' }] };
    expect(server.read(customResourceDefinitions, { name: 'boxes.example.dev' })?.['status']).toMatchObject(conditions);
    expect(server.kinds().find(({ resource }) => resource.plural === 'boxes')).toMatchObject({
      singular: 'box',
      shortNames: ['bx'],
      status: true,
    });
  });

  test('that is changed changes what is accepted', () => {
    const server = served(object({ size }));
    server.replace(customResourceDefinitions, boxDefinition(object({ size: { type: 'string' } })), 'user');
    expect(server.create(boxes, box('a', { size: 'large' }), 'user')['spec']).toEqual({ size: 'large' });
  });

  test('that is deleted takes its objects with it, and stays as long as a finalizer holds one of them', () =>
    inVirtualTime((scheduler) => {
      const server = served(object({ size }));
      const isThere = () => server.read(customResourceDefinitions, { name: 'boxes.example.dev' }) !== undefined;
      server.create(boxes, box('a', { size: 1 }, { finalizers: ['example.dev/x'] }), 'user');
      server.create(boxes, box('b', { size: 1 }), 'user');
      const seen: string[] = [];
      const watch = { resourceVersion: String(server.list(boxes, {}).resourceVersion), timeoutSeconds: 60 };
      server.watch(boxes, watch).subscribe({
        next: (event) => seen.push(`${event.type} ${'object' in event ? event.object.metadata.name : ''}`),
        complete: () => seen.push('end'),
      });
      server.remove(customResourceDefinitions, { name: 'boxes.example.dev' }, 'user');
      timeline(scheduler, {
        100: () => {
          expect(seen).toEqual(['modified a', 'deleted b']);
          expect(isThere()).toBe(true);
          server.patch(boxes, at('a'), { type: 'merge', body: { metadata: { finalizers: null } } }, 'user');
        },
        200: () => {
          expect(seen.slice(2)).toEqual(['deleted a', 'end']);
          expect(isThere()).toBe(false);
          expect(refusal(() => server.all(boxes))).toMatchObject({ code: 404 });
        },
      });
    }));

  test('serves its storage version only', () => {
    const other: Resource = { ...boxes, version: 'v2' };
    expect(refusal(() => served(object({ size })).all(other))).toMatchObject({ code: 404 });
  });

  test.each<readonly [string, Json, string]>([
    ['a field without type', object({ a: {} }), 'properties[a].type: Required value'],
    [
      'a keyword that does not exist',
      object({ a: { type: 'string', const: 'x' } }),
      '.const: Invalid value: unknown field',
    ],
    [
      'additionalProperties: false',
      object({}, { additionalProperties: false }),
      'additionalProperties cannot be set to false',
    ],
    [
      'a bound that is a number where a flag belongs',
      object({ a: { type: 'integer', exclusiveMinimum: 0 } }),
      'must be a boolean',
    ],
    ['a list without items', object({ a: { type: 'array' } }), 'properties[a].items: Required value'],
    [
      'a list key that may be absent',
      object({
        a: {
          type: 'array',
          items: object({ name: { type: 'string' } }),
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        },
      }),
      'so it must have a default or be a required property',
    ],
    [
      'a default that its own schema refuses',
      object({ a: { type: 'integer', default: 'x' } }),
      'properties[a].default: Invalid value',
    ],
  ])('is refused with %s', (_what, schema, words) => {
    const failure = refusal(() => served(schema));
    expect(failure).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(failure.message).toContain('CustomResourceDefinition.apiextensions.k8s.io "boxes.example.dev" is invalid');
    expect(failure.message).toContain(words);
  });

  test('is refused under another name than that of its resource', () => {
    const wrong = { ...boxDefinition(object({ size })), metadata: { name: 'box.example.dev' } };
    const failure = refusal(() => apiServer().create(customResourceDefinitions, wrong, 'user'));
    expect(failure.message).toContain('must be spec.names.plural+"."+spec.group');
  });

  test('is refused with a column that cannot be read', () => {
    const columns = { additionalPrinterColumns: [{ name: 'Size', type: 'text', jsonPath: 'spec.size' }] };
    const failure = refusal(() =>
      apiServer().create(customResourceDefinitions, boxDefinition(object({ size }), columns), 'user'),
    );
    expect(failure.message).toContain('additionalPrinterColumns[0].jsonPath: Invalid value: "spec.size"');
    expect(failure.message).toContain('additionalPrinterColumns[0].type: Invalid value: "text"');
  });
});
