// A live migration as the nodes carry it out, one write to the VMI's migrationState per step: the target prepares, the
// copy starts, the paused domain appears, the guest switches over (the point of no return), nodeName moves, completed.
import type { Disks } from '../nodes/disks.ts';
import type { MountedDisk } from '../nodes/guestDisks.ts';
import type { Context } from './context.ts';
import { model } from './model.ts';
import type { NodeSides } from './nodeSide.ts';
import type { Pod, Vmi, VmiMigrationState } from './objects.ts';
import type { Guest } from './virtHandler.ts';

export interface LiveMigrationParts {
  readonly context: Context;
  readonly disks: Disks;
  readonly sides: NodeSides;
  readonly guestOf: (vmi: Vmi) => Guest | undefined;
  /** The launcher runs and was not asked to stop. */
  readonly isAlive: (podUid: string) => boolean;
  readonly endLauncher: (podUid: string, exitCode: number) => void;
  readonly disksOfPod: (pod: Pod) => readonly MountedDisk[];
  readonly wakeAfter: (vmi: Vmi, ms: number) => void;
}

interface Copy {
  readonly startedAt: number;
  abortAt: number | undefined;
  switchedAt: number | undefined;
}

const handler = 'virt-handler';

/** Steps through live migrations; `step` does at most one and wakes itself for the next. */
export const liveMigration = (parts: LiveMigrationParts): { readonly step: (vmi: Vmi) => void } => {
  const { context, disks, sides } = parts;
  const copies = new Map<string, Copy>();

  const write = (vmi: Vmi, changes: VmiMigrationState, more: Vmi['status'] = {}): void => {
    const migrationState = { ...vmi.status?.migrationState, ...changes };
    context.writeVmi({ ...vmi, status: { ...vmi.status, ...more, migrationState } }, handler);
  };
  const targetOf = (vmi: Vmi): Pod | undefined =>
    context.podsOf(vmi).find(({ metadata }) => metadata.name === vmi.status?.migrationState?.targetPod);

  const failed = (vmi: Vmi, target: Pod | undefined, reason: string, more: VmiMigrationState = {}): void => {
    disks.endMirror(vmi.metadata.uid);
    write(vmi, { ...more, completed: true, failed: true, endTimestamp: context.stamp(), failureReason: reason });
    if (target !== undefined) parts.endLauncher(target.metadata.uid, 1);
  };

  const abort = (vmi: Vmi, copy: Copy, target: Pod | undefined): void => {
    const now = context.server.now();
    copy.abortAt ??= now + context.options.abortMs - context.options.handlerMs;
    if (now < copy.abortAt) parts.wakeAfter(vmi, copy.abortAt - now);
    else failed(vmi, target, 'Live migration aborted', { abortStatus: 'Succeeded' });
  };

  const switchOver = (vmi: Vmi, copy: Copy, guest: Guest, target: Pod): void => {
    copy.switchedAt = context.server.now();
    disks.switchOver(vmi.metadata.uid);
    guest.podUid = target.metadata.uid;
    write(vmi, { targetNodeDomainReadyTimestamp: context.stamp() });
  };

  const copying = (vmi: Vmi, copy: Copy, guest: Guest, target: Pod): void => {
    const side = sides.of(`${vmi.metadata.namespace}/${vmi.metadata.name}`);
    if (vmi.status?.migrationState?.abortRequested === true) {
      abort(vmi, copy, target);
      return;
    }
    if (side.copy === 'hold') return;
    const leftMs = copy.startedAt + side.liveCopyMs - context.server.now();
    if (leftMs > 0) parts.wakeAfter(vmi, leftMs);
    else if (side.copy === 'fail') failed(vmi, target, 'internal error: block copy failed');
    else switchOver(vmi, copy, guest, target);
  };

  const handOver = (vmi: Vmi, copy: Copy): void => {
    const { handOverMs } = sides.of(`${vmi.metadata.namespace}/${vmi.metadata.name}`);
    const leftMs = (copy.switchedAt ?? 0) + handOverMs - context.server.now();
    if (leftMs > 0) {
      parts.wakeAfter(vmi, leftMs);
      return;
    }
    const node = vmi.status?.migrationState?.targetNode ?? '';
    const labels = { ...vmi.metadata.labels, 'kubevirt.io/nodeName': node };
    write({ ...vmi, metadata: { ...vmi.metadata, labels } }, { endTimestamp: context.stamp() }, { nodeName: node });
  };

  const complete = (vmi: Vmi): void => {
    const state = vmi.status?.migrationState;
    const conditions = model.withoutCondition(vmi.status?.conditions, 'VolumesChange');
    const status = { ...model.without(vmi.status ?? {}, 'migratedVolumes'), conditions };
    write({ ...vmi, status }, { completed: true });
    const source = context.podsOf(vmi).find(({ metadata }) => metadata.name === state?.sourcePod);
    if (source !== undefined) parts.endLauncher(source.metadata.uid, 0);
    copies.delete(vmi.metadata.uid);
  };

  const begin = (vmi: Vmi, target: Pod): void => {
    copies.set(vmi.metadata.uid, { startedAt: context.server.now(), abortAt: undefined, switchedAt: undefined });
    disks.beginMirror(vmi.metadata.uid, parts.disksOfPod(target));
    write(vmi, { targetNodeDomainDetected: true });
  };

  const step = (vmi: Vmi): void => {
    const state = vmi.status?.migrationState;
    if (state?.targetPod === undefined) return;
    const target = targetOf(vmi);
    const guest = parts.guestOf(vmi);
    if (state.completed === true) {
      const left = state.failed === true && target !== undefined && guest?.podUid !== target.metadata.uid;
      if (left && parts.isAlive(target.metadata.uid)) parts.endLauncher(target.metadata.uid, 1);
      if (state.failed === true) {
        disks.endMirror(vmi.metadata.uid);
        copies.delete(vmi.metadata.uid);
      }
      return;
    }
    if (guest === undefined || !model.isRunning(vmi)) return;
    const copy = copies.get(vmi.metadata.uid);
    if (copy !== undefined && state.targetNodeDomainReadyTimestamp !== undefined) {
      if (state.endTimestamp === undefined) handOver(vmi, copy);
      else complete(vmi);
      return;
    }
    // A guest on its way down is not copied any further.
    if (guest.ending || vmi.metadata.deletionTimestamp !== undefined) return;
    if (target === undefined || !parts.isAlive(target.metadata.uid)) return;
    if (state.targetNodeAddress === undefined) write(vmi, { targetNodeAddress: '10.0.0.2' });
    else if (state.startTimestamp === undefined) write(vmi, { startTimestamp: context.stamp(), mode: 'PreCopy' });
    else if (state.targetNodeDomainDetected !== true) begin(vmi, target);
    else if (copy !== undefined) copying(vmi, copy, guest, target);
  };

  return { step };
};
