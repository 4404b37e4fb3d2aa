// A copy pod that does not get to run: that a person is told, in the words of the scheduler or the kubelet, while the
// daemon goes on waiting for it. Pure; for status alone, nothing is decided by it.
import type { Attention } from './decision.ts';
import type { Pod } from './objects.ts';

/** How long a pod may be Pending before anybody is told: claims are bound and images pulled meanwhile. */
const patienceMs = 30_000;

/** Whether `pod` is one of ours that has not begun to run for longer than usual. */
export const isOverdue = (pod: Pod, now: number): boolean =>
  (pod.role === 'copyServer' || pod.role === 'copyClient') &&
  pod.phase === 'Pending' &&
  !pod.deleting &&
  pod.createdAt !== '' &&
  now - Date.parse(pod.createdAt) >= patienceMs;

/**
 * What to tell of the copy pods of one machine, undefined when none is overdue. `wordsOn` gives what the kubelet said
 * in Events; what it writes into the pod itself comes first.
 */
export const copyTroubleOf = (
  pods: readonly Pod[],
  wordsOn: (pod: Pod) => string,
  now: number,
): Attention | undefined => {
  const overdue = pods.filter((pod) => isOverdue(pod, now));
  if (overdue.length === 0) return undefined;
  const sentences = overdue.map((pod) => {
    const words = pod.trouble || wordsOn(pod) || 'nobody has said why yet; see "kubectl describe pod"';
    return `Pod ${pod.name} has been Pending since ${pod.createdAt}: ${/[.!?]$/.test(words) ? words : `${words}.`}`;
  });
  const apart = overdue.some((pod) => pod.role === 'copyServer' && pod.vmName === '' && pod.claims.length > 1)
    ? ' If no node can mount all of its claims, set spec.transfer.server to PerVirtualMachine: then each machine has a server of its own.'
    : '';
  return { reason: 'CopyPodPending', message: `${sentences.join(' ')}${apart}` };
};
