// The annotations by which KubeVirt marks objects that its present version has stored; writing them is the first thing a
// controller does with an object.
import type { KubeMetadata } from '../../kube/api.ts';

const observed = 'kubevirt.io/latest-observed-api-version';

/** The annotations by which KubeVirt marks what its present version has stored. */
export const observedAnnotations = { [observed]: 'v1', 'kubevirt.io/storage-observed-api-version': 'v1' } as const;

/** Whether an object carries them. */
export const isObserved = (object: { readonly metadata: KubeMetadata }): boolean =>
  object.metadata.annotations?.[observed] !== undefined;
