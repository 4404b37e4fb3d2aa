// What every write passes before it is stored: the shape of its kind, the webhooks, and validation.
import type { KubeMetadata, KubeObject } from '../../kube/api.ts';
import { coreRules } from './coreRules.ts';
import { failures } from './failures.ts';
import { json } from './json.ts';
import type { KindStore } from './kindStore.ts';
import { metadataErrors } from './metadataErrors.ts';
import { objects } from './objects.ts';
import { schemaErrors } from './schemaErrors.ts';
import { shapeToSchema } from './shapeToSchema.ts';

/** A write on its way in; `previous` is absent for `create`. */
export interface Write {
  readonly store: KindStore;
  readonly operation: 'create' | 'update';
  readonly actor: string;
  readonly previous: KubeObject | undefined;
  readonly subresource: 'status' | undefined;
}

const shaped = (store: KindStore, object: KubeObject, previous: KubeObject | undefined): KubeObject => {
  const { schema } = store.kind;
  if (schema === undefined) return object;
  return objects.assembled(shapeToSchema({ ...object }, schema, previous), object.metadata);
};

/** Metadata is checked again only where it was changed. */
const changedMetadata = (next: KubeMetadata, previous: KubeMetadata | undefined): KubeMetadata => {
  if (previous === undefined) return next;
  const { labels, annotations, finalizers, ownerReferences } = next;
  return {
    name: next.name,
    ...(labels === undefined || labels === previous.labels ? {} : { labels }),
    ...(annotations === undefined || annotations === previous.annotations ? {} : { annotations }),
    ...(finalizers === undefined || finalizers === previous.finalizers ? {} : { finalizers }),
    ...(ownerReferences === undefined || ownerReferences === previous.ownerReferences ? {} : { ownerReferences }),
  };
};

/** The object as it may be stored, frozen; throws the KubeFailure of whoever refuses it. */
export const admitted = (write: Write, object: KubeObject): KubeObject => {
  const { store, previous } = write;
  const { resource, schema } = store.kind;
  let next = shaped(store, object, previous);
  for (const admit of store.admissions) {
    const { operation, actor, subresource } = write;
    const made = admit({ operation, object: json.freeze(next), previous, actor, subresource });
    if (made !== undefined) {
      next = shaped(store, objects.assembled(json.object(json.copy(made)), made.metadata), previous);
    }
  }
  const errors = [
    ...metadataErrors(resource, changedMetadata(next.metadata, previous?.metadata)),
    ...(coreRules(resource).errors?.(next, previous) ?? []),
    ...(schema === undefined ? [] : schemaErrors(next, schema, previous)),
  ];
  if (errors.length > 0) throw failures.invalid(resource, next.metadata.name, errors);
  return json.freeze(next);
};
