// Changing an object that is there: whatever made the new one (a replacement, any patch), it passes here. A write that
// changes nothing gets no new version; one that takes the last finalizer off a deleted object removes it.
import type { KubeObject } from '../../kube/api.ts';
import type { Json } from '../cluster.ts';
import { admitted } from './admitted.ts';
import type { Inside } from './apiServer.ts';
import { failures } from './failures.ts';
import { json } from './json.ts';
import type { KindStore } from './kindStore.ts';
import { metadata } from './metadata.ts';
import { objects } from './objects.ts';

/** What is to become of `current`; with `status` only its status is taken over. */
export interface Update {
  readonly store: KindStore;
  readonly current: KubeObject;
  readonly made: unknown;
  readonly actor: string;
  readonly subresource: 'status' | undefined;
}

const apart = new Set(['metadata', 'status']);

const hasNewGeneration = (next: KubeObject, previous: KubeObject): boolean =>
  [...new Set([...Object.keys(next), ...Object.keys(previous)])].some(
    (field) => !apart.has(field) && !json.equal(next[field], previous[field]),
  );

const statusOf = (value: unknown): Json => (value === undefined ? {} : { status: value });

/** The new object with that half, spec or status, that this write may change. */
const taken = ({ store, current, subresource }: Update, given: Json): KubeObject => {
  const meta = metadata.updated(store.kind.resource, current.metadata, metadata.readable(given));
  const { status, ...rest } = given;
  const { status: currentStatus, ...currentRest } = current;
  if (subresource === 'status') return objects.assembled({ ...currentRest, ...statusOf(status) }, current.metadata);
  return objects.assembled({ ...rest, ...statusOf(store.kind.status === true ? currentStatus : status) }, meta);
};

/** Makes the update and gives the object as it is then. */
export const updateObject = (inside: Inside) => {
  return (update: Update): KubeObject => {
    const { store, current, made, actor, subresource } = update;
    if (subresource === 'status' && store.kind.status !== true) throw failures.noSuchKind();
    const write = { store, operation: 'update', actor, previous: current, subresource } as const;
    const next = admitted(write, taken(update, objects.typed(store, made)));
    if (json.equal(next, current)) return current;
    const { deletionTimestamp, deletionGracePeriodSeconds, generation } = next.metadata;
    if (deletionTimestamp !== undefined && !deletionGracePeriodSeconds && !metadata.isHeld(next)) {
      return inside.commit(store, { type: 'deleted', object: current, previous: current, actor });
    }
    const isNew = store.kind.generation === true && hasNewGeneration(next, current);
    const object = isNew ? objects.withMetadata(next, { generation: (generation ?? 0) + 1 }) : next;
    return inside.commit(store, { type: 'modified', object, previous: current, actor });
  };
};
