// What runs in a pod, as the kubelet sees it: the simulation has no containers, so a runner stands in for each pod's.
import type { Observable } from 'rxjs';
import type { Pod } from '../kubevirt/objects.ts';

/** How a pod's containers ended; `message` is the termination message. */
export interface ContainerEnd {
  readonly exitCode: number;
  readonly message?: string;
}

/**
 * Runs a pod's containers from when it is subscribed until it emits their end. `stop$` emits once when they are asked
 * to stop; who does not end within the grace period is unsubscribed, which is a kill. Undefined: not a pod of mine.
 */
export type ContainerRunner = (pod: Pod, stop$: Observable<void>) => Observable<ContainerEnd> | undefined;
