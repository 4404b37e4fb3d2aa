// What a watch says to the store that folds it. Every signal names the scope it comes from, because a kind may be
// watched in several namespaces at once below one store.
import type { Kept } from '../core/objects.ts';
import type { Malformed } from '../core/projection.ts';
import type { KubeFailure } from '../kube/api.ts';

/** What tells one object, and one version of it, from another. */
export interface ObjectIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** `scope` is the namespace that is watched; empty where one watch sees all. */
export type WatchSignal<T extends Kept> = { readonly scope: string } & (
  | /** A list begins. What follows is all there is, once `ready` has come; until then it is half of it. */
  { readonly kind: 'init' }
  | { readonly kind: 'listed'; readonly object: T } /** The list is complete, as of this version. */
  | { readonly kind: 'ready'; readonly resourceVersion: string } /** An object was added or changed. */
  | {
      readonly kind: 'applied';
      readonly object: T;
    } /** An object is gone. `object` is its last state, unless that could not be read. */
  | {
      readonly kind: 'deleted';
      readonly identity: ObjectIdentity;
      readonly object: T | undefined;
    } /** An object changed, or is gone, that is of no interest (any more). */
  | {
      readonly kind: 'ignored';
      readonly identity: ObjectIdentity;
    } /** An object was listed, added or changed that cannot be read. It exists, so it must not count as gone. */
  | {
      readonly kind: 'malformed';
      readonly malformed: Malformed;
      readonly listed: boolean;
    } /** Nothing that happened up to this version is still to come. */
  | {
      readonly kind: 'bookmark';
      readonly resourceVersion: string;
    } /** List or watch failed and is tried again after `delayMs`. `attempt` is 1 for the first failure after quiet. */
  | { readonly kind: 'trouble'; readonly failure: KubeFailure; readonly attempt: number; readonly delayMs: number }
);
