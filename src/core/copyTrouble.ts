// A copy pod that cannot be made, does not get to run, or does not go: that a person is told, in the words of the API
// server, the scheduler or the kubelet, while the daemon goes on waiting. Pure; for status alone, nothing is decided by it.
import type { Attention } from './decision.ts';
import type { Pod } from './objects.ts';

/** How long anything may last before anybody is told: claims are bound and images pulled meanwhile. */
export const patienceMs = 30_000;

/** Whether `pod` is one of ours that has not begun to run for longer than usual. */
export const isOverdue = (pod: Pod, now: number): boolean =>
  (pod.role === 'copyServer' || pod.role === 'copyClient') &&
  pod.phase === 'Pending' &&
  !pod.deleting &&
  pod.createdAt !== '' &&
  now - Date.parse(pod.createdAt) >= patienceMs;

/** Whether `pod` is one of ours that was to be gone by now: its node does not answer, or a finalizer holds it. */
export const isLingering = (pod: Pod, now: number): boolean =>
  (pod.role === 'copyServer' || pod.role === 'copyClient') &&
  pod.goneBy !== '' &&
  now - Date.parse(pod.goneBy) >= patienceMs;

/** That the API server will not have a copy pod of a machine. */
export interface CopyRefusal {
  readonly message: string;
  /** Clock reading, in ms, of the first time in a row. */
  readonly sinceMs: number;
}

/** With a full stop, unless the sentence ends already. */
export const ended = (sentence: string): string => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);

/** What to tell of a copy pod that was refused; undefined unless it lasts. */
export const refusalTroubleOf = (refusal: CopyRefusal | undefined, now: number): Attention | undefined => {
  if (refusal === undefined || now - refusal.sinceMs < patienceMs) return undefined;
  const since = new Date(refusal.sinceMs).toISOString();
  const advice = refusal.message.includes('must specify')
    ? ' A LimitRange gives requests and limits to pods that name none.'
    : '';
  const message = `The API server has refused a copy pod since ${since}: ${ended(refusal.message)}${advice}`;
  return { reason: 'CopyPodRefused', message };
};

const lingeringTroubleOf = (pods: readonly Pod[]): Attention => {
  const sentences = pods.map(({ name, goneBy, nodeName }) =>
    nodeName === ''
      ? `Pod ${name} was to be gone by ${goneBy} and is still there; see "kubectl describe pod".`
      : `Pod ${name} was to be gone by ${goneBy} and is still there; see whether node ${nodeName} is up.`,
  );
  const advice =
    'Nothing else is begun with its claims before it is gone. If its node is switched off for certain, say so with the ' +
    'taint node.kubernetes.io/out-of-service, or delete the pod with --force.';
  return { reason: 'CopyPodLingers', message: `${sentences.join(' ')} ${advice}` };
};

/**
 * What to tell of the copy pods of one machine, undefined when each comes and goes as it should. `wordsOn` gives what
 * the kubelet said in Events; what it writes into the pod itself comes first.
 */
export const copyTroubleOf = (
  pods: readonly Pod[],
  wordsOn: (pod: Pod) => string,
  now: number,
): Attention | undefined => {
  const lingering = pods.filter((pod) => isLingering(pod, now));
  if (lingering.length > 0) return lingeringTroubleOf(lingering);
  const overdue = pods.filter((pod) => isOverdue(pod, now));
  if (overdue.length === 0) return undefined;
  const sentences = overdue.map((pod) => {
    const words = pod.trouble || wordsOn(pod) || 'nobody has said why yet; see "kubectl describe pod"';
    return `Pod ${pod.name} has been Pending since ${pod.createdAt}: ${ended(words)}`;
  });
  const apart = overdue.some((pod) => pod.role === 'copyServer' && pod.vmName === '' && pod.claims.length > 1)
    ? ' If no node can mount all of its claims, set spec.transfer.server to PerVirtualMachine: then each machine has a server of its own.'
    : '';
  return { reason: 'CopyPodPending', message: `${sentences.join(' ')}${apart}` };
};
