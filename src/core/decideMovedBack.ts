// A guest that had switched over to B and that KubeVirt has moved back to A since, because a revert landed late: A is
// in authority again. Guarantees that a machine is never called moved, nor repaired, while its guest writes elsewhere.

import { act, type Decision } from './decision.ts';
import type { MachineFacts, MachineView } from './facts.ts';
import { claimsUnder } from './launcherSide.ts';
import type { MigrationState } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';

/**
 * Writes down that the guest is on A again; undefined when it is not known to be. From there on it is a live migration
 * that was taken back: what the record knows proves no switch-over any more, and no generation that a patch never landed.
 */
export const decideMovedBack = (
  { view }: MachineFacts,
  { switchedOver, ...rest }: MigrationRecord,
  now: number,
): Decision | undefined => {
  const instance = [view.instance, view.lastInstance?.object].find((object) => object?.uid === switchedOver?.vmiUid);
  const state = instance?.migrationState;
  if (switchedOver === undefined || state === undefined || state.migrationUid === switchedOver.migrationUid) {
    return undefined;
  }
  if (!hasLandedOnSource(state, view, switchedOver.vmiUid, rest)) return undefined;
  const known = [...(rest.live?.knownMigrations ?? []), switchedOver.migrationUid, state.migrationUid];
  const live = {
    vmiUid: switchedOver.vmiUid,
    vmGeneration: 0,
    knownMigrations: [...new Set(known)],
    attempt: rest.live?.attempt ?? 1,
    startedAt: new Date(now).toISOString(),
  };
  return act('Reverting', { kind: 'record', why: 'movedBack', record: { ...rest, live } });
};

/** The claims of `targetPod` are what the guest writes to from the ready timestamp on, whatever else says (contract §4.6). */
const hasLandedOnSource = (
  state: MigrationState,
  { pods }: MachineView,
  vmiUid: string,
  { disks }: MigrationRecord,
): boolean => {
  if (state.targetNodeDomainReadyTimestamp === '') return false;
  const launcher = pods.find(
    ({ name, role, ownerUid }) => name === state.targetPod && role === 'launcher' && ownerUid === vmiUid,
  );
  if (launcher === undefined) return false;
  const claims = claimsUnder(launcher, pods);
  return disks.every(({ source, target }) => claims.includes(source) && !claims.includes(target));
};
