// What becomes of an object from the API server on its way into a store: kept, of no interest, or present but not
// readable. The last is a value like the others, because an object that we cannot read is not an object that is gone.
import type { Kept } from './objects.ts';

/** An object that exists but does not look as expected; what could be read of its metadata is there. */
export interface Malformed extends Kept {
  readonly generation: number;
  readonly finalizers: readonly string[];
  /** The part of the object in which the fault lies; a bad status is our own doing or somebody's hand in it. */
  readonly part: 'metadata' | 'spec' | 'status';
  /** Path of the field, for example `spec.virtualMachines[0].volumes[1].target.claimName`. */
  readonly field: string;
  /** A sentence that names kind, object and field, what was found and what was expected. */
  readonly message: string;
}

export type Projection<T> =
  | { readonly kind: 'kept'; readonly object: T }
  | { readonly kind: 'malformed'; readonly malformed: Malformed }
  | { readonly kind: 'ignored' };
