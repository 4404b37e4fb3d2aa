// Garbage collection in the background: when an object is gone, those that name it as their owner go too, unless
// another owner lives. An owner is its uid: an object of the same name that came later owns nothing. Foreground
// deletion is done as background deletion.
import { asyncScheduler } from 'rxjs';
import type { KubeObject, ObjectRef, Resource } from '../../kube/api.ts';
import { KubeFailure } from '../../kube/api.ts';
import type { ApiServer, Change } from '../cluster.ts';

interface Dependent {
  readonly resource: Resource;
  readonly ref: ObjectRef;
  readonly uid: string;
}

const actor = 'garbage-collector';

const ownersOf = (object: KubeObject | undefined): readonly string[] =>
  (object?.metadata.ownerReferences ?? []).map(({ uid }) => uid);

/** Deletes the dependent if no owner lives, else drops the references to those that do not. */
const settle = (server: ApiServer, { resource, ref, uid }: Dependent, lives: (uid: string) => boolean): void => {
  const object = server.read(resource, ref);
  if (object === undefined || object.metadata.uid !== uid) return;
  const owners = object.metadata.ownerReferences ?? [];
  const living = owners.filter((owner) => lives(owner.uid));
  if (living.length === owners.length) return;
  if (living.length === 0) {
    if (object.metadata.deletionTimestamp === undefined) server.remove(resource, ref, actor, { uid });
    return;
  }
  server.patch(resource, ref, { type: 'merge', body: { metadata: { ownerReferences: living } } }, actor);
};

/** Follows every change; what it decides to delete it deletes `delayMs` later. */
export const collectGarbage = (server: ApiServer, delayMs: number): ((change: Change) => void) => {
  const alive = new Set<string>();
  const dependents = new Map<string, Map<string, Dependent>>();

  const lives = (uid: string): boolean => alive.has(uid);

  const later = (dependent: Dependent): void => {
    asyncScheduler.schedule(() => {
      try {
        settle(server, dependent, lives);
      } catch (error) {
        // A webhook may refuse the deletion, the kind may be gone; a real collector tries again, here the next change does.
        if (!(error instanceof KubeFailure)) throw error;
      }
    }, delayMs);
  };

  const index = ({ resource, object, previous, type }: Change): void => {
    const uid = object.metadata.uid ?? '';
    const owners = type === 'deleted' ? [] : ownersOf(object);
    for (const owner of ownersOf(previous)) {
      if (owners.includes(owner)) continue;
      const known = dependents.get(owner);
      known?.delete(uid);
      if (known?.size === 0) dependents.delete(owner);
    }
    for (const owner of owners) {
      const known = dependents.get(owner) ?? new Map<string, Dependent>();
      known.set(uid, { resource, ref: object.metadata, uid });
      dependents.set(owner, known);
    }
  };

  return (change) => {
    const { resource, object, previous, type } = change;
    const uid = object.metadata.uid ?? '';
    if (type === 'added') alive.add(uid);
    if (type === 'deleted') {
      alive.delete(uid);
      for (const dependent of dependents.get(uid)?.values() ?? []) later(dependent);
    }
    if (previous?.metadata.ownerReferences === object.metadata.ownerReferences && type !== 'deleted') return;
    index(change);
    // An owner that is already gone when the reference is made is found, too.
    if (type !== 'deleted' && ownersOf(object).some((owner) => !lives(owner)))
      later({ resource, ref: object.metadata, uid });
  };
};
