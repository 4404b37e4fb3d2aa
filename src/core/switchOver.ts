// Whether the guest has switched over to B in the live migration that is recorded: the point of no return (law 4), told
// from what is left of it when its end was not watched, and never guessed (law 7). Pure; one of the facts.
import type { MachineView } from './facts.ts';
import { claimsUnder } from './launcherSide.ts';
import type { MigrationState, VirtualMachineInstance, VirtualMachineInstanceMigration } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { claimOf, type SpecSide } from './volumes.ts';

/**
 * Whether the guest has switched over to B in the live migration that is recorded.
 * - `no`: certainly not (yet).
 * - `seen`: it has, now or earlier; B is in authority from then on (law 4).
 * - `unknown`: its end was not watched and nothing that is left proves it either way (law 7).
 */
export type SwitchOver =
  | { readonly kind: 'no' }
  | { readonly kind: 'seen'; readonly vmiUid: string; readonly migrationUid: string; readonly at: string }
  | { readonly kind: 'unknown' };

const standsOn = (claims: readonly string[], record: MigrationRecord): 'source' | 'target' | undefined => {
  if (record.disks.some((disk) => claims.includes(disk.target))) return 'target';
  return record.disks.some((disk) => claims.includes(disk.source)) ? 'source' : undefined;
};

/**
 * Whether a migration state of our attempt proves the switch-over. Not every migration that ends during an attempt
 * copies disks: before the patch and after a revert the guest may be moved to another node on A. The target's launcher
 * tells them apart and, once that is gone, claims that only our patch can have named.
 */
const provesSwitchOver = (
  state: MigrationState,
  claims: readonly string[],
  view: MachineView,
  record: MigrationRecord,
): 'yes' | 'no' | 'unclear' => {
  const { live } = record;
  if (live === undefined || live.knownMigrations.includes(state.migrationUid)) return 'no';
  if (state.targetNodeDomainReadyTimestamp === '') return 'no';
  const target = view.pods.find((pod) => pod.name === state.targetPod && pod.role === 'launcher');
  if (target !== undefined && target.ownerUid !== live.vmiUid) return 'no';
  const side = target === undefined ? undefined : standsOn(claimsUnder(target, view.pods), record);
  if (side !== undefined) return side === 'target' ? 'yes' : 'no';
  if (standsOn(claims, record) === 'target') return 'yes';
  return view.machine?.generation === live.vmGeneration ? 'no' : 'unclear';
};

/** `spec` is the side that the VM names. */
export const switchOverOf = (view: MachineView, record: MigrationRecord, spec: SpecSide | undefined): SwitchOver => {
  if (record.switchedOver !== undefined) return { kind: 'seen', ...record.switchedOver };
  const live = record.live;
  if (live === undefined || live.endedAt !== undefined) return { kind: 'no' };
  const ofInstance = (object: VirtualMachineInstance | undefined) => ({
    state: object?.uid === live.vmiUid ? object.migrationState : undefined,
    claims: object?.claims.map(({ claim }) => claim) ?? [],
  });
  const words = [
    ofInstance(view.instance),
    ofInstance(view.lastInstance?.object),
    ...view.attempts.map((attempt) => ({
      state: attempt.migrationState,
      claims: claimsAfter(attempt, view, live),
    })),
  ];
  let unclear = false;
  for (const { state, claims } of words) {
    if (state === undefined) continue;
    const proof = provesSwitchOver(state, claims, view, record);
    if (proof === 'unclear') unclear = true;
    if (proof !== 'yes') continue;
    const { migrationUid, targetNodeDomainReadyTimestamp: at } = state;
    return { kind: 'seen', vmiUid: live.vmiUid, migrationUid, at };
  }
  if (unclear) return isVouchedFor(view, spec) ? { kind: 'no' } : { kind: 'unknown' };
  if (view.instance?.uid === live.vmiUid) return { kind: 'no' };
  if (view.lastInstance?.object.uid === live.vmiUid && !view.lastInstance.gap) return { kind: 'no' };
  // The end of that VMI was not watched. It decides nothing if the patch never landed.
  if (spec === 'source' && view.machine?.generation === live.vmGeneration) return { kind: 'no' };
  return isVouchedFor(view, spec) ? { kind: 'no' } : { kind: 'unknown' };
};

/**
 * Claims that were named after a VMIM had ended, which names none itself. Those of the VM may be older than a revert
 * that was just sent; a VMI counts from the moment that it has gone on to a later migration.
 */
const claimsAfter = (
  attempt: VirtualMachineInstanceMigration,
  view: MachineView,
  live: NonNullable<MigrationRecord['live']>,
): readonly string[] => {
  // VMIMs go with their VMI: where there is another one, it is that one's.
  if (view.instance !== undefined && view.instance.uid !== live.vmiUid) return [];
  const instance = [view.instance, view.lastInstance?.object].find((object) => object?.uid === live.vmiUid);
  if (instance === undefined) return view.machine?.volumes.map(claimOf) ?? [];
  const latest = instance.migrationState?.migrationUid ?? '';
  const hasGoneOn = latest !== '' && latest !== attempt.uid && !live.knownMigrations.includes(latest);
  return hasGoneOn ? instance.claims.map(({ claim }) => claim) : [];
};

/** A person has taken the strategy away from Migration and so vouches for A, as KubeVirt reads it too (contract §4.2). */
const isVouchedFor = (view: MachineView, spec: SpecSide | undefined): boolean =>
  spec === 'source' && view.machine !== undefined && view.machine.updateVolumesStrategy !== 'Migration';
