// The CustomResourceDefinition of StorageMigration, made from the one schema in core/storageMigration.ts, so that
// what the API server checks, what the daemon checks and what the compiler checks cannot differ.
// deploy/crd.yaml is printed from it (crdManifest.ts), and the simulated API server serves the kind by it.
import { z } from 'zod';
import { storageMigrationSchema } from '../core/storageMigration.ts';
import { resources } from './resources.ts';
import { type StructuralSchema, structuralSchema } from './structuralSchema.ts';

/** A column of `kubectl get`; those with a priority above 0 are shown with `-o wide` only. */
export interface PrinterColumnDefinition {
  readonly name: string;
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: number;
}

export interface CustomResourceDefinitionVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly additionalPrinterColumns: readonly PrinterColumnDefinition[];
  readonly subresources: { readonly status: Readonly<Record<string, never>> };
  readonly schema: { readonly openAPIV3Schema: StructuralSchema };
}

export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced';
    readonly names: {
      readonly kind: string;
      readonly listKind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly versions: readonly [CustomResourceDefinitionVersion];
  };
}

const conditionPath = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

const columns: readonly PrinterColumnDefinition[] = [
  {
    name: 'Ready',
    type: 'string',
    jsonPath: conditionPath('Ready', 'status'),
    description: 'Whether the object was accepted and is worked on.',
  },
  { name: 'Done', type: 'string', jsonPath: '.status.summary', description: 'Machines that are done, of all.' },
  { name: 'Mode', type: 'string', jsonPath: '.status.mode', description: 'Modes of the machines that are not done.' },
  { name: 'Progress', type: 'string', jsonPath: '.status.progress', description: 'Disks that are moved, of all.' },
  {
    name: 'Attention',
    type: 'string',
    jsonPath: conditionPath('NeedsAttention', 'message'),
    description: 'What a person has to look at.',
    priority: 1,
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since it was created.' },
];

/** apiVersion, kind and metadata belong to Kubernetes: their contents are checked by the API server itself. */
function withTypeMeta(schema: StructuralSchema): StructuralSchema {
  const { description: _, type, required, properties, ...rest } = schema;
  const { spec, status } = properties ?? {};
  if (spec === undefined || status === undefined) {
    throw new Error('the schema of StorageMigration needs spec and status');
  }
  return {
    description: 'Moves disks of virtual machines to other claims: live while a machine runs, offline while it is off.',
    type,
    required,
    ...rest,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { description: 'What is to be moved where. Written by people.', ...spec },
      status: { description: 'How far it is. Written by the daemon alone.', ...status },
    },
  };
}

/** The definition as an API server accepts it. The same value at every call. */
export function storageMigrationCrd(): CustomResourceDefinition {
  const { group, version, plural, kind } = resources.storageMigrations;
  // `input`: a field with a default may be left out by who writes the object.
  const schema = z.toJSONSchema(storageMigrationSchema, { target: 'openapi-3.0', io: 'input' });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { 'app.kubernetes.io/name': 'transship' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: ['smig'],
        categories: ['transship'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          subresources: { status: {} },
          schema: { openAPIV3Schema: withTypeMeta(structuralSchema(schema)) },
        },
      ],
    },
  };
}
