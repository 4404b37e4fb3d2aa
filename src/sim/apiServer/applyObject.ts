// Server-side apply as a write: creates what is not there, merges into what is, and remembers who applied what.
import type { KubeObject, ObjectRef, Patch } from '../../kube/api.ts';
import type { ApiServer, Json } from '../cluster.ts';
import type { Inside } from './apiServer.ts';
import { failures } from './failures.ts';
import type { KindStore } from './kindStore.ts';
import { metadata } from './metadata.ts';
import { objects } from './objects.ts';
import { type Applied, serverSideApply } from './serverSideApply.ts';
import type { updateObject } from './updateObject.ts';

/** An apply patch and what it is about. */
export interface Apply {
  readonly store: KindStore;
  readonly ref: ObjectRef;
  readonly patch: Extract<Patch, { type: 'apply' }>;
  readonly actor: string;
  readonly subresource: 'status' | undefined;
}

const bodyOf = ({ store, ref, patch }: Apply): Json => {
  if (patch.fieldManager === '') throw failures.badRequest('fieldManager is required for apply patch');
  const body = objects.typed(store, patch.body);
  const { name } = metadata.readable(body);
  if (name === undefined || name === ref.name) return body;
  throw failures.badRequest(`the name of the object (${name}) does not match the name on the URL (${ref.name})`);
};

const refuseConflicts = ({ conflicts }: Applied): void => {
  const count = `${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}`;
  const listed = conflicts.map(({ manager, field }) => `conflict with "${manager}": ${field}`).join('\n');
  throw failures.status(409, 'Conflict', `Apply failed with ${count}: ${listed}`);
};

const createApplied = (
  create: ApiServer['create'],
  { store, ref, actor, subresource }: Apply,
  body: Json,
): KubeObject => {
  const { resource } = store.kind;
  const meta = metadata.readable(body);
  if (subresource !== undefined) throw failures.notFound(resource, ref.name);
  if (meta['uid'] || meta['resourceVersion']) {
    const why = 'uid or resourceVersion was given, and no existing object was found';
    throw failures.conflict(resource, ref.name, why);
  }
  return create(resource, objects.assembled(body, { ...meta, ...ref }), actor);
};

/** Carries out apply patches. */
export const applyObject = (
  { ownerships }: Inside,
  create: ApiServer['create'],
  update: ReturnType<typeof updateObject>,
) => {
  return (apply: Apply): KubeObject => {
    const { store, ref, patch, actor, subresource } = apply;
    const body = bodyOf(apply);
    const current = store.read(ref);
    const before = ownerships.get(current?.metadata.uid ?? '') ?? new Map();
    const manager = subresource === undefined ? patch.fieldManager : `${patch.fieldManager} (${subresource})`;
    const made = serverSideApply(current ?? {}, body, manager, before, store.kind.schema);
    if (made.conflicts.length > 0 && !patch.force) refuseConflicts(made);
    const accepted =
      current === undefined
        ? createApplied(create, apply, body)
        : update({ store, current, made: made.object, actor, subresource });
    if (store.read(ref) !== undefined) ownerships.set(accepted.metadata.uid ?? '', made.ownership);
    return accepted;
  };
};
