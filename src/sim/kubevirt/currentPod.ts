// Which of a VMI's virt-launchers is the one it runs in, as KubeVirt finds it: the newest on the node that the VMI
// names, or the newest at all while it names none.
import type { Context } from './context.ts';
import { model } from './model.ts';
import type { Pod, Vmi } from './objects.ts';

/** The current launcher of a VMI; undefined when no pod of it is on its node. */
export const currentPod = (context: Context, vmi: Vmi): Pod | undefined => {
  const node = vmi.status?.nodeName;
  let found: Pod | undefined;
  for (const pod of context.podsOf(vmi)) {
    if (node !== undefined && pod.spec.nodeName !== node) continue;
    const newer =
      found === undefined || (pod.metadata.creationTimestamp ?? '') > (found.metadata.creationTimestamp ?? '');
    if (newer) found = pod;
  }
  return found;
};

/** Launchers of a VMI that have not ended. */
export const livePods = (context: Context, vmi: Vmi): readonly Pod[] =>
  context.podsOf(vmi).filter((pod) => !model.isPodDown(pod));
