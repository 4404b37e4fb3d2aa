// Deleting: at once when nothing holds the object, else it is marked and stays until its finalizers are off and, for
// graceful kinds, until somebody (the kubelet) deletes it again with no grace.
import type { KubeObject } from '../../kube/api.ts';
import type { ApiServer } from '../cluster.ts';
import type { Inside } from './apiServer.ts';
import { coreRules } from './coreRules.ts';
import { failures } from './failures.ts';
import { identifiers } from './identifiers.ts';
import { json } from './json.ts';
import type { KindStore } from './kindStore.ts';
import { metadata } from './metadata.ts';
import { objects } from './objects.ts';

const graceOf = (store: KindStore, current: KubeObject, asked: number | undefined): number => {
  const own = store.kind.graceful === true ? (coreRules(store.kind.resource).graceSeconds?.(current) ?? 30) : 0;
  const wanted = own === 0 ? 0 : (asked ?? own);
  // A second deletion may shorten the wait but not make it longer.
  return Math.max(0, Math.min(wanted, current.metadata.deletionGracePeriodSeconds ?? wanted));
};

const marked = (
  current: KubeObject,
  graceSeconds: number,
  nowMs: number,
  rules: ReturnType<typeof coreRules>,
): KubeObject => {
  const { generation } = current.metadata;
  return json.freeze(
    objects.assembled(rules.ending?.({ ...current }) ?? { ...current }, {
      ...current.metadata,
      deletionTimestamp: identifiers.timestamp(nowMs + graceSeconds * 1000),
      deletionGracePeriodSeconds: graceSeconds,
      ...(generation === undefined ? {} : { generation: generation + 1 }),
    }),
  );
};

/** The `remove` of an ApiServer. */
export const removeObject =
  (inside: Inside): ApiServer['remove'] =>
  (resource, ref, actor, options = {}) => {
    const store = inside.store(resource);
    const current = objects.existing(store, ref);
    const { uid, deletionTimestamp, deletionGracePeriodSeconds } = current.metadata;
    if (options.uid !== undefined && options.uid !== uid) {
      const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
      throw failures.conflict(resource, ref.name, why);
    }
    for (const admit of store.admissions) {
      admit({ operation: 'delete', object: current, previous: current, actor, subresource: undefined });
    }
    const graceSeconds = graceOf(store, current, options.gracePeriodSeconds);
    if (graceSeconds === 0 && !metadata.isHeld(current)) {
      inside.commit(store, { type: 'deleted', object: current, previous: current, actor });
    } else if (deletionTimestamp === undefined || deletionGracePeriodSeconds !== graceSeconds) {
      const object = marked(current, graceSeconds, inside.now(), coreRules(resource));
      inside.commit(store, { type: 'modified', object, previous: current, actor });
    }
  };
