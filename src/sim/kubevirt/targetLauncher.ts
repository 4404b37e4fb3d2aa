// The target launcher of a live migration: made when limits and back-off allow it (contract §2.3, §3), handed over to the
// nodes when it is ready, deleted when the migration is cancelled before that or when it does not start.
import { resources } from '../../kube/resources.ts';
import { attachmentOf } from './attachmentPods.ts';
import { type Context, virtController } from './context.ts';
import { currentPod, livePods } from './currentPod.ts';
import { launcherPod } from './launcherPod.ts';
import { migrationBackoff } from './migrationBackoff.ts';
import { model } from './model.ts';
import type { Pod, Vmi, Vmim } from './objects.ts';
import { vmimOf } from './vmimOf.ts';

const busyMs = 5000;

const cancel = (context: Context, pod: Pod | undefined): void => {
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
  const { namespace, name, uid } = pod.metadata;
  context.server.remove(resources.pods, { namespace, name }, virtController, { uid });
};

/** How long a launcher may go on being Pending, in ms; undefined when it is not. */
const patienceMs = (context: Context, pod: Pod): number | undefined => {
  if (pod.status?.phase !== 'Pending') return undefined;
  const sinceMs = Date.parse(pod.metadata.creationTimestamp ?? '');
  return sinceMs + context.options.pendingTimeoutMs - context.server.now();
};

/** Deletes a launcher that has been Pending for too long, such as one whose disk hangs on another node; else says when. */
const giveUp = (context: Context, pod: Pod): number | undefined => {
  const leftMs = patienceMs(context, pod);
  if (leftMs === undefined || leftMs > 0) return leftMs;
  cancel(context, pod);
  return undefined;
};

const isGivenUp = (context: Context, pod: Pod): boolean => (patienceMs(context, pod) ?? 1) <= 0;

const handOver = (context: Context, vmi: Vmi, vmim: Vmim, pod: Pod): void => {
  if (vmimOf.owns(vmi, vmim)) return;
  const node = pod.spec.nodeName ?? '';
  const attachment = attachmentOf(context, pod);
  const { parallelMigrationsPerCluster, parallelOutboundMigrationsPerNode } = context.settings();
  const sourcePod = vmim.status?.migrationState?.sourcePod;
  context.writeVmi({
    ...vmi,
    metadata: {
      ...vmi.metadata,
      labels: { ...vmi.metadata.labels, 'kubevirt.io/migrationTargetNodeName': node },
    },
    status: {
      ...vmi.status,
      migrationState: {
        migrationUid: vmim.metadata.uid,
        sourceNode: vmi.status?.nodeName ?? '',
        targetNode: node,
        targetPod: pod.metadata.name,
        ...(sourcePod === undefined ? {} : { sourcePod }),
        ...(attachment === undefined ? {} : { targetAttachmentPodUID: attachment.metadata.uid }),
        migrationConfiguration: {
          allowAutoConverge: false,
          allowPostCopy: false,
          completionTimeoutPerGiB: 150,
          parallelMigrationsPerCluster,
          parallelOutboundMigrationsPerNode,
          progressTimeout: 150,
        },
      },
    },
  });
};

/** Migrations that take up the cluster's and the node's limits: those with a target. */
const isUnderWay = (context: Context, vmim: Vmim): boolean => {
  if (model.isFinished(vmim)) return false;
  if (vmimOf.withTarget.has(vmim.status?.phase ?? '')) return true;
  const vmi = context.vmi(vmim.metadata.namespace, vmim.spec.vmiName);
  return vmi !== undefined && vmimOf.targetPodOf(context, vmi, vmim) !== undefined;
};

const isBusy = (context: Context, vmi: Vmi): boolean => {
  const { parallelMigrationsPerCluster, parallelOutboundMigrationsPerNode } = context.settings();
  const underWay = context.allMigrations().filter((vmim) => isUnderWay(context, vmim));
  const outbound = underWay.filter(
    (vmim) => context.vmi(vmim.metadata.namespace, vmim.spec.vmiName)?.status?.nodeName === vmi.status?.nodeName,
  );
  return underWay.length >= parallelMigrationsPerCluster || outbound.length >= parallelOutboundMigrationsPerNode;
};

/** Creates the target launcher; says after how many ms to look again when it has to wait. */
const create = (context: Context, vmi: Vmi, vmim: Vmim): number | undefined => {
  const backoffMs = migrationBackoff(context, vmi, vmim);
  if (backoffMs > 0) return backoffMs;
  if (currentPod(context, vmi) === undefined) return undefined;
  let prepared = vmi;
  if (vmi.metadata.annotations?.['kubevirt.io/nonroot'] === undefined) {
    const annotations = { ...vmi.metadata.annotations, 'kubevirt.io/nonroot': 'true' };
    prepared = context.writeVmi({ ...vmi, metadata: { ...vmi.metadata, annotations } });
  }
  if (livePods(context, vmi).length > 1) return 1000;
  if (isBusy(context, vmi)) return busyMs;
  if (model.isRunning(vmi)) {
    context.server.create(resources.pods, launcherPod.target(prepared, vmim), virtController);
  }
  return undefined;
};

export const targetLauncher = { create, handOver, cancel, giveUp, isGivenUp };
