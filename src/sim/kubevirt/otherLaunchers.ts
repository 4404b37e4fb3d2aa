// The launchers of a VMI that has ended, but for the one its guest ran in: nobody tells the other launcher of a migration,
// and it ends by itself.
import type { Context } from './context.ts';
import type { Vmi } from './objects.ts';

export interface OtherLaunchersParts {
  readonly context: Context;
  /** The launcher runs, on a node that is not lost. */
  readonly isAlive: (podUid: string) => boolean;
  readonly endAfter: (ms: number, podUid: string) => void;
}

/**
 * Ends the launchers of a VMI that has ended, each once; not the one its guest is in. A launcher ends with its half of
 * the domain or, where none has come to it yet, when it has waited long enough for one.
 */
export const otherLaunchers = ({ context, isAlive, endAfter }: OtherLaunchersParts) => {
  const { launcherTimeoutMs, handlerMs } = context.options;
  /** Launchers that wait for nobody any more. */
  const abandoned = new Set<string>();

  return (vmi: Vmi, guestPodUid: string | undefined): void => {
    const state = vmi.status?.migrationState;
    for (const { metadata } of context.podsOf(vmi)) {
      if (!isAlive(metadata.uid) || metadata.uid === guestPodUid || abandoned.has(metadata.uid)) continue;
      abandoned.add(metadata.uid);
      const isTarget = metadata.labels?.['kubevirt.io/migrationJobUID'] !== undefined;
      const waits = isTarget && !(state?.targetPod === metadata.name && state.targetNodeDomainDetected === true);
      endAfter(waits ? launcherTimeoutMs : handlerMs, metadata.uid);
    }
  };
};
