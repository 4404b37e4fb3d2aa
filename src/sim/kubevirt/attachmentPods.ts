// The pods that attach hotplugged claims for a launcher (contract §2.5): made when the launcher is ready, replaced when
// the VMI's hotplugged claims change, deleted when the launcher has ended; they show claims that no launcher mounts.
import { resources } from '../../kube/resources.ts';
import { type Context, virtController } from './context.ts';
import { launcherPod } from './launcherPod.ts';
import { model } from './model.ts';
import type { Pod, Vmi } from './objects.ts';

/** The claims a pod mounts. */
export const claimsOf = (pod: Pod): readonly string[] =>
  (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName],
  );

const remove = (context: Context, pod: Pod): void => {
  if (pod.metadata.deletionTimestamp !== undefined) return;
  const { namespace, name, uid } = pod.metadata;
  context.server.remove(resources.pods, { namespace, name }, virtController, { uid });
};

/** Deletes the attachment pods of a launcher. */
export const removeAttachments = (context: Context, launcher: Pod): void => {
  for (const pod of context.podsOf(launcher)) remove(context, pod);
};

/** The attachment pod of a launcher that is not on its way out. */
export const attachmentOf = (context: Context, launcher: Pod): Pod | undefined =>
  context.podsOf(launcher).find((pod) => !model.isPodDownOrGoingDown(pod));

const isMigrating = (vmi: Vmi): boolean => (vmi.status?.migratedVolumes ?? []).length > 0;

/** Gives a launcher the attachment pod for what the VMI names; during a volume migration the source keeps what it has. */
export const attachHotplugged = (context: Context, vmi: Vmi, launcher: Pod): void => {
  const wanted = launcherPod.hotplugged(vmi).map(model.claimOf);
  const present = context.podsOf(launcher).filter((pod) => !model.isPodDownOrGoingDown(pod));
  const fits = (pod: Pod): boolean => model.equal([...claimsOf(pod)].sort(), [...wanted].sort());
  if (present.length > 0 && isMigrating(vmi)) return;
  if (wanted.length > 0 && !present.some(fits)) {
    context.server.create(resources.pods, launcherPod.attachment(vmi, launcher), virtController);
    return;
  }
  for (const pod of present) if (!fits(pod)) remove(context, pod);
};
